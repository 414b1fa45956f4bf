//! The part of a document that is needed: chosen operations with the components that they lead to, within a budget of
//! tokens.

use std::collections::BTreeSet;

use claude_code_aws::model::token_estimate::estimate_tokens;
use claude_code_aws::{Error, Result};
use serde_json::{Map, Value, json};

use crate::document::decoded;
use crate::repair::METHODS;

/// Descriptions beyond this say more than a client needs.
const MAX_WORDS: usize = 240;

/// Which operations are wanted; nothing chosen means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub(crate) tags: Vec<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) operations: Vec<String>,
}

impl Choice {
    fn takes(&self, path: &str, operation: &Value) -> bool {
        if self.tags.is_empty() && self.paths.is_empty() && self.operations.is_empty() {
            return true;
        }
        let tags = operation["tags"].as_array().map_or(&[][..], Vec::as_slice);
        let is_tagged = tags.iter().any(|tag| self.tags.iter().any(|wanted| tag == wanted));
        let is_below =
            self.paths.iter().any(|wanted| path == wanted || path.starts_with(&format!("{wanted}/")));
        is_tagged || is_below || self.operations.iter().any(|wanted| operation["operationId"] == **wanted)
    }
}

/// What is left of a document.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) document: Value,
    /// The operations that are in.
    pub(crate) operations: Vec<String>,
    /// A line for each operation: in or out, and what it costs.
    pub(crate) lines: Vec<String>,
}

/// Cuts a document to the chosen operations, as many as fit. Fails if none is chosen, or if not even one fits.
pub(crate) fn cut(whole: &Value, choice: &Choice, tokens: u64) -> Result<Cut> {
    let mut document = head(whole);
    let (mut operations, mut lines) = (Vec::new(), Vec::new());
    let (mut size, mut taken) = (estimate_tokens(&document.to_string()), BTreeSet::new());
    for (path, method, operation) in chosen(whole, choice) {
        let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let parts = parts(whole, path, method, operation, &taken);
        // Each with what is around it: the whole is never more than its parts.
        let more: u64 =
            parts.iter().map(|(at, part)| estimate_tokens(&format!("\"{at}\":{{{part}}},"))).sum();
        let place = format!("{} {path}  {name}", method.to_ascii_uppercase());
        if size + more > tokens {
            lines.push(format!("out  {place}  ({more} tokens, {} are left)", tokens.saturating_sub(size)));
            continue;
        }
        lines.push(format!("in   {place}  {more} tokens"));
        for (at, part) in parts {
            put(&mut document, &at, part);
            taken.insert(at);
        }
        size += more;
        operations.push(name);
    }
    lines.push(format!("{} operations in, about {size} of {tokens} tokens", operations.len()));
    match (operations.is_empty(), lines.len()) {
        (false, _) => Ok(Cut { document, operations, lines }),
        (true, 1) => Err(Error::invalid("no operation is chosen: look at --tag, --path and --operation")),
        (true, _) => {
            Err(Error::invalid(format!("not one operation fits into {tokens} tokens: raise --context")))
        }
    }
}

fn head(whole: &Value) -> Value {
    let info = json!({ "title": whole["info"]["title"], "version": whole["info"]["version"] });
    let mut head = json!({ "openapi": whole["openapi"], "info": info, "paths": {} });
    for key in ["servers", "security"] {
        if let Some(value) = whole.get(key) {
            head[key] = value.clone();
        }
    }
    if let Some(schemes) = whole.pointer("/components/securitySchemes") {
        head["components"]["securitySchemes"] = schemes.clone();
    }
    slim(&mut head);
    head
}

fn chosen<'d>(whole: &'d Value, choice: &Choice) -> Vec<(&'d str, &'static str, &'d Value)> {
    let paths = whole["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        METHODS.iter().filter_map(move |method| Some((path.as_str(), *method, item.get(*method)?)))
    });
    operations.filter(|(path, _, operation)| choice.takes(path, operation)).collect()
}

