//! CloudWatch's embedded metric format: one JSON line for each request on stdout, from which CloudWatch makes metrics.
//! Names, units and dimensions are those of `infra/metrics.json`. A set of dimension values is a billed metric, so only
//! the model (one of the catalogue) and the outcome (one of our kinds) are dimensions; the rest are plain members.

use std::fmt::Write as _;
use std::io::Write as _;

use claude_code_core::ErrorKind;
use claude_code_core::metrics::Observation;

/// Where the metrics are.
pub const NAMESPACE: &str = "ClaudeCode";

/// Writes lines to stdout.
#[derive(Clone, Copy, Debug)]
pub struct Emf(());

impl Emf {
    /// To stdout, which Lambda sends to CloudWatch Logs.
    pub fn stdout() -> Self {
        Emf(())
    }

    /// Writes the line of a request. A stdout that is closed loses it: metrics never fail a call.
    pub fn write(&self, observation: &Observation, now_ms: i64) {
        put(line(observation, now_ms));
    }

    /// Writes the line of a request whose caller was not signed in.
    pub fn authentication_failed(&self, now_ms: i64) {
        put(authentication_failure(now_ms));
    }
}

fn put(mut line: String) {
    line.push('\n');
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

/// The line of a request, `now_ms` in milliseconds since 1970.
pub fn line(seen: &Observation, now_ms: i64) -> String {
    let mut line = Line::new();
    let is = |kinds: &[ErrorKind]| u64::from(kinds.iter().any(|kind| seen.outcome == kind.as_str()));
    line.count("Requests", u64::from(seen.answered));
    line.count("Success", u64::from(seen.outcome == "accepted"));
    line.count("Failure", u64::from(seen.answered && seen.error_kind.is_some()));
    line.metric("Duration", "Milliseconds", millis(seen.took));
    if let Some(first) = seen.first_file {
        line.metric("TimeToFirstFile", "Milliseconds", millis(first));
    }
    line.count("InputTokens", seen.input_tokens);
    line.count("OutputTokens", seen.output_tokens);
    line.count("CacheReadTokens", seen.cache_read_tokens);
    line.count("CacheWriteTokens", seen.cache_write_tokens);
    if let Some(cost) = seen.cost.priced() {
        line.metric("CostUsd", "None", cost);
    }
    line.count("Throttles", seen.attempts.throttled.into());
    line.count(
        "Incomplete",
        is(&[
            ErrorKind::Truncated,
            ErrorKind::Cut,
            ErrorKind::Empty,
            ErrorKind::Interrupted,
            ErrorKind::Timeout,
        ]),
    );
    line.count("Retries", seen.sends.saturating_sub(1).into());
    line.count("CacheHits", u64::from(seen.cached));
    if seen.batch_id.is_some() {
        line.count("BatchRecordsFailed", u64::from(seen.error_kind.is_some()));
    }
    members(&mut line, seen);
    line.finish(seen.model_name, seen.outcome, now_ms)
}

/// What is searched for in the logs and is no metric.
fn members(line: &mut Line, seen: &Observation) {
    line.text("RequestId", Some(&seen.request_id));
    line.text("Scope", Some(&seen.scope));
    line.text("BatchId", seen.batch_id.as_deref());
    line.text("ModelId", seen.model.as_deref());
    line.text("Tier", seen.tier);
    line.text("Lane", Some(seen.lane));
    line.text("StopReason", seen.stop_reason.as_deref());
    line.text("ErrorKind", seen.error_kind);
    line.text("ServiceRequestId", seen.service_request_id.as_deref());
    line.text("StoreOutcome", Some(seen.stored.as_str()));
    let counts = &seen.attempts;
    for (name, number) in [
        ("Attempts", Some(counts.all.into())),
        ("Resumes", Some(counts.resumes.into())),
        ("Repairs", Some(counts.repairs.into())),
        ("Fallbacks", Some(counts.fallbacks.into())),
        ("Escalations", Some(counts.escalations.into())),
        ("ThinkingTokens", seen.thinking_tokens),
        ("TimeToFirstEvent", seen.first_event.map(millis)),
    ] {
        if let Some(number) = number {
            line.member(name, number);
        }
    }
}

/// The line of a request whose caller was not signed in.
pub fn authentication_failure(now_ms: i64) -> String {
    let mut line = Line::new();
    line.count("AuthenticationFailures", 1);
    line.finish("none", ErrorKind::Credentials.as_str(), now_ms)
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A line in the making: what CloudWatch is told to read, and the members that it reads.
struct Line {
    metrics: String,
    members: String,
}

impl Line {
    fn new() -> Self {
        Line { metrics: String::with_capacity(1024), members: String::with_capacity(1024) }
    }

    fn count(&mut self, name: &str, number: u64) {
        self.metric(name, "Count", number);
    }

    /// A metric; its value is written as it is, so it must be a JSON number.
    fn metric(&mut self, name: &str, unit: &str, number: impl std::fmt::Display) {
        let comma = if self.metrics.is_empty() { "" } else { "," };
        let _ = write!(self.metrics, r#"{comma}{{"Name":"{name}","Unit":"{unit}"}}"#);
        self.member(name, number);
    }

    fn member(&mut self, name: &str, number: impl std::fmt::Display) {
        let _ = write!(self.members, r#","{name}":{number}"#);
    }

    fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let text = serde_json::Value::from(text);
            let _ = write!(self.members, r#","{name}":{text}"#);
        }
    }

    fn finish(self, model: &str, outcome: &str, now_ms: i64) -> String {
        let Line { metrics, members } = self;
        format!(
            r#"{{"_aws":{{"Timestamp":{now_ms},"CloudWatchMetrics":[{{"Namespace":"{NAMESPACE}","Dimensions":[["Model","Outcome"],[]],"Metrics":[{metrics}]}}]}},"Model":"{model}","Outcome":"{outcome}"{members}}}"#
        )
    }
}
