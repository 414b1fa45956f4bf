//! Brackets that do not pair: the second sign that a text is broken, and the place where it is.

use tree_sitter::Node;

use super::Fault;
use crate::validate::tree;

/// The brackets of a tree's leaves with their places: those within strings and comments are not among them.
pub fn of_tree(root: Node<'_>) -> Vec<(usize, u8)> {
    let mut found = Vec::new();
    tree::walk(root, |visit| {
        let node = visit.node;
        if node.child_count() > 0 || node.is_missing() {
            return;
        }
        let bracket = match node.kind() {
            "(" => b'(',
            "[" => b'[',
            "{" | "${" | "#{" => b'{',
            ")" => b')',
            "]" => b']',
            "}" => b'}',
            _ => return,
        };
        found.push((node.start_byte(), bracket));
    });
    found
}

/// The brackets of a text in a language of C's manner, outside strings and comments: where a tree has errors its leaves
/// are not all there.
pub fn of_text(language: &str, text: &str) -> Vec<(usize, u8)> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let rest = &text[at..];
        at += match byte {
            b'/' if rest.starts_with("//") && language != "css" => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => until(rest, 2, "*/"),
            b'"' if rest.starts_with("\"\"\"") => {
                let quotes = rest.len() - rest.trim_start_matches('"').len();
                until(rest, quotes, &rest[..quotes])
            }
            b'"' if language == "csharp" && is_verbatim(&text[..at]) => until(rest, 1, "\""),
            b'R' if matches!(language, "c" | "cpp") && rest.starts_with("R\"") => raw(rest),
            b'`' if language == "go" => until(rest, 1, "`"),
            b'"' => quoted(rest, b'"'),
            // A digit separator of C++ is no quote.
            b'\'' if !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) || language == "css" => {
                quoted(rest, b'\'')
            }
            b'(' | b')' | b'[' | b']' | b'{' | b'}' => {
                found.push((at, byte));
                1
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    found
}

/// The length of a text up to an end that comes after so many bytes.
fn until(rest: &str, from: usize, end: &str) -> usize {
    rest.get(from..).and_then(|inner| inner.find(end)).map_or(rest.len(), |length| from + length + end.len())
}

