//! Syntax highlighting: comments, strings, numbers and keywords, the same for all languages.

/// Words that most languages here keep for themselves.
const KEYWORDS: &[&str] = &[
    "and",
    "as",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "def",
    "defer",
    "delete",
    "do",
    "elif",
    "else",
    "end",
    "enum",
    "except",
    "export",
    "extends",
    "false",
    "False",
    "final",
    "finally",
    "fn",
    "for",
    "from",
    "func",
    "function",
    "go",
    "if",
    "impl",
    "implements",
    "import",
    "in",
    "interface",
    "is",
    "lambda",
    "let",
    "match",
    "mod",
    "mut",
    "new",
    "nil",
    "None",
    "not",
    "null",
    "or",
    "package",
    "pass",
    "private",
    "pub",
    "public",
    "raise",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "switch",
    "then",
    "this",
    "throw",
    "trait",
    "true",
    "True",
    "try",
    "type",
    "use",
    "var",
    "void",
    "where",
    "while",
    "with",
    "yield",
    "SELECT",
    "FROM",
    "WHERE",
    "INSERT",
    "INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "DELETE",
    "CREATE",
    "TABLE",
    "JOIN",
    "LEFT",
    "ON",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "AND",
    "OR",
    "NOT",
    "NULL",
    "AS",
    "PRIMARY",
    "KEY",
    "REFERENCES",
];

/// Text that is safe in HTML. What would not be seen, or would turn the line around, is shown by its code point.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(c),
            c if c.is_control() || is_hidden(c) => html.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            c => html.push(c),
        }
    }
    html
}

/// Marks of direction, width and tags.
fn is_hidden(c: char) -> bool {
    matches!(u32::from(c), 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0xFEFF | 0xE0000..=0xE007F)
}

/// Code as HTML, every token escaped.
pub(crate) fn highlight(code: &str, language: &str) -> String {
    if matches!(language, "text" | "markdown" | "csv") {
        return escape(code);
    }
    let mut html = String::with_capacity(code.len() * 2);
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (length, class) = token(rest, first, line_comment(language));
        let (token, after) = rest.split_at(length);
        match class {
            Some(class) => html.push_str(&format!("<span class=\"{class}\">{}</span>", escape(token))),
            None => html.push_str(&escape(token)),
        }
        rest = after;
    }
    html
}

fn line_comment(language: &str) -> &'static str {
    match language {
        "python" | "ruby" | "bash" | "shell" | "yaml" | "toml" | "dockerfile" | "makefile" | "hcl"
        | "terraform" | "perl" | "r" | "elixir" | "ini" => "#",
        "sql" | "lua" | "haskell" => "--",
        _ => "//",
    }
}

/// The bytes of the next token, and how it is shown.
fn token(rest: &str, first: char, comment: &str) -> (usize, Option<&'static str>) {
    let until = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at);
    if rest.starts_with(comment) {
        return (until("\n", 0), Some("c"));
    }
    if rest.starts_with("/*") && comment == "//" {
        return ((until("*/", 2) + 2).min(rest.len()), Some("c"));
    }
    for quote in ["\"\"\"", "'''"] {
        if rest.starts_with(quote) {
            return ((until(quote, 3) + 3).min(rest.len()), Some("s"));
        }
    }
    match first {
        '"' | '\'' | '`' => string(rest, first),
        c if c.is_ascii_digit() => {
            (run(rest, |c| c.is_ascii_alphanumeric() || c == '.' || c == '_'), Some("n"))
        }
        c if c.is_alphabetic() || c == '_' => {
            let length = run(rest, |c| c.is_alphanumeric() || c == '_');
            (length, KEYWORDS.contains(&&rest[..length]).then_some("k"))
        }
        c => (c.len_utf8(), None),
    }
}

/// A string up to its closing quote on the same line; without one the quote stands for itself (as in Rust's `'a`).
fn string(rest: &str, quote: char) -> (usize, Option<&'static str>) {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote != '`' => break,
            c if c == quote => return (at + 1, Some("s")),
            _ => {}
        }
    }
    (1, None)
}

fn run(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}
