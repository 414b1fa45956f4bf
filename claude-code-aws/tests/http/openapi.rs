//! The description of the API holds for its answers.

use claude_code_aws::service_creator::STEPS;
use serde_json::{Value, json};

use super::support::{Api, REVERSE, post};

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("{place}")),
        None => schema,
    }
}

/// Whether a value is of a schema, as far as our schemas go: types, required, properties, items, anyOf.
fn holds(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = resolved(document, schema);
    if let Some(any) = schema["anyOf"].as_array() {
        let found: Vec<_> = any.iter().map(|one| holds(document, one, value)).collect();
        return if found.iter().any(Result::is_ok) {
            Ok(())
        } else {
            Err(format!("none of anyOf: {found:?}"))
        };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.iter().any(|kind| *kind == is || (*kind == "number" && is == "integer")) {
        return Err(format!("{is} is none of {types:?}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        value.get(name.as_str().unwrap()).ok_or(format!("{name} is missing"))?;
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        if let Some(schema) = schema["properties"].get(name) {
            holds(document, schema, inner).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    for inner in value.as_array().into_iter().flatten() {
        holds(document, &schema["items"], inner).map_err(|error| format!("[]: {error}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn answers_are_of_their_schemas() {
    let api = Api::open().await;
    let document = api.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let check = |name: &str, value: &Value| {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        holds(&document, &schema, value).unwrap_or_else(|error| panic!("{name}: {error}\n{value:#}"));
    };
    let body = json!({ "prompt": REVERSE });
    let result = post(&api.router, "/generate", &[], body.clone()).await.json();
    check("Result", &result);
    let id = result["id"].as_str().unwrap();
    check("Page", &api.get("/results?language=python").await.json());
    check("Result", &api.get(&format!("/results/{id}")).await.json());
    check("Download", &api.get(&format!("/results/{id}/download")).await.json());
    check("Budget", &api.get("/budget").await.json());
    check("UsageReport", &api.get("/usage?days=2&by=model").await.json());
    check("Health", &api.get("/health").await.json());
    check("Problem", &api.get("/results/nothing").await.json());
    let accepted = post(&api.router, "/generate", &[("prefer", "respond-async")], body).await;
    check("Job", &accepted.json());
    let place = accepted.header("location");
    let done = api.ended(place).await;
    assert_eq!(done["state"], "done");
    check("Job", &done);
    let mut talk = post(&api.router, "/conversation", &[], json!({ "action": "start" })).await.json();
    check("Conversation", &talk);
    let id = talk["conversation_id"].clone();
    for step in STEPS {
        let said = json!({ "action": "message", "conversation_id": id, "message": step.example });
        talk = api.post("/conversation", said).await.json();
        check("Conversation", &talk);
    }
    let code = api.post("/conversation", json!({ "action": "generate", "conversation_id": id })).await.json();
    check("ServiceCode", &code);
    let part = |name: &str| code[name].as_str().unwrap().to_owned();
    let place = format!("/services/{}/code/{}", part("service_id"), part("code_id"));
    check("ServiceCode", &api.get(&place).await.json());
}

#[tokio::test]
async fn every_route_of_the_contract_is_described() {
    let api = Api::open().await;
    let document = api.get("/openapi.json").await.json();
    for (path, method) in [
        ("/generate", "post"),
        ("/refactor", "post"),
        ("/conversation", "post"),
        ("/health", "get"),
        ("/results", "get"),
        ("/results/{id}", "get"),
        ("/results/{id}", "delete"),
        ("/results/{id}/download", "get"),
        ("/results/{id}/zip", "get"),
        ("/jobs/{id}", "get"),
        ("/jobs/{id}/events", "get"),
        ("/budget", "get"),
        ("/usage", "get"),
        ("/services/{id}/code/{code_id}", "get"),
        ("/services/{id}/code/{code_id}/zip", "get"),
    ] {
        assert!(document["paths"][path][method]["operationId"].is_string(), "{method} {path}");
    }
    let names: Vec<&String> = document["components"]["schemas"].as_object().unwrap().keys().collect();
    println!("{} schemas: {names:?}", names.len());
    let events = &document["paths"]["/jobs/{id}/events"]["get"]["parameters"];
    assert!(
        events.as_array().unwrap().iter().any(|parameter| parameter["name"] == "Last-Event-ID"),
        "{events}"
    );
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["GenerateRequest"]["additionalProperties"], false);
    let data = &schemas["ServiceData"]["properties"];
    assert_eq!(
        (&data["features"]["maxItems"], &data["features"]["items"]["maxLength"]),
        (&json!(50), &json!(4096))
    );
    assert_eq!(data["intent"]["maxLength"], json!(4096), "as many characters as the core takes");
}
