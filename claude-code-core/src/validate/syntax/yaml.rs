//! YAML by a full parser, with the tabs that it forbids, and a small value with places for those who look inside.

use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::source::Source;

/// Deeper nesting is not read: walkers of the value recurse.
const MAX_DEPTH: usize = 100;

/// A YAML node with its place, line and column from 1.
pub struct Node {
    pub line: usize,
    pub column: usize,
    /// The tag as written, as in `!Ref`.
    pub tag: Option<String>,
    pub value: Value,
}

/// What a node holds.
pub enum Value {
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// An alias, or nested too deep.
    Other,
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping; empty for others.
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(k, _)| k.text() == Some(key)).map(|(_, value)| value)
    }
}

/// Syntax errors, tabs where spaces are needed, and keys that occur twice. Placeholders in double braces are YAML where
/// they stand in strings; elsewhere they count as words.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let found = check_text(source, &source.text);
    if !found.iter().any(Diagnostic::is_error) {
        return found;
    }
    let filled = filled_in(&source.text);
    let text = filled.as_deref().unwrap_or(&source.text);
    let is_sound = |text: &str| check_text(source, text).iter().all(|told| !told.is_error());
    if is_sound(text) || is_sound(&with_deep_closers(text)) {
        return Vec::new();
    }
    match filled {
        Some(filled) => check_text(source, &filled),
        None => found,
    }
}

/// The text with brackets that close at the beginning of a line further in: readers take them anywhere, the parser only
/// deeper than the key of their list.
fn with_deep_closers(text: &str) -> String {
    let is_closer = |line: &&str| line.trim_start().starts_with([']', '}']);
    text.split_inclusive('\n')
        .map(|line| if is_closer(&line) { format!("{:40}{line}", "") } else { line.to_owned() })
        .collect()
}

/// The text with a word in place of each placeholder, byte for byte; none without placeholders. Expressions of
/// workflows, `${{ … }}`, are scalars as they are.
fn filled_in(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let mut from = 0;
    while let Some(start) = text[from..].find("{{").map(|at| from + at) {
        let Some(end) = text[start..].find("}}").map(|at| start + at + 2) else { break };
        if !text[..start].ends_with('$') {
            bytes[start..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'x');
        }
        from = end;
    }
    (bytes != text.as_bytes()).then(|| String::from_utf8(bytes).ok()).flatten()
}

/// Syntax errors of a text in which nothing is left to be filled in.
pub fn check_whole(source: &Source) -> Vec<Diagnostic> {
    let found = check_text(source, &source.text);
    let is_sound =
        || check_text(source, &with_deep_closers(&source.text)).iter().all(|told| !told.is_error());
    if found.iter().any(Diagnostic::is_error) && is_sound() { Vec::new() } else { found }
}

fn check_text(source: &Source, text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut scalars = Vec::new();
    let mut keys: Vec<(HashSet<String>, usize)> = Vec::new();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                if let Event::Scalar(_, style, ..) = &event {
                    scalars.push((*style, span));
                }
                found.extend(key_twice(source, &mut keys, &event, span));
            }
            Err(error) => {
                let (line, column) = (error.marker().line(), error.marker().col() + 1);
                found.insert(0, source.on(line, column, Severity::Error, error.info()));
                break;
            }
        }
    }
    if let Some(tab) = tab(source, text, &scalars) {
        // The parser may stumble over the same tab, in its own words.
        found.retain(|d| d.line != tab.line || !d.is_error());
        found.insert(0, tab);
    }
    found
}

