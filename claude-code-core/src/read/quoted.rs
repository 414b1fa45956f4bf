//! Whether code ends inside a string or comment that spans lines: a fence line there is a part of it.

/// What spans lines in a language: how it begins and ends, and whether a backslash takes the next character along.
struct Span {
    open: &'static str,
    close: &'static str,
    escapes: bool,
}

const fn span(open: &'static str, close: &'static str, escapes: bool) -> Span {
    Span { open, close, escapes }
}

/// How a language writes what may hold a fence.
struct Form {
    languages: &'static [&'static str],
    /// Longer openings before their prefixes.
    spans: &'static [Span],
    /// Quotes of strings that end with their line.
    short: &'static str,
    /// What begins a comment up to the end of the line.
    comments: &'static [&'static str],
    heredocs: bool,
}

impl Form {
    /// The bytes with which something begins that spans lines, or hides what looks like it. All are ASCII.
    fn starts(&self) -> [bool; 256] {
        let words = self.spans.iter().map(|span| span.open).chain(self.comments.iter().copied());
        let first = words.filter_map(|word| word.bytes().next()).chain(self.short.bytes());
        let mut starts = [false; 256];
        first.chain(self.heredocs.then_some(b'<')).for_each(|byte| starts[usize::from(byte)] = true);
        starts
    }
}

const BLOCK: Span = span("/*", "*/", false);
const TRIPLE: Span = span("\"\"\"", "\"\"\"", true);
const TRIPLE_SINGLE: Span = span("'''", "'''", true);

const DOUBLE: Span = span("\"", "\"", true);
const SINGLE: Span = span("'", "'", true);

const FORMS: [Form; 18] = [
    Form {
        languages: &["python", "toml", "graphql", "julia", "nim"],
        spans: &[TRIPLE, TRIPLE_SINGLE],
        short: "\"'",
        comments: &["#"],
        heredocs: false,
    },
    Form {
        languages: &["javascript", "typescript", "tsx", "vue", "svelte", "go"],
        spans: &[BLOCK, span("`", "`", true)],
        short: "\"'",
        comments: &["//"],
        heredocs: false,
    },
    Form {
        languages: &["java", "kotlin", "scala", "swift", "csharp", "groovy", "fsharp"],
        spans: &[BLOCK, TRIPLE, span("@\"", "\"", false)],
        short: "\"'",
        comments: &["//"],
        heredocs: false,
    },
    Form {
        languages: &["dart"],
        spans: &[BLOCK, TRIPLE, TRIPLE_SINGLE],
        short: "\"'",
        comments: &["//"],
        heredocs: false,
    },
    Form {
        languages: &["rust"],
        spans: &[
            BLOCK,
            span("r###\"", "\"###", false),
            span("r##\"", "\"##", false),
            span("r#\"", "\"#", false),
            span("r\"", "\"", false),
            span("\"", "\"", true),
        ],
        short: "",
        comments: &["//"],
        heredocs: false,
    },
    Form {
        languages: &["c", "cpp", "css", "scss", "less"],
        spans: &[BLOCK, span("R\"(", ")\"", false)],
        short: "\"'",
        comments: &["//"],
        heredocs: false,
    },
    Form {
        languages: &["bash", "ruby", "perl"],
        spans: &[span("\"", "\"", true), span("'", "'", false)],
        short: "",
        comments: &["#"],
        heredocs: true,
    },
    Form {
        languages: &["php"],
        spans: &[BLOCK, span("\"", "\"", true), span("'", "'", true)],
        short: "",
        comments: &["//", "#"],
        heredocs: true,
    },
    Form {
        languages: &["elixir"],
        spans: &[TRIPLE, TRIPLE_SINGLE, DOUBLE],
        short: "",
        comments: &["#"],
        heredocs: false,
    },
    Form {
        languages: &["lua"],
        spans: &[
            span("--[[", "]]", false),
            span("[==[", "]==]", false),
            span("[=[", "]=]", false),
            span("[[", "]]", false),
        ],
        short: "\"'",
        comments: &["--"],
        heredocs: false,
    },
    Form {
        languages: &["haskell", "elm", "purescript"],
        spans: &[span("{-", "-}", false), TRIPLE],
        short: "\"",
        comments: &["--"],
        heredocs: false,
    },
    Form {
        languages: &["clojure", "clj", "cljs", "lisp", "scheme", "racket"],
        spans: &[DOUBLE],
        short: "",
        comments: &[";"],
        heredocs: false,
    },
    Form {
        languages: &["r"],
        spans: &[span("r\"(", ")\"", false), DOUBLE, SINGLE],
        short: "",
        comments: &["#"],
        heredocs: false,
    },
    Form {
        languages: &["powershell"],
        spans: &[span("@'", "\n'@", false), span("@\"", "\n\"@", false), span("<#", "#>", false)],
        short: "\"'",
        comments: &["#"],
        heredocs: false,
    },
    Form {
        languages: &["sql"],
        spans: &[BLOCK, span("$$", "$$", false), span("'", "'", false)],
        short: "\"",
        comments: &["--"],
        heredocs: false,
    },
    Form {
        languages: &["html", "xml"],
        spans: &[
            span("<!--", "-->", false),
            span("<![CDATA[", "]]>", false),
            span("<pre", "</pre>", false),
            span("<script", "</script>", false),
            span("<textarea", "</textarea>", false),
        ],
        short: "",
        comments: &[],
        heredocs: false,
    },
    Form { languages: &["terraform"], spans: &[BLOCK], short: "\"", comments: &["#", "//"], heredocs: true },
    Form { languages: &["dockerfile"], spans: &[], short: "", comments: &[], heredocs: true },
];

