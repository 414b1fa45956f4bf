//! Records of a job: a Converse body in, a Converse answer or an error out.

use claude_code_core::model::capability::SentThinking;
use claude_code_core::money::usage::Usage;
use claude_code_core::provider::message::{Message, TextBlock};
use claude_code_core::provider::{ModelCall, StopReason};
use claude_code_core::request::JobAnswer;
use serde_json::{Map, Value, json};

use crate::files::batch_manifest::Key;
use crate::files::json_line::json_line;

/// Characters of a record's id: the first half of the request's hash in hex. Every reading of the service's rules takes it.
const ID: usize = 32;

/// The id of a request's record.
pub fn id(key: &Key) -> String {
    key.to_string()[..ID].to_owned()
}

/// A line of the input. Cache points, guardrails, tiers and metadata are not for jobs.
pub fn line(id: &str, call: &ModelCall) -> String {
    json_line(&json!({ "recordId": id, "modelInput": body(call) }))
}

/// The body of a Converse request, without the model.
fn body(call: &ModelCall) -> Value {
    let mut inference = json!({ "maxTokens": call.max_tokens });
    if let Some(temperature) = call.temperature {
        inference["temperature"] = json!(temperature);
    }
    let mut body = Map::new();
    body.insert("messages".into(), call.messages.iter().map(message).collect());
    if !call.system.is_empty() {
        body.insert("system".into(), texts(&call.system));
    }
    body.insert("inferenceConfig".into(), inference);
    if let Some(effort) = call.effort {
        body.insert("outputConfig".into(), json!({ "effort": effort.as_str() }));
    }
    if let Some(thinking) = call.thinking {
        body.insert("additionalModelRequestFields".into(), json!({ "thinking": thinks(thinking) }));
    }
    Value::Object(body)
}

fn message(message: &Message) -> Value {
    json!({ "role": message.role, "content": texts(&message.blocks) })
}

fn texts(blocks: &[TextBlock]) -> Value {
    blocks.iter().map(|block| json!({ "text": &*block.text })).collect()
}

fn thinks(thinking: SentThinking) -> Value {
    let mut fields = json!({ "type": thinking.kind() });
    if let Some(budget) = thinking.budget_tokens() {
        fields["budget_tokens"] = json!(budget);
    }
    fields
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was answered.
    Answer(JobAnswer),
    /// It was not, and why.
    Error(String),
}

/// A line of an output: the record's id and what became of it. None: the line is torn, or no record's.
pub fn outcome(line: &[u8]) -> Option<(String, Outcome)> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let id = line["recordId"].as_str().filter(|id| id.len() == ID)?.to_owned();
    if let Some(error) = line.get("error").filter(|error| !error.is_null()) {
        return Some((id, Outcome::Error(reason(error))));
    }
    let output = line.get("modelOutput")?;
    let blocks = output["output"]["message"]["content"].as_array()?;
    let text = blocks.iter().filter_map(|block| block["text"].as_str()).collect::<String>();
    let stop_reason = StopReason::from_wire(output["stopReason"].as_str()?);
    let usage = usage(&output["usage"]);
    Some((id, Outcome::Answer(JobAnswer { text, stop_reason, usage })))
}

/// What an error says, whatever its form.
fn reason(error: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (error.get("errorCode"), error.get("errorMessage")) {
        (Some(code), Some(why)) => format!("{}: {}", text(code), text(why)),
        (None, Some(why)) => text(why),
        (Some(code), None) => text(code),
        (None, None) => text(error),
    }
}

fn usage(found: &Value) -> Option<Usage> {
    let count = |name: &str| found[name].as_u64();
    Some(Usage {
        cache_read_input_tokens: count("cacheReadInputTokens").unwrap_or(0),
        cache_creation_5m_input_tokens: count("cacheWriteInputTokens").unwrap_or(0),
        ..Usage::new(count("inputTokens")?, count("outputTokens")?)
    })
}
