//! Request body of the Messages API, built from a call.

use claude_code_core::model::capability::CacheTtl;
use claude_code_core::provider::ModelCall;
use claude_code_core::provider::message::{Message, TextBlock};
use serde_json::{Map, Value, json};

/// The body. `max_tokens` is always in it, sampling and effort only where the model takes them.
pub(super) fn body(call: &ModelCall) -> Value {
    let mut body = json!({
        "model": call.model.as_str(),
        "max_tokens": call.max_tokens,
        "stream": true,
        "messages": call.messages.iter().map(message).collect::<Vec<_>>(),
    });
    if !call.system.is_empty() {
        body["system"] = call.system.iter().map(block).collect();
    }
    if let Some(temperature) = call.temperature {
        body["temperature"] = temperature.into();
    }
    if let Some(effort) = call.effort {
        body["output_config"] = json!({ "effort": effort.as_str() });
    }
    if let Some(thinking) = call.thinking {
        body["thinking"] = json!({ "type": thinking.kind() });
        if let Some(budget) = thinking.budget_tokens() {
            body["thinking"]["budget_tokens"] = budget.into();
        }
    }
    if let Some(tier) = &call.service_tier {
        body["service_tier"] = tier.as_str().into();
    }
    body
}

/// The body of a request that counts its tokens: what is read, and nothing of how the answer is written.
pub(super) fn counted(call: &ModelCall) -> Value {
    let mut body = json!({
        "model": call.model.as_str(),
        "messages": call.messages.iter().map(message).collect::<Vec<_>>(),
    });
    if !call.system.is_empty() {
        body["system"] = call.system.iter().map(block).collect();
    }
    body
}

fn message(message: &Message) -> Value {
    json!({ "role": message.role, "content": message.blocks.iter().map(block).collect::<Vec<_>>() })
}

fn block(block: &TextBlock) -> Value {
    let mut found = Map::from_iter([("type".into(), "text".into()), ("text".into(), (*block.text).into())]);
    match block.cache {
        Some(CacheTtl::FiveMinutes) => found.insert("cache_control".into(), json!({ "type": "ephemeral" })),
        Some(CacheTtl::OneHour) => {
            found.insert("cache_control".into(), json!({ "type": "ephemeral", "ttl": "1h" }))
        }
        None => None,
    };
    found.into()
}