/// Whether this code ends within a string or comment that goes on in the next line, which has this indentation; and for
/// sure, so that no parser has to tell.
pub(super) fn is_open(language: &str, code: &str, indent: usize) -> Option<bool> {
    if language == "yaml" {
        return is_in_scalar(code, indent).then_some(true);
    }
    // A parser takes HTML whose elements have no end.
    goes_on(language, code).map(|is_sure| is_sure || language == "html")
}

/// Whether a line of this indentation is a part of the block scalar of YAML with which the code ends.
fn is_in_scalar(code: &str, indent: usize) -> bool {
    let mut least = indent;
    for line in code.lines().rev().filter(|line| !line.trim().is_empty()) {
        let own = line.len() - line.trim_start_matches(' ').len();
        if own >= least {
            continue;
        }
        let head = line.trim_end().trim_end_matches(|c: char| "-+".contains(c) || c.is_ascii_digit());
        if head.ends_with(" |") || head.ends_with(" >") {
            return true;
        }
        least = own;
    }
    false
}

/// Whether code goes on in the next line, and if so, whether it does within a here document.
fn goes_on(language: &str, code: &str) -> Option<bool> {
    let form = FORMS.iter().find(|form| form.languages.contains(&language))?;
    let starts = form.starts();
    let mut rest = code;
    while let Some(at) = rest.bytes().position(|byte| starts[usize::from(byte)]) {
        rest = &rest[at..];
        let first = char::from(rest.as_bytes()[0]);
        if let Some(span) = form.spans.iter().find(|span| rest.starts_with(span.open)) {
            let Some(after) = behind(&rest[span.open.len()..], span) else { return Some(false) };
            rest = after;
        } else if form.comments.iter().any(|comment| rest.starts_with(comment)) {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if form.short.contains(first) {
            rest = behind_short(&rest[1..], first);
        } else if let Some(word) = form.heredocs.then(|| heredoc(rest)).flatten() {
            let Some(after) = behind_heredoc(rest, word) else { return Some(true) };
            rest = after;
        } else {
            rest = &rest[1..];
        }
    }
    None
}

/// What follows the end of a span.
fn behind<'t>(text: &'t str, span: &Span) -> Option<&'t str> {
    let mut at = 0;
    while let Some(next) = text[at..].find(['\\', span.close.chars().next()?]) {
        at += next;
        if text[at..].starts_with(span.close) {
            return Some(&text[at + span.close.len()..]);
        }
        let taken = if text[at..].starts_with('\\') && span.escapes { 2 } else { 1 };
        at += text[at..].chars().take(taken).map(char::len_utf8).sum::<usize>();
    }
    None
}

/// What follows a string that ends with its line at the latest.
fn behind_short(text: &str, quote: char) -> &str {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => _ = chars.next(),
            '\n' => return &text[at..],
            c if c == quote => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}

/// The word that ends a here document that begins here.
fn heredoc(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("<<")?;
    let rest = rest.trim_start_matches(['<', '-', '~', ' ']).trim_start_matches(['"', '\'']);
    let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let is_word = rest.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    (length > 1 && is_word).then(|| &rest[..length])
}

fn behind_heredoc<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let mut at = text.find('\n')? + 1;
    for line in text[at..].split_inclusive('\n') {
        at += line.len();
        if line.trim().trim_end_matches([';', ')', ',']) == word {
            return Some(&text[at..]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn code_is_open_within_what_spans_lines() {
        let open = [
            ("python", "X = '''a\n"),
            ("python", "X = \"\"\"it's \\\"\"\" \n"),
            ("javascript", "const a = `x ${b}\n"),
            ("go", "var a = `x\n"),
            ("java", "var a = \"\"\"\n"),
            ("rust", "let a = r#\"x\"\n"),
            ("c", "/* a\n"),
            ("bash", "cat <<EOF\nit's\n"),
            ("bash", "echo 'a\n"),
            ("php", "$a = <<<MD\nx\n"),
            ("ruby", "A = <<~EOS\nx\n"),
            ("terraform", "a = <<EOT\nx\n"),
            ("lua", "local a = [[\nit's\n"),
            ("elixir", "@doc \"\"\"\nx\n"),
            ("haskell", "{- it's\n"),
            ("clojure", "(def a \"\n"),
            ("powershell", "$a = @'\nit's\n"),
            ("sql", "SELECT '\n"),
            ("html", "<p>x</p>\n<pre>\n"),
            ("yaml", "a:\n- |-\n  x\n"),
            ("yaml", "a: |\n  x\n\n"),
        ];
        for (language, code) in open {
            assert!(is_open(language, code, 2).is_some(), "{language}: {code}");
        }
        let closed = [
            ("python", "X = '''a\n'''\n# it's\ny = \"it's\"\n"),
            ("javascript", "const a = `x`; // it`s\nconst b = 'don`t';\n"),
            ("rust", "fn f<'a>(x: &'a str) -> char { let _ = \"a\\\"\"; 'x' }\n"),
            ("bash", "cat <<'EOF'\nit's\nEOF\n# don't\n"),
            ("yaml", "a: '\n"),
            ("yaml", "a: |\n  x\n"),
            ("lua", "local a = [[x]] -- it's\n"),
            ("html", "<pre>x</pre>\n<p>it's</p>\n"),
            ("terraform", "a = <<EOT\nx\nEOT\n"),
            ("r", "# it's\na <- 'b'\n"),
        ];
        for (language, code) in closed {
            assert!(is_open(language, code, 0).is_none(), "{language}: {code}");
        }
    }
}
