//! References to other documents: read where that is allowed, and put among the components of this one, so that from then
//! on every reference leads to a component.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use claude_code_aws::Result;
use serde_json::{Map, Value, json};

use crate::document;
use crate::place::{Allowed, Place};

/// More documents than any API is split into.
const MAX_DOCUMENTS: usize = 500;
/// What is read of all of them together.
const MAX_BYTES: usize = 64 << 20;
/// A path that leads to a path that leads …
const MAX_STEPS: usize = 20;

/// Puts what other documents hold into this one, and lists what was read and what was not.
pub(crate) async fn bundle(whole: &mut Value, place: &Place, allowed: &Allowed) -> Result<Vec<String>> {
    let (documents, refused) = gather(whole, place, allowed).await;
    let mut bundle = Bundle::new(place, whole, documents, refused);
    let mut document = std::mem::take(whole);
    bundle.rewrite(&mut document, place, Kind::Other);
    while let Some((kind, name, mut value, from)) = bundle.waiting.pop_front() {
        bundle.rewrite(&mut value, &from, Kind::of_components(&kind));
        if !document["components"][&kind].is_object() {
            document["components"][&kind] = json!({});
        }
        document["components"][&kind][name] = value;
    }
    *whole = document;
    Ok(bundle.told())
}

/// Every document that this one leads to and that may be read; of the others why they were not.
async fn gather(
    whole: &Value,
    place: &Place,
    allowed: &Allowed,
) -> (HashMap<Place, Value>, HashMap<Place, String>) {
    let (mut documents, mut refused) = (HashMap::new(), HashMap::new());
    let mut left = MAX_BYTES;
    let mut waiting = others(whole, place);
    while let Some(next) = waiting.pop_front() {
        if next == *place || documents.contains_key(&next) || refused.contains_key(&next) {
            continue;
        }
        let read = match allowed.refusal(&next) {
            Some(why) => Err(why),
            None if documents.len() == MAX_DOCUMENTS => Err(format!("{MAX_DOCUMENTS} documents are enough")),
            None => document::text(&next, left).await.map_err(|error| error.message().to_owned()),
        };
        match read.and_then(|text| {
            left = left.saturating_sub(text.len());
            document::parse(&text)
        }) {
            Ok(read) => {
                waiting.extend(others(&read, &next));
                documents.insert(next, read);
            }
            Err(why) => drop(refused.insert(next, why)),
        }
    }
    (documents, refused)
}

/// The other documents that a document refers to.
fn others(value: &Value, base: &Place) -> VecDeque<Place> {
    let mut found = VecDeque::new();
    each_reference(value, &mut |reference| {
        let file = reference.split('#').next().unwrap_or_default();
        if !file.is_empty() {
            found.push_back(base.join(file));
        }
    });
    found
}

fn each_reference(value: &Value, seen: &mut impl FnMut(&str)) {
    match value {
        Value::Object(entries) => {
            if let Some(reference) = entries.get("$ref").and_then(Value::as_str) {
                seen(reference);
            }
            if let Some(mapping) = entries.get("discriminator").and_then(|by| by["mapping"].as_object()) {
                mapping
                    .values()
                    .filter_map(Value::as_str)
                    .filter(|name| is_reference(name))
                    .for_each(&mut *seen);
            }
            let inner = entries.iter().filter(|(key, _)| *key != "example" && !key.starts_with("x-"));
            inner.for_each(|(_, value)| each_reference(value, seen));
        }
        Value::Array(items) => items.iter().for_each(|item| each_reference(item, seen)),
        _ => {}
    }
}

/// Whether a discriminator's value is a reference, and no name of a schema.
fn is_reference(name: &str) -> bool {
    name.contains(['#', '/']) || name.contains(".y") || name.ends_with(".json")
}

/// What stands somewhere in a document, as `components` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Schema,
    /// Schemas by name: each key is one.
    Schemas,
    Named(&'static str),
    /// A path or all of them: their references are replaced by what they lead to.
    Path,
    Other,
}

const NAMED: [(&str, &str); 8] = [
    ("parameters", "parameters"),
    ("responses", "responses"),
    ("requestBody", "requestBodies"),
    ("requestBodies", "requestBodies"),
    ("headers", "headers"),
    ("examples", "examples"),
    ("links", "links"),
    ("callbacks", "callbacks"),
];

