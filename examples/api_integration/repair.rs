//! Repairs of messy documents: what is missing is added, what leads nowhere is taken out, and each repair is listed.

use std::collections::HashSet;

use claude_code_aws::{Error, Result};
use serde_json::{Map, Value, json};

/// The methods of a path.
pub(crate) const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

/// Repairs a document and lists what was repaired. Fails for what is no OpenAPI 3.0 or 3.1.
pub(crate) fn repair(document: &mut Value) -> Result<Vec<String>> {
    let version = match &document["openapi"] {
        Value::String(version) => version.clone(),
        Value::Number(number) => number.to_string(),
        _ if document["swagger"].is_string() => {
            return Err(Error::invalid(
                "it is Swagger 2.0: convert it first, for example with swagger2openapi",
            ));
        }
        _ => return Err(Error::invalid("it has no `openapi` version: is it an OpenAPI document?")),
    };
    if !version.starts_with("3.0") && !version.starts_with("3.1") {
        return Err(Error::invalid(format!("it is OpenAPI {version}: 3.0 and 3.1 are read")));
    }
    let mut repairs = Vec::new();
    if !document["openapi"].is_string() {
        document["openapi"] = version.into();
        repairs.push("openapi: the version is a text".to_owned());
    }
    if !document["info"]["title"].is_string() {
        document["info"] = json!({ "title": "API", "version": "0" });
        repairs.push("info: a title was missing".to_owned());
    }
    if !document["paths"].is_object() {
        return Err(Error::invalid("it has no paths: there is nothing to call"));
    }
    dead_references(document, &mut repairs);
    nullable(document, &mut repairs);
    operations(document, &mut repairs);
    Ok(repairs)
}

/// References that lead nowhere become schemas that allow everything.
fn dead_references(document: &mut Value, repairs: &mut Vec<String>) {
    let whole = document.clone();
    each(document, &mut |value| {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return };
        let target = reference.strip_prefix('#').and_then(|pointer| whole.pointer(&decoded(pointer)));
        if target.is_none() {
            let why = if reference.starts_with('#') { "leads nowhere" } else { "leads to another document" };
            repairs.push(format!("$ref {reference}: {why}; anything is allowed there"));
            *value = json!({ "description": format!("{reference} {why}") });
        }
    });
}

/// A pointer of a reference without its percent escapes.
fn decoded(pointer: &str) -> String {
    pointer.replace("%7B", "{").replace("%7D", "}").replace("%20", " ")
}

/// `nullable: true` of 3.0 becomes the type `null` of 3.1: one way to say it.
fn nullable(document: &mut Value, repairs: &mut Vec<String>) {
    let mut count = 0;
    each(document, &mut |value| {
        let Some(schema) =
            value.as_object_mut().filter(|schema| schema.get("nullable") == Some(&Value::Bool(true)))
        else {
            return;
        };
        schema.remove("nullable");
        if let Some(kind) = schema.get("type").and_then(Value::as_str).map(str::to_owned) {
            schema.insert("type".to_owned(), json!([kind, "null"]));
        }
        count += 1;
    });
    if count > 0 {
        document["openapi"] = "3.1.0".into();
        repairs.push(format!("nullable: {count} schemas say it as 3.1 does"));
    }
}

fn each(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    change(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| each(entry, change)),
        _ => {}
    }
}

fn operations(document: &mut Value, repairs: &mut Vec<String>) {
    let mut seen = HashSet::new();
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths {
        let Some(item) = item.as_object_mut() else { continue };
        let shared = item.get("parameters").cloned().unwrap_or_else(|| json!([]));
        for method in METHODS {
            let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else { continue };
            let place = format!("{} {path}", method.to_ascii_uppercase());
            identify(operation, method, path, &mut seen, &place, repairs);
            parameters(operation, path, &shared, &place, repairs);
            if !operation.get("responses").is_some_and(Value::is_object) {
                operation
                    .insert("responses".to_owned(), json!({ "default": { "description": "Any answer." } }));
                repairs.push(format!("{place}: it names no response; any is taken"));
            }
        }
    }
}

fn identify(
    operation: &mut Map<String, Value>,
    method: &str,
    path: &str,
    seen: &mut HashSet<String>,
    place: &str,
    repairs: &mut Vec<String>,
) {
    let given = operation.get("operationId").and_then(Value::as_str).map(str::to_owned);
    let mut id = given.clone().unwrap_or_else(|| name(method, path));
    while !seen.insert(id.clone()) {
        id.push('_');
    }
    if given.as_ref() != Some(&id) {
        let why = if given.is_some() { "occurs twice" } else { "is missing" };
        repairs.push(format!("{place}: its operationId {why}; it is {id} here"));
        operation.insert("operationId".to_owned(), id.into());
    }
}

/// `postTasks`, `getTasksById`: a name from method and path.
fn name(method: &str, path: &str) -> String {
    let mut name = method.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let is_parameter = part.starts_with('{');
        name.push_str(if is_parameter { "By" } else { "" });
        let words = part.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        for word in words {
            let mut letters = word.chars();
            name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            name.extend(letters);
        }
    }
    name
}

/// Every parameter of the path is declared, as required.
fn parameters(
    operation: &mut Map<String, Value>,
    path: &str,
    shared: &Value,
    place: &str,
    repairs: &mut Vec<String>,
) {
    let mut declared = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
    let has = |list: &[Value], name: &str| {
        list.iter().any(|parameter| parameter["name"] == name || parameter["$ref"].is_string())
    };
    for part in path.split('{').skip(1) {
        let name = part.split('}').next().unwrap_or_default();
        if has(&declared, name) || has(shared.as_array().map_or(&[], Vec::as_slice), name) {
            continue;
        }
        repairs.push(format!("{place}: the parameter {name} of the path is not declared; it is a text here"));
        declared
            .push(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    }
    if !declared.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(declared));
    }
}