/// The length of a string on one line, in which a backslash escapes.
fn quoted(rest: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'\n' => return at,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `@"…"`, `$@"…"`: a quote within is doubled, which reads as two strings.
fn is_verbatim(before: &str) -> bool {
    before.ends_with('@') || before.ends_with("@$")
}

/// `R"x(…)x"`
fn raw(rest: &str) -> usize {
    let Some(open) = rest.find('(').filter(|open| *open < 20) else { return 1 };
    until(rest, open, &format!("){}\"", &rest[2..open]))
}

/// Where brackets do not pair: where the indentation shows it, the one that is left open, and where that is noticed;
/// nothing if all pair.
pub fn unpaired(text: &str, brackets: &[(usize, u8)]) -> Vec<Fault> {
    let mut open: Vec<(usize, u8)> = Vec::new();
    let mut faults = Vec::new();
    for (at, bracket) in brackets.iter().copied() {
        let Some(opener) = opener(bracket) else {
            open.push((at, bracket));
            continue;
        };
        match open.pop() {
            Some((_, begun)) if begun == opener => {}
            Some((start, begun)) if open.iter().any(|(_, begun)| *begun == opener) => {
                faults = never_closed(start, begun, at);
                break;
            }
            _ => {
                faults =
                    vec![Fault { at, message: format!("this `{}` closes nothing", char::from(bracket)) }];
                break;
            }
        }
    }
    if let (true, Some((start, begun))) = (faults.is_empty(), open.last()) {
        faults = never_closed(*start, *begun, text.trim_end().len());
    }
    if !faults.is_empty() {
        faults.splice(0..0, by_indentation(text, brackets));
    }
    faults
}

/// A bracket that is open, with the indentation of its line.
struct Open {
    bracket: u8,
    line: usize,
    indent: usize,
    /// The last of its line: what it holds stands further in.
    is_block: bool,
}

/// The first place where the indentation contradicts the brackets: a line that stands no further in than the block it would
/// be in, or a bracket within a line that ends a block of earlier lines.
fn by_indentation(text: &str, brackets: &[(usize, u8)]) -> Option<Fault> {
    let mut rest = brackets.iter().copied().peekable();
    let mut open: Vec<Open> = Vec::new();
    let (mut start, mut after_last) = (0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let end = start + line.len();
        let body = line.trim();
        let indent = line.len() - line.trim_start().len();
        let ends = body.starts_with([')', ']', '}']);
        let is_code = !body.is_empty()
            && !["//", "#", "*", "/*", "--", "case ", "default", "@"]
                .iter()
                .any(|mark| body.starts_with(mark));
        let is_out = |top: &Open| top.is_block && (indent < top.indent || indent == top.indent && !ends);
        if is_code && open.last().is_some_and(is_out) && !body.ends_with(':') {
            let message = "a bracket that closes is missing before this".to_owned();
            return Some(Fault { at: after_last, message });
        }
        while let Some((at, bracket)) = rest.next_if(|(at, _)| *at < end) {
            if opener(bracket).is_none() {
                let is_block = text[at + 1..end].trim().is_empty();
                open.push(Open { bracket, line: number, indent, is_block });
                continue;
            }
            let is_first = text[start..at].trim().trim_matches([')', ']', '}', ' ']).is_empty();
            if let Some(ended) = open.pop().filter(|ended| {
                ended.is_block && ended.line < number && (!is_first || indent != ended.indent)
            }) {
                let message = match opener(bracket) == Some(ended.bracket) {
                    true => format!(
                        "this `{}` closes what begins in line {}",
                        char::from(bracket),
                        ended.line + 1
                    ),
                    false => format!("this `{}` closes nothing", char::from(bracket)),
                };
                return Some(Fault { at, message });
            }
        }
        start = end;
        if !body.is_empty() {
            after_last = end.min(text.len());
        }
    }
    None
}

/// The first bracket that is opened within a line and not closed in it.
fn uneven_line(text: &str, brackets: &[(usize, u8)]) -> Option<Fault> {
    let line_of = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
    let mut open: Vec<(usize, u8)> = Vec::new();
    for (at, bracket) in brackets.iter().copied() {
        if let Some((start, begun)) = open.last().copied().filter(|(start, _)| line_of(*start) != line_of(at))
        {
            let rest = text[start + 1..].lines().next().unwrap_or("");
            if !rest.trim().is_empty() {
                let message = format!("the `{}` here is not closed in its line", char::from(begun));
                return Some(Fault { at: start, message });
            }
            open.clear();
        }
        match opener(bracket) {
            None => open.push((at, bracket)),
            Some(_) => drop(open.pop()),
        }
    }
    None
}

/// The first string that begins in a line and does not end in it: the place of a lost quote in text that is broken.
fn open_quote(text: &str, quotes: &[u8]) -> Option<Fault> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_start();
        let is_comment = ["//", "#", "*", "/*", "--"].iter().any(|mark| body.starts_with(mark));
        let mut open = None;
        let mut bytes = line.bytes().enumerate();
        while let Some((at, byte)) = bytes.next().filter(|_| !is_comment) {
            match open {
                _ if byte == b'\\' => drop(bytes.next()),
                Some((_, quote)) if byte == quote => open = None,
                None if quotes.contains(&byte) => open = Some((at, byte)),
                _ => {}
            }
        }
        if let Some((at, _)) = open {
            let message = "the string that begins here does not end in its line".to_owned();
            return Some(Fault { at: start + at, message });
        }
        start += line.len();
    }
    None
}

fn never_closed(start: usize, begun: u8, at: usize) -> Vec<Fault> {
    let begun = char::from(begun);
    vec![
        Fault { at: start, message: format!("the `{begun}` here is never closed") },
        Fault { at, message: format!("a `{begun}` before this is still open here") },
    ]
}

fn opener(bracket: u8) -> Option<u8> {
    match bracket {
        b')' => Some(b'('),
        b']' => Some(b'['),
        b'}' => Some(b'{'),
        _ => None,
    }
}

/// The quotes of a language whose strings end in their line, as a rule.
fn quotes(language: &str) -> &'static [u8] {
    match language {
        "sql" => b"'",
        "javascript" | "typescript" | "php" | "ruby" => b"\"'",
        "tsx" | "rust" | "go" | "java" | "csharp" | "c" | "cpp" | "json" | "terraform" => b"\"",
        _ => b"",
    }
}

/// Where a text that is known to be broken is broken: its quotes and its brackets.
pub fn places(language: &str, text: &str, brackets: &[(usize, u8)]) -> Vec<Fault> {
    let mut found: Vec<Fault> = open_quote(text, quotes(language)).into_iter().collect();
    let unpaired = unpaired(text, brackets);
    if !unpaired.is_empty() {
        // Arguments are often told on several lines.
        let is_plain = matches!(language, "sql" | "json" | "terraform");
        let of_block = |bracket: &&(usize, u8)| is_plain || !matches!(bracket.1, b'(' | b')');
        let brackets: Vec<(usize, u8)> = brackets.iter().filter(of_block).copied().collect();
        found.extend(uneven_line(text, &brackets));
    }
    found.extend(unpaired);
    found
}