impl Kind {
    fn of_components(name: &str) -> Self {
        match name {
            "schemas" => Kind::Schema,
            "pathItems" => Kind::Other,
            _ => NAMED
                .iter()
                .find(|(_, kind)| *kind == name)
                .map_or(Kind::Other, |(_, kind)| Kind::Named(kind)),
        }
    }

    /// What stands at a key of this.
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Kind::Schema, "properties" | "patternProperties" | "$defs" | "definitions") => Kind::Schemas,
            (Kind::Schema | Kind::Schemas, _) | (_, "schema") => Kind::Schema,
            (_, "schemas" | "definitions") => Kind::Schemas,
            (_, "paths" | "webhooks") => Kind::Path,
            _ => NAMED.iter().find(|(name, _)| *name == key).map_or(
                // The items of a list, the responses of a mapping.
                if matches!(self, Kind::Named(_)) { self } else { Kind::Other },
                |(_, kind)| Kind::Named(kind),
            ),
        }
    }

    /// Whether a value is an example: a `$ref` in one is data.
    fn is_data(self, key: &str) -> bool {
        match self {
            Kind::Schemas => false,
            Kind::Schema if matches!(key, "default" | "const" | "enum" | "examples") => true,
            Kind::Named("examples") if key == "value" => true,
            _ => key == "example" || key.starts_with("x-"),
        }
    }

    fn components(self) -> &'static str {
        if let Kind::Named(name) = self { name } else { "schemas" }
    }
}

/// A document under way.
struct Bundle<'r> {
    root: &'r Place,
    /// The document as it was, for references into its midst.
    whole: Value,
    documents: HashMap<Place, Value>,
    refused: HashMap<Place, String>,
    /// Where what a place and pointer lead to lies now.
    names: HashMap<(Place, String), String>,
    /// References to what was put among the components.
    made: HashSet<String>,
    taken: HashMap<String, usize>,
    /// Components that are still as they were: kind, name, value, and where they come from.
    waiting: VecDeque<(String, String, Value, Place)>,
    read: BTreeMap<String, usize>,
    dead: BTreeMap<String, String>,
}

impl<'r> Bundle<'r> {
    fn new(
        root: &'r Place,
        whole: &Value,
        documents: HashMap<Place, Value>,
        refused: HashMap<Place, String>,
    ) -> Self {
        let mut taken = HashMap::new();
        for (kind, entries) in whole["components"].as_object().into_iter().flatten() {
            let names = entries.as_object().into_iter().flatten();
            taken.extend(names.map(|(name, _)| (format!("{kind}/{name}"), 1)));
        }
        Bundle {
            root,
            whole: whole.clone(),
            documents,
            refused,
            names: HashMap::new(),
            made: HashSet::new(),
            taken,
            waiting: VecDeque::new(),
            read: BTreeMap::new(),
            dead: BTreeMap::new(),
        }
    }