/// An operation and everything that it leads to, but what is taken already: pointers and values.
fn parts(
    whole: &Value,
    path: &str,
    method: &str,
    operation: &Value,
    taken: &BTreeSet<String>,
) -> Vec<(String, Value)> {
    let mut operation = operation.clone();
    let shared = whole["paths"][path].get("parameters").and_then(Value::as_array);
    if let (Some(shared), Some(entries)) = (shared, operation.as_object_mut()) {
        let own = entries.entry("parameters").or_insert_with(|| json!([]));
        if let Some(own) = own.as_array_mut() {
            let is_new = |new: &&Value| {
                !own.iter().any(|known| known["name"] == new["name"] && known["in"] == new["in"])
            };
            let more: Vec<Value> = shared.iter().filter(is_new).cloned().collect();
            own.extend(more);
        }
    }
    slim(&mut operation);
    let (mut needed, mut done) = (BTreeSet::new(), BTreeSet::new());
    references(&operation, &mut needed);
    let mut parts =
        vec![(format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1")), operation)];
    while let Some(reference) = needed.pop_first() {
        if taken.contains(&reference) || !done.insert(reference.clone()) {
            continue;
        }
        let Some(mut target) = whole.pointer(&reference).cloned() else { continue };
        slim(&mut target);
        references(&target, &mut needed);
        parts.push((reference, target));
    }
    parts
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            if let Some(reference) = entries.get("$ref").and_then(Value::as_str) {
                found.extend(reference.strip_prefix('#').map(decoded));
            }
            if let Some(mapping) = entries.get("discriminator").and_then(|by| by["mapping"].as_object()) {
                found.extend(mapping.values().filter_map(|target| schema_of(target.as_str()?)));
            }
            entries.values().for_each(|entry| references(entry, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// The pointer of what a discriminator names: a schema's name, or a reference to it.
fn schema_of(target: &str) -> Option<String> {
    match target.strip_prefix('#') {
        Some(pointer) => Some(decoded(pointer)),
        None => (!target.contains('/')).then(|| format!("/components/schemas/{target}")),
    }
}

/// Puts a value at a pointer, with the mappings on the way.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let mut place = document;
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[key];
    }
    *place = value;
}

/// Takes out what a client does not need: examples, extensions, long descriptions.
fn slim(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.retain(|key, _| {
                !key.starts_with("x-") && !matches!(key.as_str(), "examples" | "example" | "externalDocs")
            });
            if let Some(Value::String(text)) = entries.get_mut("description")
                && text.chars().count() > MAX_WORDS
            {
                *text = text.chars().take(MAX_WORDS).chain(['…']).collect();
            }
            for (key, value) in entries {
                match value {
                    // A property may be called `example`, a header `x-total`: these keys are names.
                    Value::Object(named) if matches!(key.as_str(), "properties" | "headers") => {
                        named.values_mut().for_each(slim);
                    }
                    value => slim(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(slim),
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{document, repair};

    fn tasks() -> (Value, Vec<String>) {
        let mut whole = document::parse(include_str!("specs/tasks.yaml")).unwrap();
        let repairs = repair::repair(&mut whole).unwrap();
        (whole, repairs)
    }

    #[test]
    fn what_is_messy_is_repaired_and_listed() {
        let (whole, repairs) = tasks();
        let told = repairs.join("\n");
        assert!(told.contains("POST /tasks: its operationId is missing; it is postTasks here"), "{told}");
        assert!(told.contains("DELETE /tasks/{id}: the parameter id of the path is not declared"), "{told}");
        assert!(told.contains("$ref #/components/responses/Gone: leads nowhere"), "{told}");
        assert!(told.contains("nullable: 3 schemas"), "{told}");
        assert_eq!(whole["openapi"], "3.1.0", "it is written as 3.1 from then on");
        assert_eq!(
            whole["components"]["schemas"]["Task"]["properties"]["due"]["type"],
            json!(["string", "null"])
        );
    }

    #[test]
    fn only_what_the_chosen_operations_lead_to_is_kept() {
        let (whole, _) = tasks();
        let choice = Choice { tags: vec!["tasks".to_owned()], ..Choice::default() };
        let cut = cut(&whole, &choice, 10_000).unwrap();
        assert_eq!(cut.operations, ["listTasks", "postTasks"]);
        let mut schemas: Vec<&String> =
            cut.document["components"]["schemas"].as_object().unwrap().keys().collect();
        schemas.sort();
        assert_eq!(schemas, ["NewTask", "Problem", "Task", "TaskPage"]);
        assert!(cut.document["paths"].get("/tasks/{id}").is_none());
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_listed() {
        let (whole, _) = tasks();
        let all = cut(&whole, &Choice::default(), 10_000).unwrap();
        let size = estimate_tokens(&all.document.to_string());
        let less = cut(&whole, &Choice::default(), size - 20).unwrap();
        assert!(less.operations.len() < all.operations.len());
        assert!(less.lines.iter().any(|line| line.starts_with("out  ")), "{:?}", less.lines);
        assert!(estimate_tokens(&less.document.to_string()) <= size - 20);
    }

    #[test]
    fn nothing_chosen_and_nothing_that_fits_are_errors() {
        let (whole, _) = tasks();
        let choice = Choice { tags: vec!["none".to_owned()], ..Choice::default() };
        assert!(cut(&whole, &choice, 10_000).unwrap_err().message().contains("no operation is chosen"));
        assert!(cut(&whole, &Choice::default(), 10).unwrap_err().message().contains("raise --context"));
    }
}