/// Follows the mappings that are open: an even count of nodes means that the next one is a key.
fn key_twice(
    source: &Source,
    open: &mut Vec<(HashSet<String>, usize)>,
    event: &Event<'_>,
    span: Span,
) -> Option<Diagnostic> {
    const LIST: usize = usize::MAX;
    let is_node = matches!(
        event,
        Event::Scalar(..) | Event::Alias(_) | Event::MappingStart(..) | Event::SequenceStart(..)
    );
    let mut twice = None;
    if let (true, Some((seen, count))) = (is_node, open.last_mut().filter(|(_, count)| *count != LIST)) {
        if let (Event::Scalar(key, ..), true) = (event, *count % 2 == 0) {
            let is_new = key == "<<" || seen.insert(key.to_string());
            let message = format!("the key `{key}` occurs twice in one mapping");
            twice = (!is_new)
                .then(|| source.on(span.start.line(), span.start.col() + 1, Severity::Warning, message));
        }
        *count += 1;
    }
    match event {
        Event::MappingStart(..) => open.push((HashSet::new(), 0)),
        Event::SequenceStart(..) => open.push((HashSet::new(), LIST)),
        Event::MappingEnd | Event::SequenceEnd => drop(open.pop()),
        _ => {}
    }
    twice
}

/// The first tab that indents, or that parts a key from its value: YAML forbids the one, and the common Python
/// reader refuses the other. Tabs within scalars and comments are text.
fn tab(source: &Source, whole: &str, scalars: &[(ScalarStyle, Span)]) -> Option<Diagnostic> {
    let within = |line: usize, column: usize| {
        scalars.iter().any(|(style, span)| match style {
            // Its place is that of its mark, or of its first line.
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let is_first = span.start.line() == line && span.start.col() <= column;
                (is_first || span.start.line() < line) && line < span.end.line()
            }
            _ => {
                (span.start.line(), span.start.col()) < (line, column)
                    && (line, column) < (span.end.line(), span.end.col())
            }
        })
    };
    for (number, text) in whole.lines().enumerate().filter(|(_, text)| text.contains('\t')) {
        let body = text.trim_start_matches([' ', '\t']);
        let indent = text.len() - body.len();
        let column = match text[..indent].find('\t') {
            Some(column) if !body.is_empty() && !body.starts_with('#') => column,
            _ => match text.find(":\t").or_else(|| text.find("-\t")) {
                Some(at) => at + 1,
                None => continue,
            },
        };
        let in_comment = text[..column].contains(" #") || text[..column].starts_with('#');
        if !in_comment && !within(number + 1, column) {
            let message = if column < indent {
                "a tab indents this line; YAML needs spaces"
            } else {
                "a tab stands before the value; YAML readers need a space"
            };
            return Some(source.on(number + 1, column + 1, Severity::Error, message));
        }
    }
    None
}

/// The documents of a text with their places; those before a syntax error.
pub fn documents(text: &str) -> Vec<Node> {
    let mut roots = Vec::new();
    let mut open: Vec<Vec<Node>> = vec![Vec::new()];
    let mut tags: Vec<(Option<String>, Span)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let tag_of = |tag: &Option<std::borrow::Cow<'_, saphyr_parser::Tag>>| {
            tag.as_ref().map(|tag| format!("{}{}", tag.handle, tag.suffix))
        };
        let done = match event {
            Event::Scalar(text, _, _, tag) => node(tag_of(&tag), span, Value::Scalar(text.into_owned())),
            Event::Alias(_) => node(None, span, Value::Other),
            Event::SequenceStart(_, tag) | Event::MappingStart(_, tag) => {
                tags.push((tag_of(&tag), span));
                open.push(Vec::new());
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (Some(inner), Some((tag, span))) = (open.pop(), tags.pop()) else { break };
                let is_list = matches!(event, Event::SequenceEnd);
                let too_deep = open.len() > MAX_DEPTH;
                node(tag, span, if too_deep { Value::Other } else { group(inner, is_list) })
            }
            _ => continue,
        };
        match open.last_mut() {
            Some(siblings) => siblings.push(done),
            None => break,
        }
        if open.len() == 1 {
            roots.append(&mut open[0]);
        }
    }
    roots
}

fn node(tag: Option<String>, span: Span, value: Value) -> Node {
    Node { line: span.start.line(), column: span.start.col() + 1, tag, value }
}

fn group(inner: Vec<Node>, is_list: bool) -> Value {
    if is_list {
        return Value::List(inner);
    }
    let mut entries = Vec::new();
    let mut nodes = inner.into_iter();
    while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
        entries.push((key, value));
    }
    Value::Map(entries)
}
