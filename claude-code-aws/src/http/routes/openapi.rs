//! The API's description, OpenAPI 3.1: schemas from the types, routes from one table.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::results::ListParams;
use super::schema;
use super::services::{ContentParams, ServicesParams};
use crate::http::request::conversation_body::ConversationBody;
use crate::http::request::generate_body::{GenerateBody, RefactorBody};
use crate::http::response::idempotent::Answer;
use crate::http::routes::usage::UsageParams;

/// GET /openapi.json.
pub(crate) async fn document() -> Answer {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    Answer::ok(DOCUMENT.get_or_init(write).clone())
}

/// What a good answer is.
enum Good {
    /// JSON of this schema.
    Json(Value),
    /// JSON, or events if they are asked for; 202 if a job is.
    Work(Value),
    /// Events.
    Events,
    /// An archive.
    Zip,
    /// Nothing.
    Nothing,
}

fn write() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut types = settings.into_generator();
    let paths = paths(&mut types);
    let problem = of::<schema::Problem>(&mut types);
    let schemas = types.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "claude-code-aws",
            "description": "Accepted code with a receipt, from Claude on AWS.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Problem": {
                    "description": "What went wrong; `kind` and `field` tell it to programs.",
                    "content": { "application/problem+json": { "schema": problem } },
                },
            },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "key": { "type": "apiKey", "in": "header", "name": "x-api-key" },
            },
        },
        "security": [{}, { "token": [] }, { "key": [] }],
    })
}

fn of<T: JsonSchema>(types: &mut SchemaGenerator) -> Value {
    types.subschema_for::<T>().to_value()
}

fn paths(types: &mut SchemaGenerator) -> Value {
    use Good::{Events, Json, Nothing, Work, Zip};
    let (result, job) = (of::<schema::Generation>(types), of::<schema::Job>(types));
    let generate = of::<GenerateBody>(types);
    let refactor = of::<RefactorBody>(types);
    let talk = of::<ConversationBody>(types);
    let said = of::<schema::ConversationAnswer>(types);
    let code = of::<schema::ServiceCode>(types);
    let page = of::<schema::Page>(types);
    let download = of::<schema::Download>(types);
    let budget = of::<schema::Budget>(types);
    let health = of::<schema::Health>(types);
    let list = query::<ListParams>(types);
    let usage = of::<schema::UsageReport>(types);
    let days = query::<UsageParams>(types);
    let whole = of::<schema::WholeConversation>(types);
    let estimate = of::<schema::Estimate>(types);
    let samples = of::<schema::Samples>(types);
    let (services, list_of_services) = (query::<ServicesParams>(types), of::<schema::ServiceList>(types));
    let content = query::<ContentParams>(types);
    let (of_result, of_code) = (both(ids(&["id"]), &content), both(ids(&["id", "code_id"]), &content));
    json!({
        "/generate": { "post": work("generate", "New code from words", generate.clone(), Work(result.clone()), &job) },
        "/refactor": { "post": work("refactor", "Changes to given code", refactor, Work(result.clone()), &job) },
        "/conversation": { "post": work("conversation", "The service creator", talk, Json(said), &job) },
        "/conversation/{id}": {
            "get": read("getConversation", "What was said, and which files there are", ids(&["id"]), Json(whole)),
            "delete": read("deleteService", "Erases the service with its files", ids(&["id"]), Nothing),
        },
        "/estimate": { "post": with_body(read("estimate", "What it would cost at most", json!([]), Json(estimate)), &generate) },
        "/samples": { "get": read("samples", "What can be asked for offline", json!([]), Json(samples)) },
        "/services": { "get": read("listServices", "The caller's, newest first", services, Json(list_of_services)) },
        "/services/{id}/code/{code_id}": { "get": read("serviceCode", "Fresh links, or the files", of_code, Json(code)) },
        "/services/{id}/code/{code_id}/zip": { "get": read("serviceZip", "One archive", ids(&["id", "code_id"]), Zip) },
        "/results": { "get": read("listResults", "Newest first", list, Json(page)) },
        "/results/{id}": {
            "get": read("result", "Everything, with or without the content", of_result, Json(result)),
            "delete": read("deleteResult", "Erases row and objects", ids(&["id"]), Nothing),
        },
        "/results/{id}/download": { "get": read("download", "Links for an hour", ids(&["id"]), Json(download)) },
        "/results/{id}/zip": { "get": read("zip", "One archive", ids(&["id"]), Zip) },
        "/jobs/{id}": { "get": read("job", "Where a job is", ids(&["id"]), Json(job)) },
        "/jobs/{id}/events": { "get": read("jobEvents", "What happened, from Last-Event-ID", log(), Events) },
        "/budget": { "get": read("budget", "The figures of the day", json!([]), Json(budget)) },
        "/usage": { "get": read("usage", "What the last days cost and how they went", days, Json(usage)) },
        "/health": { "get": read("health", "The process lives", json!([]), Json(health)) },
    })
}

/// Two lists of parameters as one.
fn both(mut one: Value, other: &Value) -> Value {
    if let (Some(one), Some(other)) = (one.as_array_mut(), other.as_array()) {
        one.extend(other.iter().cloned());
    }
    one
}

