//! From an observation to spans: one for the request, of kind client, and one below it for each attempt. Names and
//! figures only, as the observation has no text.

use std::time::Duration;

use claude_code_core::UtcMillis;
use claude_code_core::metrics::{AttemptTiming, Observation};
use claude_code_core::trace::{RequestTrace, TraceContext};

use super::labels;
use super::names::{CHAT, attribute};
use super::protobuf::{Message, Value};

/// Fields of OTLP's `Span` (opentelemetry/proto/trace/v1/trace.proto).
mod field {
    pub(super) const TRACE_ID: u32 = 1;
    pub(super) const SPAN_ID: u32 = 2;
    pub(super) const TRACE_STATE: u32 = 3;
    pub(super) const PARENT: u32 = 4;
    pub(super) const NAME: u32 = 5;
    pub(super) const KIND: u32 = 6;
    pub(super) const START: u32 = 7;
    pub(super) const END: u32 = 8;
    pub(super) const ATTRIBUTE: u32 = 9;
    pub(super) const STATUS: u32 = 15;
}
const INTERNAL: u64 = 1;
const CLIENT: u64 = 3;
const ERROR: u64 = 2;

/// The spans of a request, each an encoded `Span`; none where the trace is not recorded.
pub(super) fn of(provider: &'static str, seen: &Observation, old_names: bool) -> Vec<Vec<u8>> {
    let Some(trace) = seen.trace.as_ref().filter(|trace| trace.is_recorded) else { return Vec::new() };
    let mut spans = vec![request(provider, seen, trace, old_names)];
    spans.extend(seen.spans.iter().map(|attempt| of_attempt(seen, trace, attempt)));
    spans
}

fn request(provider: &'static str, seen: &Observation, trace: &RequestTrace, old_names: bool) -> Vec<u8> {
    let model = seen.model.as_deref().unwrap_or(seen.model_name);
    let name = format!("{CHAT} {model}");
    let mut span = begun(&trace.context, trace.parent, &name, CLIENT);
    times(&mut span, seen.started, Duration::ZERO, seen.took);
    let mut tell = |name: &str, value: Value<'_>| span.attribute(field::ATTRIBUTE, name, value);
    tell(attribute::OPERATION, Value::Text(CHAT));
    tell(attribute::PROVIDER, Value::Text(provider));
    tell(attribute::REQUEST_MODEL, Value::Text(model));
    tell(attribute::STREAM, Value::Bool(true));
    tell(attribute::RESPONSE_ID, Value::Text(&seen.request_id));
    let cost = seen.cost.priced().map(|cost| cost.to_string());
    let texts = [
        (attribute::REASONING_LEVEL, seen.effort.map(|effort| effort.as_str())),
        (attribute::RESPONSE_MODEL, seen.model.as_deref().filter(|_| seen.error_kind.is_none())),
        (attribute::ERROR_TYPE, labels::error(seen)),
        ("claude_code.outcome", Some(seen.outcome)),
        ("claude_code.tier", seen.tier),
        ("claude_code.lane", Some(seen.lane)),
        ("claude_code.stored", Some(seen.stored.as_str())),
        ("claude_code.batch_id", seen.batch_id.as_deref()),
        ("claude_code.cost_usd", cost.as_deref()),
        ("aws.request_id", seen.service_request_id.as_deref()),
    ];
    texts.into_iter().filter_map(|(name, text)| Some((name, text?))).for_each(|(name, text)| {
        tell(name, Value::Text(text));
    });
    if let Some(reason) = &seen.stop_reason {
        tell(attribute::FINISH_REASONS, Value::List(reason));
    }
    for (name, figure) in [
        (attribute::TEMPERATURE, seen.temperature),
        (attribute::FIRST_CHUNK, seen.first_event.map(|first| first.as_secs_f64())),
    ] {
        figure.into_iter().for_each(|figure| tell(name, Value::Double(figure)));
    }
    for (name, count) in counts(seen, old_names) {
        count.into_iter().for_each(|count| tell(name, Value::Int(count)));
    }
    tell("claude_code.cached", Value::Bool(seen.cached));
    ended(span, labels::error(seen).is_some())
}

fn counts(seen: &Observation, old_names: bool) -> [(&'static str, Option<u64>); 9] {
    let some = |count: u64| (count > 0).then_some(count);
    let input = input(seen);
    [
        (attribute::MAX_TOKENS, seen.max_tokens.map(u64::from)),
        (attribute::INPUT, some(input)),
        (attribute::OUTPUT, some(seen.output_tokens)),
        (attribute::CACHE_READ, some(seen.cache_read_tokens)),
        (attribute::CACHE_WRITE, some(seen.cache_write_tokens)),
        (attribute::REASONING, seen.thinking_tokens.and_then(some)),
        (attribute::OLD_CACHE_WRITE, some(seen.cache_write_tokens).filter(|_| old_names)),
        ("claude_code.attempts", Some(seen.sends.into())),
        ("claude_code.files", Some(seen.files as u64)),
    ]
}

/// Tokens of the prompt as the conventions count them: those of the prompt cache are some of them.
pub(super) fn input(seen: &Observation) -> u64 {
    seen.input_tokens.saturating_add(seen.cache_read_tokens).saturating_add(seen.cache_write_tokens)
}

fn of_attempt(seen: &Observation, trace: &RequestTrace, timing: &AttemptTiming) -> Vec<u8> {
    let own = trace.attempt(timing.number);
    let mut span = begun(&own, Some(trace.context.span_id), "claude_code.attempt", INTERNAL);
    times(&mut span, seen.started, timing.start, timing.end);
    let attempt = &timing.attempt;
    let failed = attempt.outcome != "complete";
    let mut tell = |name: &str, value: Value<'_>| span.attribute(field::ATTRIBUTE, name, value);
    tell(attribute::REQUEST_MODEL, Value::Text(&attempt.model));
    tell("claude_code.reason", Value::Text(&attempt.why));
    tell("claude_code.outcome", Value::Text(&attempt.outcome));
    tell("claude_code.waited_ms", Value::Int(attempt.waited_ms));
    if failed {
        tell(attribute::ERROR_TYPE, Value::Text(&attempt.outcome));
    }
    if let Some(id) = &attempt.request_id {
        tell("aws.request_id", Value::Text(id));
    }
    if let Some(first) = timing.first_event {
        let after = first.saturating_sub(timing.start).as_secs_f64();
        tell(attribute::FIRST_CHUNK, Value::Double(after));
    }
    ended(span, failed)
}

fn begun(own: &TraceContext, parent: Option<[u8; 8]>, name: &str, kind: u64) -> Message {
    let mut span = Message::default();
    span.bytes(field::TRACE_ID, own.trace_id);
    span.bytes(field::SPAN_ID, own.span_id);
    if let Some(state) = own.tracestate() {
        span.bytes(field::TRACE_STATE, state);
    }
    if let Some(parent) = parent {
        span.bytes(field::PARENT, parent);
    }
    span.bytes(field::NAME, name);
    span.int(field::KIND, kind);
    span
}

fn times(span: &mut Message, origin: UtcMillis, start: Duration, end: Duration) {
    let origin = u64::try_from(origin.0).unwrap_or(0).saturating_mul(1_000_000);
    for (field, after) in [(field::START, start), (field::END, end.max(start))] {
        let nanos = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        span.fixed64(field, origin.saturating_add(nanos));
    }
}

fn ended(mut span: Message, failed: bool) -> Vec<u8> {
    if failed {
        span.message(field::STATUS, |status| status.int(3, ERROR));
    }
    span.into_bytes()
}