    fn rewrite(&mut self, value: &mut Value, base: &Place, kind: Kind) {
        match value {
            _ if kind == Kind::Path => self.paths(value, base),
            Value::Object(entries) => {
                if let Some(reference) = entries.get("$ref").and_then(Value::as_str).map(str::to_owned) {
                    match self.target(&reference, base, kind) {
                        Ok(target) => drop(entries.insert("$ref".to_owned(), target.into())),
                        Err(why) => {
                            entries.remove("$ref");
                            entries.insert("description".to_owned(), format!("{reference} {why}").into());
                            self.dead.insert(reference, why);
                        }
                    }
                }
                if kind == Kind::Schema
                    && let Some(Value::Object(mapping)) =
                        entries.get_mut("discriminator").and_then(|by| by.get_mut("mapping"))
                {
                    self.mapped(mapping, base);
                }
                for (key, inner) in entries.iter_mut().filter(|(key, _)| !kind.is_data(key)) {
                    self.rewrite(inner, base, kind.below(key));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rewrite(item, base, kind)),
            _ => {}
        }
    }

    /// The values of a discriminator: names of schemas, or references to them.
    fn mapped(&mut self, mapping: &mut Map<String, Value>, base: &Place) {
        for value in mapping.values_mut() {
            let Some(name) = value.as_str().map(str::to_owned) else { continue };
            if let Some(Ok(target)) = is_reference(&name).then(|| self.target(&name, base, Kind::Schema)) {
                *value = target.into();
            }
        }
    }

    /// All paths, each where it belongs.
    fn paths(&mut self, paths: &mut Value, base: &Place) {
        let from = self.inline(paths, base);
        for (_, item) in paths.as_object_mut().into_iter().flatten() {
            let at = self.inline(item, &from);
            self.rewrite(item, &at, Kind::Other);
        }
    }

    /// Replaces a reference by what it leads to, and says where that lies.
    fn inline(&mut self, value: &mut Value, base: &Place) -> Place {
        let mut from = base.clone();
        for _ in 0..MAX_STEPS {
            let Some(reference) = value.get("$ref").and_then(Value::as_str).map(str::to_owned) else { break };
            let (place, pointer) = self.split(&reference, &from);
            let Some(found) = self.find(&place, &pointer).cloned() else { break };
            self.count(&place);
            (*value, from) = (found, place);
        }
        from
    }

    fn split(&self, reference: &str, base: &Place) -> (Place, String) {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let place = if file.is_empty() { base.clone() } else { base.join(file) };
        (place, document::decoded(pointer))
    }

    fn find(&self, place: &Place, pointer: &str) -> Option<&Value> {
        let document = if place == self.root { Some(&self.whole) } else { self.documents.get(place) };
        document?.pointer(pointer)
    }

    fn count(&mut self, place: &Place) {
        if place != self.root {
            *self.read.entry(place.to_string()).or_default() += 1;
        }
    }

    /// The component that a reference leads to; Err: why it leads nowhere.
    fn target(&mut self, reference: &str, base: &Place, kind: Kind) -> Result<String, String> {
        if base == self.root && self.made.contains(reference) {
            return Ok(reference.to_owned());
        }
        let (place, pointer) = self.split(reference, base);
        if let Some(why) = self.refused.get(&place) {
            return Err(format!("is in another document, which was not read: {why}"));
        }
        let Some(value) = self.find(&place, &pointer).cloned() else {
            return Err("leads nowhere".to_owned());
        };
        let parts: Vec<&str> = pointer.split('/').skip(1).collect();
        if place == *self.root && parts.len() == 3 && parts[0] == "components" {
            return Ok(format!("#{pointer}"));
        }
        if let Some(known) = self.names.get(&(place.clone(), pointer.clone())) {
            return Ok(known.clone());
        }
        let kind = match parts.as_slice() {
            ["components", kind, _] => (*kind).to_owned(),
            _ => kind.components().to_owned(),
        };
        let name = self.free(&kind, &name(&parts, &place));
        let target = format!("#/components/{kind}/{name}");
        self.count(&place);
        self.names.insert((place.clone(), pointer), target.clone());
        self.made.insert(target.clone());
        self.waiting.push_back((kind, name, value, place));
        Ok(target)
    }

    /// A name that no component has.
    fn free(&mut self, kind: &str, name: &str) -> String {
        let mut free = name.to_owned();
        while let Some(count) = self.taken.get_mut(&format!("{kind}/{free}")) {
            *count += 1;
            free = format!("{name}_{count}");
        }
        self.taken.insert(format!("{kind}/{free}"), 1);
        free
    }

    fn told(self) -> Vec<String> {
        let read =
            self.read.into_iter().map(|(place, count)| format!("read      {place}: {count} parts of it"));
        let dead = self.dead.into_iter();
        let dead = dead
            .map(|(reference, why)| format!("repaired  $ref {reference}: {why}; anything is allowed there"));
        read.chain(dead).collect()
    }
}

/// `Task`, `Task_id`, `parameters_0`, or the name of the file.
fn name(parts: &[&str], place: &Place) -> String {
    let name = match parts {
        [] => place.stem(),
        ["components", _, name, .., last] => format!("{name}_{last}"),
        [.., before, last] if last.parse::<u32>().is_ok() => format!("{before}_{last}"),
        [.., last] => (*last).to_owned(),
    };
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    if plain.is_empty() { "part".to_owned() } else { plain }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "external_tests.rs"]
mod tests;
