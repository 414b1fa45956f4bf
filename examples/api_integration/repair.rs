//! Repairs of messy documents: what is missing is added, what leads nowhere is taken out, and each repair is listed.

use std::collections::{BTreeSet, HashSet};

use claude_code_aws::{Error, Result};
use serde_json::{Map, Value, json};

use crate::document::decoded;
use crate::schemas;

/// What Swagger 2.0 says of a parameter itself and OpenAPI 3 in its schema.
const OF_SCHEMAS: [&str; 10] =
    ["type", "format", "enum", "items", "default", "minimum", "maximum", "minLength", "maxLength", "pattern"];

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
    let mut repairs = Vec::new();
    if version.starts_with("3.2") {
        document["openapi"] = "3.1.0".into();
        repairs.push(format!(
            "openapi: it is {version}; it is read as 3.1, and what is new in it is passed over"
        ));
    } else if !version.starts_with("3.0") && !version.starts_with("3.1") {
        return Err(Error::invalid(format!("it is OpenAPI {version}: 3.0 and 3.1 are read")));
    }
    if !document["openapi"].is_string() {
        document["openapi"] = version.into();
        repairs.push("openapi: the version is a text".to_owned());
    }
    if !document["info"]["title"].is_string() {
        document["info"] = json!({ "title": "API", "version": "0" });
        repairs.push("info: a title was missing".to_owned());
    }
    if document["paths"].as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(Error::invalid("it has no paths: there is nothing to call"));
    }
    dead_references(document, &mut repairs);
    schemas::repair(document, &mut repairs);
    rooted(document, &mut repairs);
    undeclared_security(document, &mut repairs);
    operations(document, &mut repairs);
    Ok(repairs)
}

/// References that lead nowhere, or only to each other, become schemas that allow everything.
fn dead_references(document: &mut Value, repairs: &mut Vec<String>) {
    let whole = document.clone();
    each(document, &mut |value| {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return };
        if let Some(why) = dead(&whole, reference) {
            repairs.push(format!("$ref {reference}: {why}; anything is allowed there"));
            *value = json!({ "description": format!("{reference} {why}") });
        }
    });
}

/// Why a reference leads to nothing.
fn dead(whole: &Value, reference: &str) -> Option<&'static str> {
    let mut seen = HashSet::new();
    let mut next = reference.to_owned();
    loop {
        let Some(pointer) = next.strip_prefix('#') else { return Some("leads to another document") };
        let Some(target) = whole.pointer(&decoded(pointer)) else { return Some("leads nowhere") };
        if !seen.insert(next.clone()) {
            return Some("leads only to itself");
        }
        next = target.get("$ref")?.as_str()?.to_owned();
    }
}

/// Every path begins with a slash.
fn rooted(document: &mut Value, repairs: &mut Vec<String>) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let is_path = |path: &String| !path.starts_with(['/', 'x']);
    for path in paths.keys().filter(|path| is_path(path)).cloned().collect::<Vec<_>>() {
        if let Some(item) = paths.remove(&path) {
            repairs.push(format!("path {path}: it is /{path} here"));
            paths.insert(format!("/{path}"), item);
        }
    }
}

/// Security that names no scheme is left out.
fn undeclared_security(document: &mut Value, repairs: &mut Vec<String>) {
    let schemes = document["components"]["securitySchemes"].as_object().cloned().unwrap_or_default();
    let mut gone = BTreeSet::new();
    let mut clean = |holder: &mut Value| {
        let Some(needed) = holder.get_mut("security").and_then(Value::as_array_mut) else { return };
        needed.retain(|need| {
            let unknown =
                need.as_object().into_iter().flatten().find(|(name, _)| !schemes.contains_key(*name));
            gone.extend(unknown.map(|(name, _)| name.clone()));
            unknown.is_none()
        });
    };
    clean(document);
    for item in document["paths"].as_object_mut().into_iter().flatten().map(|(_, item)| item) {
        for method in METHODS {
            item.get_mut(method).into_iter().for_each(&mut clean);
        }
    }
    repairs.extend(
        gone.iter().map(|name| format!("security {name}: no such scheme is declared; it is left out")),
    );
}

/// Looks at every value that is no example; those within are looked at after what they are in.
pub(crate) fn each(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    change(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        Value::Object(entries) => {
            for (key, entry) in entries.iter_mut() {
                match (key.as_str(), entry) {
                    // The keys are names here: a member may be called `type`, `nullable` or `example`.
                    ("properties", Value::Object(members)) => {
                        members.values_mut().for_each(|member| each(member, change));
                    }
                    ("example" | "examples", _) => {}
                    (_, entry) => each(entry, change),
                }
            }
        }
        _ => {}
    }
}

fn operations(document: &mut Value, repairs: &mut Vec<String>) {
    let mut seen = HashSet::new();
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths {
        let Some(item) = item.as_object_mut() else { continue };
        if let Some(Value::Array(shared)) = item.get_mut("parameters") {
            mend(shared, path, repairs);
        }
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
    mend(&mut declared, place, repairs);
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
    if operation.contains_key("parameters") || !declared.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(declared));
    }
}

