//! The OpenAPI document: read from JSON or YAML, from a file or a URL.

use std::path::Path;

use claude_code_aws::connect::config::Config;
use claude_code_aws::{Error, Result, remote};
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// The longest document that is read: larger ones than any public one.
const MAX_BYTES: usize = 32 << 20;
/// Deeper nesting is no description of an API.
const MAX_DEPTH: usize = 200;

/// Reads the document at a path or URL.
pub(crate) async fn read(place: &str) -> Result<Value> {
    let text = match place.starts_with("http://") || place.starts_with("https://") {
        true => remote::get(place, &Config::from_env()?.network, MAX_BYTES).await?,
        false => file(Path::new(place))?,
    };
    parse(&text).map_err(|why| Error::invalid(format!("{place} is neither JSON nor YAML: {why}")))
}

fn file(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::invalid(format!("cannot read {}: {error}", path.display())))
}

/// JSON is YAML, but its own reader is faster and tells more.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    yaml(text)
}

/// A list or a mapping under way; of a mapping keys and values in turn.
struct Open {
    is_list: bool,
    inner: Vec<Value>,
}

fn yaml(text: &str) -> Result<Value, String> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: Vec<(usize, Value)> = Vec::new();
    let mut names: Vec<usize> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) =
            event.map_err(|error| format!("line {}: {}", error.marker().line(), error.info()))?;
        let (done, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::Alias(name) => {
                let known = anchors.iter().rev().find(|(anchor, _)| *anchor == name);
                (known.map_or(Value::Null, |(_, value)| value.clone()), 0)
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() > MAX_DEPTH => {
                return Err("it is nested too deep".to_owned());
            }
            Event::SequenceStart(anchor, _) => {
                open.push(Open { is_list: true, inner: Vec::new() });
                names.push(anchor);
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(Open { is_list: false, inner: Vec::new() });
                names.push(anchor);
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match (open.pop(), names.pop()) {
                (Some(closed), Some(anchor)) => (group(closed), anchor),
                _ => break,
            },
            _ => continue,
        };
        if anchor > 0 {
            anchors.push((anchor, done.clone()));
        }
        match open.last_mut() {
            Some(around) => around.inner.push(done),
            None => return Ok(done),
        }
    }
    Err("it is empty".to_owned())
}

fn group(open: Open) -> Value {
    if open.is_list {
        return Value::Array(open.inner);
    }
    let mut entries = Map::new();
    let mut values = open.inner.into_iter();
    while let (Some(key), Some(value)) = (values.next(), values.next()) {
        // Numbers are keys too: `200:` is a status.
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        entries.insert(key, value);
    }
    Value::Object(entries)
}

/// A scalar by YAML's core schema.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => {
            let whole = text.parse::<i64>().ok().map(Number::from);
            let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
            let broken = || text.parse::<f64>().ok().filter(|_| is_number).and_then(Number::from_f64);
            whole.or_else(broken).map_or_else(|| Value::String(text.to_owned()), Value::Number)
        }
    }
}
