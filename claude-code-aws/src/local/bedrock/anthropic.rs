//! Anthropic's own body, which InvokeModel and the Messages API share: a request becomes a question, an answer
//! becomes a message or its events.

use serde::Deserialize;
use serde_json::{Value, json};

use super::frames::deltas;
use crate::local::brain::{Question, Role, StopReason, Turn, Usage};

/// A request's body.
#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) anthropic_version: Option<String>,
    pub(super) model: Option<String>,
    pub(super) stream: Option<bool>,
    pub(super) max_tokens: Option<u64>,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default)]
    system: Content,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<f64>,
    #[serde(default)]
    stop_sequences: Vec<String>,
    #[serde(default)]
    thinking: Value,
    #[serde(default)]
    output_config: Value,
    #[serde(default)]
    tool_choice: Value,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Content,
}

/// Text alone, or blocks of which the text ones count.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Blocks(Vec<Block>),
}

#[derive(Deserialize)]
struct Block {
    text: Option<String>,
}

impl Default for Content {
    fn default() -> Self {
        Content::Blocks(Vec::new())
    }
}

impl Content {
    fn into_text(self, between: &str) -> String {
        match self {
            Content::Text(text) => text,
            Content::Blocks(blocks) => {
                blocks.into_iter().filter_map(|block| block.text).collect::<Vec<_>>().join(between)
            }
        }
    }
}

/// Reads a body. Fails with the line of an error.
pub(super) fn read(body: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(body).map_err(|error| format!("the request is not a Messages request: {error}"))
}

impl Request {
    /// The question that it asks of a model. Fails with the line of an error.
    pub(super) fn into_question(self, model: String, streaming: bool) -> Result<Question, String> {
        let mut messages = Vec::with_capacity(self.messages.len());
        for (at, message) in self.messages.into_iter().enumerate() {
            let role = match message.role.as_str() {
                "user" => Role::User,
                "assistant" => Role::Assistant,
                _ => return Err(format!("messages.{at}.role: Input should be 'user' or 'assistant'")),
            };
            let text = message.content.into_text("\n");
            if text.trim().is_empty() {
                return Err(format!("messages.{at}: user messages must have non-empty content"));
            }
            messages.push(Turn::new(role, text));
        }
        Ok(Question {
            model,
            system: self.system.into_text("\n\n"),
            messages,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            stop_sequences: self.stop_sequences,
            thinking: self.thinking.get("type").and_then(Value::as_str).map(str::to_owned),
            thinking_budget: self.thinking.get("budget_tokens").and_then(Value::as_u64),
            effort: self.output_config.get("effort").and_then(Value::as_str).map(str::to_owned),
            forced_tool: self.tool_choice.get("type").is_some_and(|kind| kind == "any" || kind == "tool"),
            streaming,
        })
    }
}

/// What is said of every answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) model: String,
    pub(super) text: String,
    pub(super) stop: StopReason,
    pub(super) usage: Usage,
}

impl Answer {
    /// The answer in one piece.
    pub(super) fn message(&self) -> Value {
        let mut message = self.head();
        message["content"] =
            if self.text.is_empty() { json!([]) } else { json!([{ "type": "text", "text": self.text }]) };
        message["stop_reason"] = json!(self.stop.as_str());
        message["usage"] = self.usage(self.usage.output_tokens);
        message
    }

    /// The answer as events, in order, with their names.
    pub(super) fn events(&self) -> Vec<(&'static str, Value)> {
        let mut events = vec![("message_start", json!({ "type": "message_start", "message": self.head() }))];
        let deltas = deltas(&self.text);
        if !deltas.is_empty() {
            let block = json!({ "type": "text", "text": "" });
            let start = json!({ "type": "content_block_start", "index": 0, "content_block": block });
            events.push(("content_block_start", start));
            events.push(("ping", json!({ "type": "ping" })));
            events.extend(deltas.into_iter().map(|text| {
                let delta = json!({ "type": "text_delta", "text": text });
                ("content_block_delta", json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
            }));
            events.push(("content_block_stop", json!({ "type": "content_block_stop", "index": 0 })));
        }
        let delta = json!({ "stop_reason": self.stop.as_str(), "stop_sequence": null });
        let usage = self.usage(self.usage.output_tokens);
        events.push(("message_delta", json!({ "type": "message_delta", "delta": delta, "usage": usage })));
        events.push(("message_stop", json!({ "type": "message_stop" })));
        events
    }

    fn head(&self) -> Value {
        json!({
            "id": format!("msg_{}", uuid::Uuid::now_v7().simple()),
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": self.usage(1),
        })
    }

    fn usage(&self, output_tokens: u64) -> Value {
        json!({
            "input_tokens": self.usage.input_tokens,
            "cache_creation_input_tokens": self.usage.cache_write_tokens,
            "cache_read_input_tokens": self.usage.cache_read_tokens,
            "output_tokens": output_tokens,
        })
    }
}
