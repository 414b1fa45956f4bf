//! JSON: one value, or in an unnamed block several one after another.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::jsonc;
#[cfg(feature = "syntax")]
use super::{Verdict, script};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::source::Source;

/// A syntax error, or keys that occur twice in an object. Numbers of any size, halves of surrogate pairs and any depth
/// are JSON: the reader that passes over values does not recurse.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    if source.text.trim().is_empty() {
        return Vec::new();
    }
    if source.name().ends_with(".json5") || source.name().ends_with(".json5.json") {
        return json5(source);
    }
    let is_loose = source.path.is_none() || jsonc::is_read_so(source);
    let text = if is_loose { jsonc::plain(&source.text) } else { source.text.as_ref().into() };
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<IgnoredAny>();
    let several = source.path.is_none() || is_lines(source);
    let wrong = match values.next() {
        None => return Vec::new(),
        Some(Err(error)) => Some(error),
        Some(Ok(_)) if several => values.find_map(Result::err),
        Some(Ok(_)) => serde_json::from_str::<IgnoredAny>(&text).err(),
    };
    if let Some(error) = wrong {
        // A block without a name may be the value of a settings file in JSON5's manner.
        if source.path.is_none() && json5(source).is_empty() {
            return Vec::new();
        }
        let mut found = places(source, &text);
        found.insert(0, source.on(error.line(), error.column(), Severity::Error, sentence(&error)));
        return found;
    }
    let mut twice = Vec::new();
    let read = Keys { twice: &mut twice }.deserialize(&mut serde_json::Deserializer::from_str(&text));
    let warn = |key: String| {
        let offset = source.text.rfind(&format!("\"{key}\"")).unwrap_or(0);
        source.warning(offset, format!("the key `{key}` occurs twice in one object; the last one wins"))
    };
    read.map_or_else(|_| Vec::new(), |()| twice.into_iter().map(warn).collect())
}

/// One value a line.
fn is_lines(source: &Source) -> bool {
    [".jsonl", ".ndjson", ".jsonlines"].iter().any(|ending| source.name().ends_with(ending))
}

#[cfg(not(feature = "syntax"))]
fn places(_: &Source, _: &str) -> Vec<Diagnostic> {
    Vec::new()
}

/// Where quotes and brackets of a broken text show that it is broken.
#[cfg(feature = "syntax")]
fn places(source: &Source, text: &str) -> Vec<Diagnostic> {
    use super::brackets;
    let places = brackets::places("json", text, &brackets::of_text("json", text));
    places.into_iter().map(|fault| source.error(fault.at, fault.message)).collect()
}

#[cfg(not(feature = "syntax"))]
fn json5(_: &Source) -> Vec<Diagnostic> {
    Vec::new()
}

/// JSON5 is an expression of JavaScript.
#[cfg(feature = "syntax")]
fn json5(source: &Source) -> Vec<Diagnostic> {
    let expression = format!("({}\n)", source.text);
    match script::expression(&expression) {
        Verdict::Faulty(faults) => {
            faults.into_iter().map(|fault| source.error(fault.at.saturating_sub(1), fault.message)).collect()
        }
        Verdict::Sound | Verdict::Unknown => Vec::new(),
    }
}

/// serde_json's sentence without its place, which the diagnostic has.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((sentence, _)) => sentence.to_owned(),
        None => text,
    }
}

/// Reads a value and keeps nothing but keys that came twice.
struct Keys<'k> {
    twice: &'k mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Keys { twice: self.twice })?;
            if let Some(key) = seen.replace(key) {
                self.twice.push(key);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Keys { twice: self.twice })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
