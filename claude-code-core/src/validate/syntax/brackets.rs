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

/// Where brackets do not pair: the one that is left open, and where that shows; nothing if all pair.
pub fn unpaired(text: &str, brackets: &[(usize, u8)]) -> Vec<Fault> {
    let mut open: Vec<(usize, u8)> = Vec::new();
    let mut suspect = None;
    for (at, bracket) in brackets.iter().copied() {
        let Some(opener) = opener(bracket) else {
            open.push((at, bracket));
            continue;
        };
        match open.pop() {
            Some((start, begun)) if begun == opener => {
                // The end of an outer block took the place of this one's: the indentation tells.
                let is_outer =
                    bracket == b'}' && begins_line(text, at) && indent(text, at) < indent(text, start);
                suspect = suspect.or(is_outer.then_some((start, at)));
            }
            Some((start, begun)) if open.iter().any(|(_, begun)| *begun == opener) => {
                return never_closed(start, begun, at);
            }
            _ => {
                let message = format!("this `{}` closes nothing", char::from(bracket));
                return vec![Fault { at, message }];
            }
        }
    }
    match (open.last(), suspect) {
        (None, _) => Vec::new(),
        (_, Some((start, at))) => never_closed(start, b'{', at),
        (Some((start, begun)), None) => never_closed(*start, *begun, text.trim_end().len()),
    }
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

/// The text of the line up to a place.
fn before(text: &str, at: usize) -> &str {
    text[..at].rsplit('\n').next().unwrap_or("")
}

fn begins_line(text: &str, at: usize) -> bool {
    before(text, at).trim().is_empty()
}

fn indent(text: &str, at: usize) -> usize {
    let before = before(text, at);
    before.len() - before.trim_start().len()
}
