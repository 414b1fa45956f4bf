//! Structured logs: one JSON line on stderr for each request, with ids, kinds and figures, and never with a prompt, code
//! or a secret.

use std::io::Write as _;

use claude_code_core::UtcMillis;
use claude_code_core::metrics::Observation;
use serde_json::{Value, json};

/// Writes lines to stderr.
#[derive(Clone, Copy, Debug)]
pub struct RequestLog(());

impl RequestLog {
    /// To stderr.
    pub fn stderr() -> Self {
        RequestLog(())
    }

    /// Writes the line of a request. A stderr that is closed loses it.
    pub fn write(&self, observation: &Observation, now_ms: i64) {
        let line = format!("{}\n", line(observation, now_ms));
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

/// The line of a request.
pub fn line(seen: &Observation, now_ms: i64) -> Value {
    let counts = &seen.attempts;
    let seconds = |time: std::time::Duration| time.as_secs_f64();
    json!({
        "time": UtcMillis(now_ms).iso(),
        "level": if seen.error_kind.is_some() { "warn" } else { "info" },
        "message": "request",
        "request_id": seen.request_id,
        "scope": seen.scope,
        "batch_id": seen.batch_id,
        "outcome": seen.outcome,
        "error_kind": seen.error_kind,
        "service_request_id": seen.service_request_id,
        "model": seen.model,
        "tier": seen.tier,
        "tier_reason": seen.tier_reason,
        "lane": seen.lane,
        "seconds": seconds(seen.took),
        "seconds_to_first_event": seen.first_event.map(seconds),
        "seconds_to_first_file": seen.first_file.map(seconds),
        "attempts": { "all": counts.all, "retries": counts.retries, "resumes": counts.resumes,
            "repairs": counts.repairs, "fallbacks": counts.fallbacks, "escalations": counts.escalations,
            "throttled": counts.throttled },
        "cached": seen.cached,
        "tokens": { "input": seen.input_tokens, "output": seen.output_tokens, "cache_read": seen.cache_read_tokens,
            "cache_write": seen.cache_write_tokens, "thinking": seen.thinking_tokens },
        "cost_usd": seen.cost,
        "stop_reason": seen.stop_reason,
        "store": seen.stored.as_str(),
    })
}
