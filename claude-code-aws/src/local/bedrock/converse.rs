//! Converse in JSON: a request becomes a question, an answer becomes a response.

use http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Bedrock, Call, Outcome, frames, style, wire};
use crate::local::responder::{CacheUse, End, Question, Role, Turn, Usage};
use crate::local::server::body::Body;

/// Answers Converse and ConverseStream.
pub(super) async fn respond(
    bedrock: &Bedrock,
    model: String,
    streaming: bool,
    call: &Call<'_>,
) -> Response<Body> {
    let question = match question(model, streaming, call.body) {
        Ok(question) => question,
        Err(message) => return wire::exception("ValidationException", 400, &message),
    };
    let (outcome, faults) = bedrock.ask(question, call).await;
    match outcome {
        Outcome::Error(refused) => wire::refused(&refused, &faults),
        Outcome::Answer(told) if streaming => {
            wire::event_stream(style::body(frames::Converse::default(), told, &faults), &faults)
        }
        Outcome::Answer(told) => match told.whole().await {
            Ok((text, end)) => wire::json_with(&answer(&text, &end), &faults),
            Err(refused) => wire::refused(&refused, &faults),
        },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default)]
    system: Vec<Block>,
    #[serde(default)]
    inference_config: InferenceConfig,
    #[serde(default)]
    additional_model_request_fields: Value,
    #[serde(default)]
    output_config: OutputConfig,
    #[serde(default)]
    tool_config: ToolConfig,
}

#[derive(Default, Deserialize)]
struct OutputConfig {
    effort: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolConfig {
    #[serde(default)]
    tool_choice: Value,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Vec<Block>,
}

/// A content block; what is not text (cache points, images, tools) is passed over.
#[derive(Deserialize)]
struct Block {
    text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct InferenceConfig {
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    stop_sequences: Vec<String>,
}

/// Reads a request. Fails with the line of a ValidationException.
pub(super) fn question(model: String, streaming: bool, body: &[u8]) -> Result<Question, String> {
    let request: Request = serde_json::from_slice(body)
        .map_err(|error| format!("the request is not a Converse request: {error}"))?;
    let mut messages = Vec::with_capacity(request.messages.len());
    let mut system = request.system;
    for (at, message) in request.messages.into_iter().enumerate() {
        // A system message within the conversation adds to what stands before it.
        if message.role == "system" {
            system.extend(message.content);
        } else {
            messages.push(turn(at, message)?);
        }
    }
    let more = &request.additional_model_request_fields;
    let number = |name: &str| more.get(name).and_then(Value::as_f64);
    let text = |path: &str| more.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let config = request.inference_config;
    Ok(Question {
        model,
        system: joined(system, "\n\n"),
        messages,
        max_tokens: config.max_tokens,
        temperature: config.temperature.or_else(|| number("temperature")),
        top_p: config.top_p.or_else(|| number("top_p")),
        top_k: number("top_k"),
        stop_sequences: config.stop_sequences,
        thinking: text("/thinking/type"),
        thinking_budget: more.pointer("/thinking/budget_tokens").and_then(Value::as_u64),
        effort: request.output_config.effort.or_else(|| text("/output_config/effort")),
        forced_tool: ["any", "tool"].iter().any(|name| !request.tool_config.tool_choice[*name].is_null()),
        streaming,
        version: None,
        body: String::new(),
        cache: CacheUse::default(),
    })
}

fn turn(at: usize, message: Message) -> Result<Turn, String> {
    let role = match message.role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => return Err(format!("messages.{at}.role is {other:?}, not \"user\" or \"assistant\"")),
    };
    if message.content.is_empty() {
        return Err(format!("The content field in the Message object at messages.{at} is empty."));
    }
    let blank = |block: &Block| block.text.as_ref().is_some_and(|text| text.trim().is_empty());
    if let Some(block) = message.content.iter().position(blank) {
        return Err(format!(
            "The text field in the ContentBlock object at messages.{at}.content.{block} is blank. Add text to \
             the text field, and try again."
        ));
    }
    Ok(Turn::new(role, joined(message.content, "\n")))
}

fn joined(blocks: Vec<Block>, between: &str) -> String {
    blocks.into_iter().filter_map(|block| block.text).collect::<Vec<_>>().join(between)
}

/// The response of Converse.
fn answer(text: &str, end: &End) -> Value {
    let text = (!text.is_empty()).then(|| json!({ "text": text }));
    let tool = end
        .tool_use
        .as_ref()
        .map(|tool| json!({ "toolUse": { "toolUseId": tool_id(), "name": tool.name, "input": tool.input } }));
    let content: Value = text.into_iter().chain(tool).collect();
    let mut answer = metadata(end);
    answer["output"] = json!({ "message": { "content": content, "role": "assistant" } });
    answer["stopReason"] = json!(end.stop_reason.as_str());
    answer
}

/// What is told of an answer beside it. A label stands where the service names the model that a prompt router chose.
pub(super) fn metadata(end: &End) -> Value {
    let mut metadata = json!({ "metrics": { "latencyMs": LATENCY_MS }, "usage": usage(end.usage) });
    if let Some(label) = &end.label {
        metadata["trace"] = json!({ "promptRouter": { "invokedModelId": label } });
    }
    metadata
}

/// The id of a tool's call.
pub(super) fn tool_id() -> String {
    format!("tooluse_{}", uuid::Uuid::now_v7().simple())
}

/// What the twin says it took. It answers within a millisecond, and less is not a number of the API.
pub(super) const LATENCY_MS: u64 = 1;

/// Usage with the cache's tokens under the two names that the service sends.
pub(super) fn usage(usage: Usage) -> Value {
    let cached = usage.cache_read_tokens.saturating_add(usage.cache_write_tokens);
    let total = usage.input_tokens.saturating_add(usage.output_tokens).saturating_add(cached);
    json!({
        "cacheReadInputTokenCount": usage.cache_read_tokens,
        "cacheReadInputTokens": usage.cache_read_tokens,
        "cacheWriteInputTokenCount": usage.cache_write_tokens,
        "cacheWriteInputTokens": usage.cache_write_tokens,
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": total,
    })
}
