//! The prompt cache, as far as figures go: the first call up to a cache point writes its prefix, an equal prefix is read
//! as long as it lives.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use claude_code_core::answer::file::hex;
use claude_code_core::model::catalogue::ModelCard;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::local::responder::{CacheUse, estimate_tokens};

/// Prefixes kept; beyond them all are forgotten, so that a long-running twin does not grow.
const MAX_PREFIXES: usize = 100_000;
/// How long a prefix lives after it was written or read, where its cache point says nothing.
const LIFE: Duration = Duration::from_secs(5 * 60);
const LONG_LIFE: Duration = Duration::from_secs(60 * 60);

/// The prefixes of one twin, with the end of each.
#[derive(Debug, Default)]
pub(super) struct PromptCache(Mutex<HashMap<String, Instant>>);

impl PromptCache {
    /// What of this request the model reads from the cache and writes to it.
    pub(super) fn pass(&self, card: &ModelCard, body: &str) -> CacheUse {
        let marked = body.contains("\"cachePoint\"") || body.contains("\"cache_control\"");
        let Some(least) = card.capabilities.prompt_cache_min_tokens.filter(|_| marked) else {
            return CacheUse::default();
        };
        let mut points = points(card.bedrock_id, &serde_json::from_str(body).unwrap_or_default());
        points.retain(|point| point.tokens >= u64::from(least));
        let now = Instant::now();
        let mut prefixes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        prefixes.retain(|_, end| *end > now);
        if prefixes.len() > MAX_PREFIXES {
            prefixes.clear();
        }
        let known = points.iter().rev().find(|point| prefixes.contains_key(&point.prefix));
        let read_tokens = known.map_or(0, |point| point.tokens);
        let all = points.last().map_or(0, |point| point.tokens);
        prefixes.extend(points.into_iter().map(|point| (point.prefix, now + point.life)));
        CacheUse { read_tokens, write_tokens: all.saturating_sub(read_tokens) }
    }
}

/// A place in a prompt up to which it is cached.
struct Point {
    /// A hash of all that stands before it.
    prefix: String,
    /// Of the texts before it.
    tokens: u64,
    life: Duration,
}

/// The cache points of a request of either style: tools come before the system prompt, and that before the messages.
fn points(model: &str, body: &Value) -> Vec<Point> {
    let mut points = Vec::new();
    let mut hash = Sha256::new_with_prefix(model);
    let mut tokens = 0;
    let mut take = |block: &Value| {
        let control = block.get("cachePoint").or(block.get("cache_control")).filter(|it| !it.is_null());
        if block.get("cachePoint").is_none() {
            let mut content = block.clone();
            if let Some(members) = content.as_object_mut() {
                members.remove("cache_control");
            }
            hash.update(content.to_string());
            let text = block.get("text").or(Some(block)).and_then(Value::as_str);
            tokens += text.map_or(0, estimate_tokens);
        }
        if let Some(control) = control {
            let life = if control.get("ttl").is_some_and(|ttl| ttl == "1h") { LONG_LIFE } else { LIFE };
            points.push(Point { prefix: hex(&hash.clone().finalize()), tokens, life });
        }
    };
    let tools = body.pointer("/toolConfig/tools").or(body.get("tools"));
    [tools, body.get("system")].into_iter().flatten().flat_map(blocks).for_each(&mut take);
    for message in body.get("messages").into_iter().flat_map(blocks) {
        if let Some(role) = message.get("role") {
            // No text of its own: it tells one turn from the next.
            take(&serde_json::json!({ "role": role }));
        }
        message.get("content").into_iter().flat_map(blocks).for_each(&mut take);
    }
    points
}

/// The items of a list; a text is its only one.
fn blocks(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}
