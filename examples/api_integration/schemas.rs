//! Repairs of schemas: one way to say null, types by their names, lists of what is required.

use serde_json::{Map, Value, json};

use crate::repair::each;

/// Names of types that are none, and what they mean: type and format.
const TYPES: [(&str, &str, &str); 14] = [
    ("int", "integer", ""),
    ("int32", "integer", "int32"),
    ("int64", "integer", "int64"),
    ("long", "integer", "int64"),
    ("float", "number", "float"),
    ("double", "number", "double"),
    ("bool", "boolean", ""),
    ("str", "string", ""),
    ("text", "string", ""),
    ("date", "string", "date"),
    ("datetime", "string", "date-time"),
    ("date-time", "string", "date-time"),
    ("uuid", "string", "uuid"),
    ("file", "string", "binary"),
];

/// Repairs every schema of a document, and says how many of each sort.
pub(crate) fn repair(document: &mut Value, repairs: &mut Vec<String>) {
    let (mut named, mut required, mut nullable, mut bounds) = (0, 0, 0, 0);
    each(document, &mut |value| {
        let Some(schema) = value.as_object_mut() else { return };
        named += usize::from(type_name(schema));
        required += required_members(schema);
        // A member may be called so: then it is a schema.
        if let Some(Value::Bool(is_nullable)) = schema.get("nullable").cloned() {
            schema.remove("nullable");
            nullable += usize::from(is_nullable);
            if is_nullable {
                with_null(value);
            }
        }
    });
    // From here on it is 3.1, which says bounds in another way.
    if nullable > 0 || document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")) {
        document["openapi"] = "3.1.0".into();
        each(document, &mut |value| bounds += value.as_object_mut().map_or(0, exclusive));
    }
    let told = [
        (nullable, "nullable", "say it as 3.1 does"),
        (named, "type", "name a type that is none; the one that is meant is there"),
        (
            required,
            "required",
            "have members that say themselves that they are required; their schema says it",
        ),
        (bounds, "exclusive bounds", "say them as 3.1 does"),
    ];
    let told = told.iter().filter(|(count, _, _)| *count > 0);
    repairs.extend(told.map(|(count, what, how)| format!("{what}: {count} schemas {how}")));
}

fn type_name(schema: &mut Map<String, Value>) -> bool {
    let Some(name) = schema.get("type").and_then(Value::as_str).map(str::to_ascii_lowercase) else {
        return false;
    };
    // `apiKey` and `http` are types of other things.
    let known = ["string", "integer", "number", "boolean", "array", "object", "null"];
    if known.contains(&name.as_str()) {
        let is_other = schema["type"] != name;
        schema.insert("type".to_owned(), name.into());
        return is_other;
    }
    if name == "any" {
        schema.remove("type");
        return true;
    }
    let Some((_, kind, format)) = TYPES.iter().find(|(wrong, _, _)| *wrong == name) else { return false };
    schema.insert("type".to_owned(), (*kind).into());
    if !format.is_empty() {
        schema.entry("format").or_insert_with(|| (*format).into());
    }
    true
}

/// `required: true` of a member moves to the list of its schema.
fn required_members(schema: &mut Map<String, Value>) -> usize {
    let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return 0 };
    let mut found = Vec::new();
    for (name, member) in members.iter_mut() {
        let Some(member) = member.as_object_mut() else { continue };
        if let Some(Value::Bool(is_required)) = member.get("required") {
            found.push((name.clone(), *is_required));
            member.remove("required");
        }
    }
    if found.is_empty() {
        return 0;
    }
    let mut list = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let new = found.into_iter().filter(|(_, is_required)| *is_required).map(|(name, _)| Value::from(name));
    list.extend(new);
    list.dedup();
    schema.insert("required".to_owned(), list.into());
    1
}

/// The schema, or null.
fn with_null(value: &mut Value) {
    let Some(schema) = value.as_object_mut() else { return };
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match schema.get("type").cloned() {
        Some(Value::String(kind)) => drop(schema.insert("type".to_owned(), json!([kind, "null"]))),
        Some(Value::Array(mut kinds)) => {
            if !kinds.contains(&json!("null")) {
                kinds.push(json!("null"));
            }
            schema.insert("type".to_owned(), kinds.into());
        }
        // A reference, or several schemas: null is one more of them.
        _ if ["$ref", "allOf", "anyOf", "oneOf"].iter().any(|key| schema.contains_key(*key)) => {
            let inner = std::mem::take(schema);
            *value = json!({ "anyOf": [inner, { "type": "null" }] });
        }
        _ => {}
    }
}

/// `minimum: 0, exclusiveMinimum: true` of 3.0 is `exclusiveMinimum: 0` of 3.1.
fn exclusive(schema: &mut Map<String, Value>) -> usize {
    let mut count = 0;
    for (bound, name) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        let Some(Value::Bool(is_exclusive)) = schema.get(name).cloned() else { continue };
        count = 1;
        schema.remove(name);
        if let Some(value) = schema.get(bound).cloned().filter(|_| is_exclusive) {
            schema.remove(bound);
            schema.insert(name.to_owned(), value);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One schema after its repair, and what was said of it.
    fn repaired(version: &str, schema: Value) -> (Value, Vec<String>) {
        let mut document = json!({ "openapi": version, "components": { "schemas": { "A": schema } } });
        let mut repairs = Vec::new();
        repair(&mut document, &mut repairs);
        (document["components"]["schemas"]["A"].take(), repairs)
    }

    #[test]
    fn null_is_allowed_where_nullable_said_so_whatever_the_schema_is() {
        let all = [
            (json!({ "type": "string", "nullable": true }), json!({ "type": ["string", "null"] })),
            (
                json!({ "type": "string", "enum": ["a"], "nullable": true }),
                json!({ "type": ["string", "null"], "enum": ["a", null] }),
            ),
            (
                json!({ "allOf": [{ "type": "string" }], "nullable": true }),
                json!({ "anyOf": [{ "allOf": [{ "type": "string" }] }, { "type": "null" }] }),
            ),
            (json!({ "type": "string", "nullable": false }), json!({ "type": "string" })),
            (
                json!({ "properties": { "nullable": { "type": "boolean" } }, "example": { "type": "file" } }),
                json!({ "properties": { "nullable": { "type": "boolean" } }, "example": { "type": "file" } }),
            ),
        ];
        for (given, wanted) in all {
            assert_eq!(repaired("3.0.3", given).0, wanted);
        }
    }

    #[test]
    fn bounds_are_said_as_the_version_says_them() {
        let given =
            json!({ "type": "number", "minimum": 0, "exclusiveMinimum": true, "exclusiveMaximum": false });
        assert_eq!(repaired("3.0.3", given.clone()).0, given);
        let (schema, repairs) = repaired("3.1.0", given);
        assert_eq!(schema, json!({ "type": "number", "exclusiveMinimum": 0 }));
        assert_eq!(repairs, ["exclusive bounds: 1 schemas say them as 3.1 does"]);
    }

    #[test]
    fn types_that_are_none_and_members_that_are_required_are_said_rightly() {
        let given = json!({ "type": "Object", "required": ["b"], "properties": {
            "a": { "type": "datetime", "required": true },
            "b": { "type": "any", "required": false },
        } });
        let (schema, repairs) = repaired("3.0.3", given);
        let wanted = json!({ "type": "object", "required": ["b", "a"], "properties": {
            "a": { "type": "string", "format": "date-time" },
            "b": {},
        } });
        assert_eq!(schema, wanted);
        assert_eq!(repairs.len(), 2, "{repairs:?}");
    }
}
