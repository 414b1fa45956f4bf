//! Model list of the Messages API, and its error for unknown paths.

use claude_code_core::model::catalogue::{Catalogue, ModelCard, Status};
use http::request::Parts;
use http::{Method, Response};
use serde_json::{Value, json};

use super::{control, wire};
use crate::local::server::body::Body;
use crate::local::server::clock;

/// Answers what is neither a call of a model nor one of the control plane.
pub(super) fn handle(head: &Parts) -> Response<Body> {
    let path = head.uri.path();
    if !path.starts_with("/v1/") {
        return wire::exception("UnknownOperationException", 404, "no such operation at this path");
    }
    match (&head.method, path.strip_prefix("/v1/models")) {
        (&Method::GET, Some("" | "/")) => wire::json(&list()),
        (&Method::GET, Some(rest)) => match rest.strip_prefix('/').and_then(found) {
            Some(card) => wire::json(&model(card)),
            None => missing(&format!("model: {}", rest.trim_start_matches('/'))),
        },
        _ => missing("Not found"),
    }
}

fn missing(message: &str) -> Response<Body> {
    let message: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
    wire::message_error("NotFound", 404, &message)
}

/// All of it: the twin has one page.
fn list() -> Value {
    let models: Vec<Value> = cards().map(model).collect();
    let id = |at: Option<&Value>| at.map_or(Value::Null, |model| model["id"].clone());
    json!({ "data": models, "has_more": false, "first_id": id(models.first()), "last_id": id(models.last()) })
}

fn cards() -> impl Iterator<Item = &'static ModelCard> {
    let today = clock::today();
    Catalogue::builtin()
        .models()
        .iter()
        .filter(move |card| control::is_alive(card, &today) && card.lifecycle.status != Status::Limited)
}

fn found(id: &str) -> Option<&'static ModelCard> {
    cards().find(|card| name(card) == id || card.bedrock_id == id)
}

/// The id of the Anthropic API.
fn name(card: &ModelCard) -> String {
    card.anthropic_id().map_or_else(|| card.bedrock_id.to_owned(), |id| id.as_str().to_owned())
}

fn model(card: &ModelCard) -> Value {
    let released = card.released.unwrap_or("2025-01-01");
    json!({
        "type": "model",
        "id": name(card),
        "display_name": card.name,
        "created_at": format!("{released}T00:00:00Z"),
        "max_input_tokens": card.context_window,
        "max_tokens": card.max_output_tokens,
    })
}
