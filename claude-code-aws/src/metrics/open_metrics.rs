//! OpenMetrics: the counters of this process as text, for Prometheus and what reads its format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use claude_code_core::PicoUsd;
use claude_code_core::metrics::Observation;

/// The media type of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper ends of the duration's buckets in seconds: a generation takes seconds to minutes.
const BUCKETS: [u64; 10] = [1, 2, 5, 10, 20, 40, 80, 160, 320, 640];

/// The counters of one process.
#[derive(Debug, Default)]
pub struct Registry(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By model and outcome.
    requests: BTreeMap<(&'static str, &'static str), Counters>,
    authentication_failures: u64,
}

#[derive(Debug, Default)]
struct Counters {
    requests: u64,
    cached: u64,
    retries: u64,
    throttled: u64,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    cost: PicoUsd,
    unpriced: u64,
    seconds: Duration,
    /// How many took as long as each bucket's end, or less.
    within: [u64; BUCKETS.len()],
}

impl Registry {
    /// Counts a request.
    pub fn record(&self, seen: &Observation) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counters = state.requests.entry((seen.model_name, seen.outcome)).or_default();
        counters.requests += 1;
        counters.cached += u64::from(seen.cached);
        counters.retries += u64::from(seen.sends.saturating_sub(1));
        counters.throttled += u64::from(seen.attempts.throttled);
        counters.input = counters.input.saturating_add(seen.input_tokens);
        counters.output = counters.output.saturating_add(seen.output_tokens);
        counters.cache_read = counters.cache_read.saturating_add(seen.cache_read_tokens);
        counters.cache_write = counters.cache_write.saturating_add(seen.cache_write_tokens);
        counters.cost = counters.cost.saturating_add(seen.cost.known());
        counters.unpriced += u64::from(!seen.cost.is_priced());
        counters.seconds = counters.seconds.saturating_add(seen.took);
        for (within, end) in counters.within.iter_mut().zip(BUCKETS) {
            *within += u64::from(seen.took <= Duration::from_secs(end));
        }
    }

    /// Counts a request whose caller was not signed in.
    pub fn authentication_failed(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).authentication_failures += 1;
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        type Figure = fn(&Counters) -> String;
        let families: [(&str, &str, Figure); 10] = [
            ("requests", "Requests that came to an end.", |c| c.requests.to_string()),
            ("response_cache_hits", "Requests answered by the response cache.", |c| c.cached.to_string()),
            ("retries", "Attempts beyond the first of a request.", |c| c.retries.to_string()),
            ("throttles", "Attempts that the service throttled.", |c| c.throttled.to_string()),
            ("input_tokens", "Prompt tokens outside the prompt cache.", |c| c.input.to_string()),
            ("output_tokens", "Tokens of the answers.", |c| c.output.to_string()),
            ("cache_read_tokens", "Prompt tokens read from the prompt cache.", |c| c.cache_read.to_string()),
            ("cache_write_tokens", "Prompt tokens written to the prompt cache.", |c| {
                c.cache_write.to_string()
            }),
            ("cost_usd", "What is known of the cost in US dollars.", |c| c.cost.to_string()),
            ("unpriced", "Requests with a cost that is not known in full.", |c| c.unpriced.to_string()),
        ];
        for (name, help, figure) in families {
            head(&mut text, name, "counter", help);
            for ((model, outcome), counters) in &state.requests {
                let labels = labels(model, outcome);
                let _ = writeln!(text, "claude_code_{name}_total{{{labels}}} {}", figure(counters));
            }
        }
        head(&mut text, "duration_seconds", "histogram", "From the request to its end.");
        for ((model, outcome), counters) in &state.requests {
            histogram(&mut text, &labels(model, outcome), counters);
        }
        head(&mut text, "authentication_failures", "counter", "Requests that were not signed in.");
        let _ = writeln!(text, "claude_code_authentication_failures_total {}", state.authentication_failures);
        text.push_str("# EOF\n");
        text
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# TYPE claude_code_{name} {kind}\n# HELP claude_code_{name} {help}");
}

fn histogram(text: &mut String, labels: &str, counters: &Counters) {
    let name = "claude_code_duration_seconds";
    for (within, end) in counters.within.iter().zip(BUCKETS) {
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{end}.0\"}} {within}");
    }
    let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", counters.requests);
    let _ = writeln!(text, "{name}_count{{{labels}}} {}", counters.requests);
    let _ = writeln!(text, "{name}_sum{{{labels}}} {}", counters.seconds.as_secs_f64());
}

/// Both are of bounded sets of plain names: nothing in them needs escaping.
fn labels(model: &str, outcome: &str) -> String {
    format!("model=\"{model}\",outcome=\"{outcome}\"")
}