fn with_body(mut operation: Value, body: &Value) -> Value {
    operation["requestBody"] =
        json!({ "required": true, "content": { "application/json": { "schema": body } } });
    operation
}

/// Where what an answer names can be had: stateful tests and generated clients follow these.
fn links(id: &str) -> Option<(&'static str, Value)> {
    let link =
        |operation: &str, parameters: Value| json!({ "operationId": operation, "parameters": parameters });
    Some(match id {
        "generate" | "refactor" => (
            "200",
            json!({ "result": link("result", json!({ "id": "$response.body#/id" })),
                    "download": link("download", json!({ "id": "$response.body#/id" })) }),
        ),
        "conversation" => (
            "200",
            json!({ "conversation": link("getConversation", json!({ "id": "$response.body#/conversation_id" })),
                    "code": link("serviceCode", json!({ "id": "$response.body#/service_id", "code_id": "$response.body#/code_id" })) }),
        ),
        "getConversation" => (
            "200",
            json!({ "code": link("serviceCode", json!({ "id": "$response.body#/code/service_id", "code_id": "$response.body#/code/code_id" })) }),
        ),
        "listServices" => (
            "200",
            json!({ "conversation": link("getConversation", json!({ "id": "$response.body#/items/0/conversation_id" })) }),
        ),
        _ => return None,
    })
}

fn work(id: &str, summary: &str, body: Value, good: Good, job: &Value) -> Value {
    let mut operation = with_body(read(id, summary, json!([]), good), &body);
    let key = json!({
        "name": "Idempotency-Key", "in": "header",
        "description": "A repeated request gets the answer of the first one.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
    });
    if id == "conversation" {
        operation["responses"]["200"]["content"]["text/event-stream"] = events();
        operation["parameters"] = json!([key]);
        return operation;
    }
    operation["parameters"] = json!([
        key,
        { "name": "Prefer", "in": "header", "schema": { "type": "string" },
          "description": "`respond-async` makes it a job." },
    ]);
    operation["responses"]["202"] = json!({
        "description": "A job; Location says where it is.",
        "headers": { "Location": { "schema": { "type": "string" } } },
        "content": { "application/json": { "schema": job } },
        "links": {
            "job": { "operationId": "job", "parameters": { "id": "$response.body#/id" } },
            "events": { "operationId": "jobEvents", "parameters": { "id": "$response.body#/id" } },
        },
    });
    operation
}

fn read(id: &str, summary: &str, parameters: Value, good: Good) -> Value {
    let problem = json!({ "$ref": "#/components/responses/Problem" });
    let text = events();
    let (status, content) = match good {
        Good::Json(schema) => ("200", json!({ "application/json": { "schema": schema } })),
        Good::Work(schema) => {
            ("200", json!({ "application/json": { "schema": schema }, "text/event-stream": text }))
        }
        Good::Events => ("200", json!({ "text/event-stream": text })),
        Good::Zip => ("200", json!({ "application/zip": {} })),
        Good::Nothing => ("204", json!({})),
    };
    let mut answer = json!({ "description": "As asked." });
    if content.as_object().is_some_and(|content| !content.is_empty()) {
        answer["content"] = content;
    }
    let mut responses = Map::from_iter([(status.to_owned(), answer)]);
    if let Some((status, links)) = links(id)
        && let Some(answer) = responses.get_mut(status)
    {
        answer["links"] = links;
    }
    responses.insert("4XX".into(), problem.clone());
    responses.insert("5XX".into(), problem);
    json!({ "operationId": id, "summary": summary, "parameters": parameters, "responses": responses })
}

/// The shape of an event; what its data says is told by its name.
fn events() -> Value {
    let text = json!({ "type": "string" });
    json!({ "schema": { "type": "object", "properties": { "id": text, "event": text, "data": text } } })
}

fn ids(names: &[&str]) -> Value {
    let id = |name: &&str| {
        json!({ "name": name, "in": "path", "required": true,
                "schema": { "type": "string", "pattern": "^[A-Za-z0-9-]{1,64}$" } })
    };
    names.iter().map(id).collect()
}

/// A job's log: whose, and from where on.
fn log() -> Value {
    let mut parameters = ids(&["id"]);
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(json!({
            "name": "Last-Event-ID", "in": "header", "schema": { "type": "string" },
            "description": "The number of the last event that was seen; what follows it comes.",
        }));
    }
    parameters
}

/// Each property of a schema as a parameter of the query.
fn query<T: JsonSchema>(types: &mut SchemaGenerator) -> Value {
    let schema = types.root_schema_for::<T>().to_value();
    let required = schema["required"].clone();
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|n| n == name));
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, mut schema): (String, Value)| {
        // An absent parameter is left out; in a query there is no null.
        if let Some(types) = schema["type"].as_array().cloned() {
            schema["type"] = types.into_iter().find(|t| t != "null").unwrap_or_default();
        }
        json!({ "name": name, "in": "query", "required": is_required(&name), "schema": schema })
    };
    properties.into_iter().map(parameter).collect()
}
