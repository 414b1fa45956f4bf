//! JSON: one value, or in an unnamed block several one after another.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::source::Source;
use crate::answer::diagnostic::{Diagnostic, Severity};

/// Settings files that allow comments and trailing commas by their readers' rules.
fn allows_comments(source: &Source) -> bool {
    let name = source.name();
    let path = source.path.unwrap_or("");
    ["tsconfig", "jsconfig", ".eslintrc"].iter().any(|prefix| name.starts_with(prefix))
        || path.contains(".vscode/")
        || [".jsonc", ".json5", ".code-workspace"].iter().any(|suffix| name.ends_with(suffix))
}

/// A syntax error, or keys that occur twice in an object.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    if allows_comments(source) || source.is_fragment() || source.text.trim().is_empty() {
        return Vec::new();
    }
    let mut twice = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(&source.text);
    let read = Keys { twice: &mut twice }.deserialize(&mut reader).and_then(|()| reader.end());
    if let Err(error) = read {
        let mut values = serde_json::Deserializer::from_str(&source.text).into_iter::<IgnoredAny>();
        if source.path.is_none() && values.all(|value| value.is_ok()) {
            return Vec::new();
        }
        return vec![source.on(error.line(), error.column(), Severity::Error, sentence(&error))];
    }
    let warn = |key: String| {
        let offset = source.text.rfind(&format!("\"{key}\"")).unwrap_or(0);
        source.warning(offset, format!("the key `{key}` occurs twice in one object; the last one wins"))
    };
    twice.into_iter().map(warn).collect()
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
