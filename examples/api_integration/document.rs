//! The OpenAPI document: read from JSON or YAML, from a file or a URL.

use claude_code_aws::connect::config::Config;
use claude_code_aws::{Error, Result, remote};
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use crate::place::Place;

/// The longest document that is read: longer ones are such whose references were replaced by what they lead to.
const MAX_BYTES: usize = 32 << 20;
/// Deeper nesting is no description of an API.
const MAX_DEPTH: usize = 200;
/// What aliases may add to a document, in values: a few lines of them can stand for billions.
const MAX_ALIASED: usize = 1_000_000;

/// Reads the document at a place.
pub(crate) async fn read(place: &Place) -> Result<Value> {
    let text = text(place, MAX_BYTES).await?;
    parse(&text).map_err(|why| Error::invalid(format!("{place} is neither JSON nor YAML: {why}")))
}

/// The text at a place, so many bytes at most.
pub(crate) async fn text(place: &Place, bytes: usize) -> Result<String> {
    let bytes = bytes.min(MAX_BYTES);
    let path = match place {
        Place::Url(url) => return remote::get(url, &Config::from_env()?.network, bytes).await,
        Place::File(path) => path,
    };
    let wrong = |why: String| Error::invalid(format!("cannot read {}: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > bytes as u64 {
        return Err(wrong(format!("it has {length} bytes, {bytes} may be read")));
    }
    let read = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(read).map_err(|_| wrong("it is not UTF-8: save it as UTF-8".to_owned()))
}

/// A part of a reference without its percent escapes.
pub(crate) fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => bytes.extend(format!("%{part}").bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// JSON is YAML, but its own reader is faster and tells more.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
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
    let mut aliased = 0;
    for event in Parser::new_from_str(text) {
        let (event, _) =
            event.map_err(|error| format!("line {}: {}", error.marker().line(), error.info()))?;
        let (done, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::Alias(name) => {
                let known = anchors.iter().rev().find(|(anchor, _)| *anchor == name);
                aliased += known.map_or(0, |(_, value)| size(value));
                if aliased > MAX_ALIASED {
                    return Err("its aliases stand for too much".to_owned());
                }
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
    let (mut entries, mut merged) = (Map::new(), Vec::new());
    let mut values = open.inner.into_iter();
    while let (Some(key), Some(value)) = (values.next(), values.next()) {
        // Numbers are keys too: `200:` is a status.
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        if key == "<<" { merged.push(value) } else { drop(entries.insert(key, value)) }
    }
    // What a mapping says itself stands before what it merges.
    for value in merged {
        let parts = if let Value::Array(parts) = value { parts } else { vec![value] };
        for (key, value) in parts
            .into_iter()
            .filter_map(|part| if let Value::Object(part) = part { Some(part) } else { None })
            .flatten()
        {
            entries.entry(key).or_insert(value);
        }
    }
    Value::Object(entries)
}

/// How many values a value is.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 1,
        Value::Object(entries) => entries.values().map(size).sum::<usize>() + 1,
        _ => 1,
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn percent_escapes_are_read_and_what_is_none_stays() {
        assert_eq!(decoded("/paths/~1a~1%7Bid%7D"), "/paths/~1a~1{id}");
        assert_eq!(decoded("100%/%zz%c3%bc"), "100%/%zzü");
    }

    #[test]
    fn aliases_and_merged_mappings_are_what_they_stand_for() {
        let text = "base: &b { type: string, maxLength: 3 }\nother: { <<: *b, maxLength: 5 }\nsame: *b\n";
        let read = parse(text).unwrap();
        assert_eq!(read["other"], json!({ "type": "string", "maxLength": 5 }));
        assert_eq!(read["same"], json!({ "type": "string", "maxLength": 3 }));
    }

    #[test]
    fn aliases_that_stand_for_billions_are_refused() {
        let mut text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for at in 1..10 {
            let alias = format!("*a{}", at - 1);
            text.push_str(&format!("a{at}: &a{at} [{}]\n", vec![alias; 10].join(", ")));
        }
        assert_eq!(parse(&text).unwrap_err(), "its aliases stand for too much");
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert_eq!(parse("\u{feff}{\"a\": 1}").unwrap(), json!({ "a": 1 }));
        assert_eq!(parse("\u{feff}a: 1").unwrap(), json!({ "a": 1 }));
    }
}
