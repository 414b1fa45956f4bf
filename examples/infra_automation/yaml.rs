//! CloudFormation in YAML or JSON as values; short forms such as `!Ref` become their long ones.

use saphyr_parser::{Event, Parser, Span, Tag};

use crate::node::{Node, Value};

/// Deeper nesting is no template.
const MAX_DEPTH: usize = 100;

/// A value under way.
struct Open {
    line: u32,
    tag: Option<String>,
    is_list: bool,
    inner: Vec<Node>,
}

/// The first document of a text. Fails with the line and the parser's words.
pub(crate) fn parse(text: &str) -> Result<Node, (u32, String)> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| (number(error.marker().line()), error.info().to_owned()))?;
        let done = match event {
            Event::Scalar(text, _, _, tag) => {
                tagged(short(tag.as_deref()), Node::text(line(span), text.into_owned()))
            }
            Event::Alias(_) => Node::text(line(span), ""),
            Event::SequenceStart(_, tag) | Event::MappingStart(_, tag) if open.len() > MAX_DEPTH => {
                drop(tag);
                return Err((line(span), "the template is nested too deep".to_owned()));
            }
            Event::SequenceStart(_, tag) => {
                open.push(Open {
                    line: line(span),
                    tag: short(tag.as_deref()),
                    is_list: true,
                    inner: Vec::new(),
                });
                continue;
            }
            Event::MappingStart(_, tag) => {
                open.push(Open {
                    line: line(span),
                    tag: short(tag.as_deref()),
                    is_list: false,
                    inner: Vec::new(),
                });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(closed) => group(closed),
                None => break,
            },
            _ => continue,
        };
        match open.last_mut() {
            Some(around) => around.inner.push(done),
            None => return Ok(done),
        }
    }
    Err((1, "the template is empty".to_owned()))
}

fn group(open: Open) -> Node {
    let Open { line, tag, is_list, inner } = open;
    if is_list {
        return tagged(tag, Node { line, value: Value::List(inner) });
    }
    let mut entries = Vec::new();
    let mut nodes = inner.into_iter();
    while let (Some(key), Some(mut value)) = (nodes.next(), nodes.next()) {
        // What a key says is found at the key.
        value.line = key.line;
        entries.push((key.as_text().unwrap_or_default().to_owned(), value));
    }
    tagged(tag, Node::map(line, entries))
}

fn tagged(tag: Option<String>, node: Node) -> Node {
    let line = node.line;
    match tag.as_deref() {
        None => node,
        Some("Ref") => Node::map(line, vec![("Ref".to_owned(), node)]),
        Some("Condition") => Node::map(line, vec![("Condition".to_owned(), node)]),
        Some(name) => Node::map(line, vec![(format!("Fn::{name}"), node)]),
    }
}

fn short(tag: Option<&Tag>) -> Option<String> {
    tag.filter(|tag| tag.handle == "!").map(|tag| tag.suffix.clone())
}

fn line(span: Span) -> u32 {
    number(span.start.line())
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}
