//! CloudWatch's embedded metric format: one JSON line for each request on stdout, from which CloudWatch makes metrics.
//! Names, units and dimensions are those of `infra/metrics.json`. A set of dimension values is a billed metric, so only
//! the model (one of the catalogue) and the outcome (one of our kinds) are dimensions; the rest are plain members.

use std::fmt::{Display, Write as _};
use std::io::Write as _;

use claude_code_core::ErrorKind::{self, Cut, Empty, Interrupted, Timeout, Truncated};
use claude_code_core::metrics::Observation;
use claude_code_core::trace::hex;

/// Where the metrics are.
pub const NAMESPACE: &str = "ClaudeCode";

/// Writes a line to stdout, which Lambda sends to CloudWatch Logs. One that is closed loses it.
pub(super) fn put(line: String) {
    let _ = std::io::stdout().lock().write_all((line + "\n").as_bytes());
}

/// The line of a request, `now_ms` in milliseconds since 1970.
pub fn line(seen: &Observation, now_ms: i64) -> String {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let failed = u64::from(seen.error_kind.is_some());
    let cut = [Truncated, Cut, Empty, Interrupted, Timeout].iter().any(|kind| seen.outcome == kind.as_str());
    let (counts, is) = (&seen.attempts, |truth: bool| Some(u64::from(truth)));
    let mut line = Line::default();
    for (name, unit, figure) in [
        ("Requests", "Count", is(seen.answered)),
        ("Success", "Count", is(seen.outcome == "accepted")),
        ("Failure", "Count", is(seen.answered && failed == 1)),
        ("Duration", "Milliseconds", Some(millis(seen.took))),
        ("TimeToFirstFile", "Milliseconds", seen.first_file.map(millis)),
        ("InputTokens", "Count", Some(seen.input_tokens)),
        ("OutputTokens", "Count", Some(seen.output_tokens)),
        ("CacheReadTokens", "Count", Some(seen.cache_read_tokens)),
        ("CacheWriteTokens", "Count", Some(seen.cache_write_tokens)),
        ("Throttles", "Count", Some(counts.throttled.into())),
        ("Incomplete", "Count", is(cut)),
        ("Retries", "Count", Some(seen.sends.saturating_sub(1).into())),
        ("CacheHits", "Count", is(seen.cached)),
        ("BatchRecordsFailed", "Count", seen.batch_id.as_ref().map(|_| failed)),
    ] {
        line.metric(name, unit, figure);
    }
    line.metric("CostUsd", "None", seen.cost.priced());
    for (name, text) in [
        ("RequestId", Some(seen.request_id.as_str())),
        ("TraceId", seen.trace.as_ref().map(|trace| hex(&trace.context.trace_id)).as_deref()),
        ("Scope", Some(seen.scope.as_str())),
        ("BatchId", seen.batch_id.as_deref()),
        ("ModelId", seen.model.as_deref()),
        ("Tier", seen.tier),
        ("Lane", Some(seen.lane)),
        ("StopReason", seen.stop_reason.as_deref()),
        ("ErrorKind", seen.error_kind),
        ("ServiceRequestId", seen.service_request_id.as_deref()),
        ("StoreOutcome", Some(seen.stored.as_str())),
    ] {
        line.member(name, text.filter(|text| !text.is_empty()).map(serde_json::Value::from));
    }
    line.member("ThinkingTokens", seen.thinking_tokens);
    line.member("TimeToFirstEvent", seen.first_event.map(millis));
    let causes = [counts.all, counts.resumes, counts.repairs, counts.fallbacks, counts.escalations];
    for (name, count) in ["Attempts", "Resumes", "Repairs", "Fallbacks", "Escalations"].iter().zip(causes) {
        line.member(name, Some(count));
    }
    line.finish(seen.model_name, seen.outcome, now_ms)
}

/// The line of a request whose caller was not signed in.
pub fn authentication_failure(now_ms: i64) -> String {
    let mut line = Line::default();
    line.metric("AuthenticationFailures", "Count", Some(1));
    line.finish("none", ErrorKind::Credentials.as_str(), now_ms)
}

/// A line in the making: what CloudWatch is told to read, and the members that it reads. Values are written as they are,
/// so each must be JSON.
#[derive(Default)]
struct Line(String, String);

impl Line {
    fn metric(&mut self, name: &str, unit: &str, figure: Option<impl Display>) {
        let Some(figure) = figure else { return };
        let comma = if self.0.is_empty() { "" } else { "," };
        let _ = write!(self.0, r#"{comma}{{"Name":"{name}","Unit":"{unit}"}}"#);
        self.member(name, Some(figure));
    }

    fn member(&mut self, name: &str, value: Option<impl Display>) {
        let _ = value.map(|value| write!(self.1, r#","{name}":{value}"#));
    }

    fn finish(self, model: &str, outcome: &str, now: i64) -> String {
        let Line(metrics, members) = self;
        format!(
            r#"{{"_aws":{{"Timestamp":{now},"CloudWatchMetrics":[{{"Namespace":"{NAMESPACE}","Dimensions":[["Model","Outcome"],[]],"Metrics":[{metrics}]}}]}},"Model":"{model}","Outcome":"{outcome}"{members}}}"#
        )
    }
}
