//! Anthropic's own body, which InvokeModel and the Messages API share: a request becomes a question, an answer
//! becomes a message or its events.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::local::responder::{CacheUse, End, Question, Role, ToolUse, Turn, Usage};

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
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// Members of a request that have no say in the twin's answer (the anthropic package, version 2.12).
const OTHERS: [&str; 19] = [
    "anthropic_beta",
    "billing_policy",
    "cache_control",
    "compaction",
    "container",
    "context_management",
    "diagnostics",
    "fallback_credit_token",
    "fallbacks",
    "inference_geo",
    "mcp_servers",
    "metadata",
    "output_format",
    "service_tier",
    "speed",
    "thread",
    "tools",
    "user_profile_id",
    "workspace_id",
];

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Content,
}

/// Text alone, or blocks; of those only the texts are kept.
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
    /// What the API says of content with nothing in it. A block of another kind is content without a text.
    fn check(&self) -> Result<(), &'static str> {
        let (empty, blank) = match self {
            Content::Text(text) => (text.is_empty(), text.trim().is_empty()),
            Content::Blocks(blocks) => {
                let mut texts = blocks.iter().filter_map(|block| block.text.as_deref());
                (blocks.is_empty(), texts.any(|text| text.trim().is_empty()))
            }
        };
        match (empty, blank) {
            (true, _) => Err("user messages must have non-empty content"),
            (_, true) => Err("text content blocks must contain non-whitespace text"),
            _ => Ok(()),
        }
    }

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
    let request: Request = serde_json::from_slice(body)
        .map_err(|error| format!("the request is not a Messages request: {error}"))?;
    match request.other.keys().find(|name| !OTHERS.contains(&name.as_str())) {
        Some(name) => Err(format!("{name}: Extra inputs are not permitted")),
        None => Ok(request),
    }
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
            message.content.check().map_err(|why| format!("messages.{at}: {why}"))?;
            messages.push(Turn::new(role, message.content.into_text("\n")));
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
            version: self.anthropic_version,
            body: String::new(),
            cache: CacheUse::default(),
        })
    }
}

/// The answer in one piece.
pub(super) fn message(model: &str, text: &str, end: &End) -> Value {
    let mut message = head(model, end.usage);
    let text = (!text.is_empty()).then(|| json!({ "type": "text", "text": text }));
    let tool = end.tool_use.as_ref().map(|tool| tool_block(tool, tool.input.clone()));
    message["usage"] = usage_at(end);
    message["content"] = text.into_iter().chain(tool).collect();
    message["stop_reason"] = json!(end.stop_reason.as_str());
    message["stop_sequence"] = json!(end.stop_sequence);
    message
}

/// The answer as events with their names, as it comes.
pub(super) struct Events {
    model: String,
    begun: Usage,
    has_text: bool,
}

impl Events {
    /// The events of an answer whose first one says this usage.
    pub(super) fn new(model: String, begun: Usage) -> Self {
        Events { model, begun, has_text: false }
    }

    pub(super) fn begin(&self) -> Vec<(&'static str, Value)> {
        let head = head(&self.model, self.begun);
        vec![("message_start", json!({ "type": "message_start", "message": head }))]
    }

    pub(super) fn text(&mut self, text: &str) -> Vec<(&'static str, Value)> {
        let mut events = Vec::with_capacity(3);
        if !std::mem::replace(&mut self.has_text, true) {
            let block = json!({ "type": "text", "text": "" });
            let start = json!({ "type": "content_block_start", "index": 0, "content_block": block });
            events.push(("content_block_start", start));
            events.push(("ping", json!({ "type": "ping" })));
        }
        let delta = json!({ "type": "text_delta", "text": text });
        let delta = json!({ "type": "content_block_delta", "index": 0, "delta": delta });
        events.push(("content_block_delta", delta));
        events
    }

    pub(super) fn end(&self, end: &End) -> Vec<(&'static str, Value)> {
        let mut events = Vec::with_capacity(3);
        if self.has_text {
            events.push(("content_block_stop", json!({ "type": "content_block_stop", "index": 0 })));
        }
        if let Some(tool) = &end.tool_use {
            events.extend(tool_events(usize::from(self.has_text), tool));
        }
        let delta = json!({ "stop_reason": end.stop_reason.as_str(), "stop_sequence": end.stop_sequence });
        let usage = usage_at(end);
        events.push(("message_delta", json!({ "type": "message_delta", "delta": delta, "usage": usage })));
        events.push(("message_stop", json!({ "type": "message_stop" })));
        events
    }
}

fn tool_block(tool: &ToolUse, input: Value) -> Value {
    let id = format!("toolu_{}", uuid::Uuid::now_v7().simple());
    json!({ "type": "tool_use", "id": id, "name": tool.name, "input": input })
}

/// A tool's call as a block of events: its input comes as the text of its JSON.
fn tool_events(index: usize, tool: &ToolUse) -> [(&'static str, Value); 3] {
    let block = tool_block(tool, json!({}));
    let delta = json!({ "type": "input_json_delta", "partial_json": tool.input.to_string() });
    [
        (
            "content_block_start",
            json!({ "type": "content_block_start", "index": index, "content_block": block }),
        ),
        ("content_block_delta", json!({ "type": "content_block_delta", "index": index, "delta": delta })),
        ("content_block_stop", json!({ "type": "content_block_stop", "index": index })),
    ]
}

fn head(model: &str, spent: Usage) -> Value {
    json!({
        "id": format!("msg_{}", uuid::Uuid::now_v7().simple()),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": usage(spent),
    })
}

/// The usage at the end, with the answer's label where the API says in which geography inference ran.
fn usage_at(end: &End) -> Value {
    let mut usage = usage(end.usage);
    if let Some(label) = &end.label {
        usage["inference_geo"] = json!(label);
    }
    usage
}

fn usage(spent: Usage) -> Value {
    json!({
        "input_tokens": spent.input_tokens,
        "cache_creation_input_tokens": spent.cache_write_tokens,
        "cache_read_input_tokens": spent.cache_read_tokens,
        "output_tokens": spent.output_tokens,
    })
}
