//! Structured logs: one line on stderr for each request, in JSON or for people, with ids, kinds and figures, and never with a prompt, code
//! or a secret.

use std::io::Write as _;

use claude_code_core::UtcMillis;
use claude_code_core::metrics::Observation;
use claude_code_core::trace::hex;
use serde_json::{Value, json};

/// What is written to stderr for each request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogForm {
    /// Nothing.
    #[default]
    Off,
    /// A JSON line, for programs.
    Json,
    /// A line for people.
    Text,
}

impl LogForm {
    /// Writes the line of a request. A stderr that is closed loses it.
    pub fn write(self, observation: &Observation, now_ms: i64) {
        let line = match self {
            LogForm::Off => return,
            LogForm::Json => format!("{}\n", line(observation, now_ms)),
            LogForm::Text => format!("{}\n", text(observation)),
        };
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

/// The line of a request for people: what became of it, and its figures.
pub fn text(seen: &Observation) -> String {
    let seconds = |time: std::time::Duration| format!("{:.1} s", time.as_secs_f64());
    let mut parts = vec![
        format!("{} by {}", seen.outcome, seen.model.as_deref().unwrap_or("no model")),
        format!("in {}", seconds(seen.took)),
    ];
    if let Some(first) = seen.first_file {
        parts.push(format!("first file after {}", seconds(first)));
    }
    let (counts, cached) = (&seen.attempts, if seen.cached { "from the cache" } else { "not cached" });
    parts.push(cached.to_owned());
    parts.push(format!("attempts {}", counts.all));
    for (name, count) in [
        ("retries", counts.retries),
        ("resumes", counts.resumes),
        ("repairs", counts.repairs),
        ("fallbacks", counts.fallbacks),
        ("escalations", counts.escalations),
        ("throttled", counts.throttled),
    ] {
        if count > 0 {
            parts.push(format!("{name} {count}"));
        }
    }
    parts.push(format!("tokens {} in, {} out", seen.input_tokens, seen.output_tokens));
    parts.push(format!("cost {} USD", seen.cost.known()));
    parts.push(format!("store {}", seen.stored.as_str()));
    format!("request {}: {}", seen.request_id, parts.join(", "))
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
        "trace_id": seen.trace.as_ref().map(|trace| hex(&trace.context.trace_id)),
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