/// Parameters each once, with a name, a place and a schema.
fn mend(declared: &mut Vec<Value>, place: &str, repairs: &mut Vec<String>) {
    let mut seen = HashSet::new();
    declared.retain(|parameter| {
        let (name, kind) = (&parameter["name"], &parameter["in"]);
        if parameter["$ref"].is_string() {
            return true;
        }
        let why = match (name.as_str(), kind.as_str()) {
            (Some(name), Some(kind)) if seen.insert((name.to_owned(), kind.to_owned())) => return true,
            (Some(name), Some(_)) => format!("the parameter {name} is declared twice; the first one counts"),
            (Some(name), None) => format!("the parameter {name} is in no place; it is left out"),
            _ => "a parameter has no name; it is left out".to_owned(),
        };
        repairs.push(format!("{place}: {why}"));
        false
    });
    for parameter in declared.iter_mut().filter_map(Value::as_object_mut) {
        let Some(name) = parameter.get("name").and_then(Value::as_str).map(str::to_owned) else { continue };
        if parameter["in"] == "path" && parameter.get("required") != Some(&Value::Bool(true)) {
            parameter.insert("required".to_owned(), true.into());
            repairs.push(format!("{place}: the parameter {name} of the path is required"));
        }
        if parameter["in"] == "path"
            && let Some(Value::Array(kinds)) =
                parameter.get_mut("schema").and_then(|schema| schema.get_mut("type"))
            && kinds.contains(&json!("null"))
        {
            kinds.retain(|kind| kind != "null");
            repairs.push(format!("{place}: the parameter {name} of the path is never null"));
        }
        if !parameter.contains_key("schema") && !parameter.contains_key("content") {
            let outer: Vec<String> =
                parameter.keys().filter(|key| OF_SCHEMAS.contains(&key.as_str())).cloned().collect();
            let inner: Map<String, Value> =
                outer.iter().filter_map(|key| Some((key.clone(), parameter.remove(key)?))).collect();
            let schema = if inner.is_empty() { json!({ "type": "string" }) } else { Value::Object(inner) };
            parameter.insert("schema".to_owned(), schema);
            repairs.push(format!("{place}: the parameter {name} has no schema; what it says itself is one"));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn repaired(mut document: Value) -> (Value, String) {
        let repairs = repair(&mut document).unwrap();
        (document, repairs.join("\n"))
    }

    #[test]
    fn parameters_are_each_once_with_a_name_a_place_and_a_schema() {
        let parameters = json!([
            { "name": "id", "in": "path", "type": "integer", "format": "int64" },
            { "name": "no", "in": "path", "required": true, "schema": { "type": "integer", "nullable": true } },
            { "name": "q", "in": "query" },
            { "name": "q", "in": "query", "schema": { "type": "integer" } },
            { "name": "lost" },
            { "description": "nothing" },
        ]);
        let get = json!({ "operationId": "one", "parameters": parameters, "responses": {} });
        let (document, told) = repaired(
            json!({ "openapi": "3.0.3", "info": { "title": "a" }, "paths": { "/a/{id}/{no}/{no}": { "get": get } } }),
        );
        let wanted = json!([
            { "name": "id", "in": "path", "required": true, "schema": { "type": "integer", "format": "int64" } },
            { "name": "no", "in": "path", "required": true, "schema": { "type": ["integer"] } },
            { "name": "q", "in": "query", "schema": { "type": "string" } },
        ]);
        assert_eq!(document["paths"]["/a/{id}/{no}/{no}"]["get"]["parameters"], wanted);
        assert_eq!(told.lines().count(), 8, "{told}");
    }

    #[test]
    fn references_that_lead_only_to_each_other_are_cut() {
        let schemas = json!({
            "A": { "$ref": "#/components/schemas/B" },
            "B": { "$ref": "#/components/schemas/A" },
            "Tree": { "properties": { "left": { "$ref": "#/components/schemas/Tree" } } },
        });
        let (document, told) = repaired(json!({
            "openapi": "3.1.0", "info": { "title": "a" }, "paths": { "/a": {} }, "components": { "schemas": schemas },
        }));
        assert_eq!(told.matches("leads only to itself").count(), 2, "{told}");
        assert!(document["components"]["schemas"]["A"].get("$ref").is_none());
        assert_eq!(
            document["components"]["schemas"]["Tree"]["properties"]["left"]["$ref"],
            "#/components/schemas/Tree"
        );
    }

    #[test]
    fn paths_without_a_slash_and_security_without_a_scheme_are_repaired() {
        let get = json!({ "operationId": "a", "security": [{ "ghost": [] }, {}], "responses": {} });
        let (document, told) = repaired(
            json!({ "openapi": "3.2.0", "info": { "title": "a" }, "paths": { "a": { "get": get } } }),
        );
        assert_eq!(document["paths"]["/a"]["get"]["security"], json!([{}]));
        for said in ["path a: it is /a here", "security ghost", "it is 3.2.0; it is read as 3.1"] {
            assert!(told.contains(said), "{told}");
        }
    }
}
