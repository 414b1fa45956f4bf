//! What failures of any model service have in common: signs in their texts, waits in their headers, statuses without a
//! code. Which of them may be on the bill is said here and in the providers' own tables; nobody else guesses.

use std::error::Error as StdError;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use claude_code_core::provider::{Field, Paid, ProviderError};
use claude_code_core::{Clock, Kind, ModelId};

use crate::clock::SystemClock;

/// A signature is refused from five minutes on; the SDK corrects from four.
const MAX_SKEW: i64 = 240;

/// The longest part of a service's own words that is shown.
pub(crate) const WORDS: usize = 300;

/// The texts of an error and its sources, lower case, to look for signs; never shown.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push(' ');
        text.push_str(&error.to_string());
        source = error.source();
    }
    text.to_lowercase()
}

/// A fault of the connection to `host`: safe while none was made, unknown after.
pub(crate) fn connection(host: &str, chain: &str) -> ProviderError {
    let connecting = [
        "dns error",
        "error trying to connect",
        "tcp connect",
        "connecterror",
        "connect error",
        "(connect)",
        "connect timeout",
        "connection refused",
        "invalid peer certificate",
    ];
    if connecting.iter().any(|sign| chain.contains(sign)) {
        return ProviderError::new(
            Kind::Unavailable,
            Paid::No,
            format!(
                "{host} could not be reached (name, route or certificate): check region, network and any proxy"
            ),
        );
    }
    ProviderError::new(Kind::Cut, Paid::Maybe, "the connection broke before an answer began: try again")
}

/// The verdict on a status alone.
pub(crate) fn by_status(service: &str, model: &ModelId, code: &str, status: u16) -> ProviderError {
    let named = if code.is_empty() {
        format!("HTTP {status}")
    } else {
        format!("{} (HTTP {status})", printable(code, 64))
    };
    let (kind, paid) = match status {
        401 => (Kind::Credentials, Paid::No),
        403 => (Kind::AccessDenied, Paid::No),
        404 => (Kind::NotFound, Paid::No),
        413 => (Kind::ContextTooLong, Paid::No),
        429 => (Kind::Throttled, Paid::No),
        503 | 529 => (Kind::Unavailable, Paid::No),
        500..=599 => (Kind::Unavailable, Paid::Maybe),
        400..=499 => (Kind::InvalidRequest, Paid::No),
        _ => (Kind::Protocol, Paid::Maybe),
    };
    ProviderError::new(
        kind,
        paid,
        format!("{service} answered {named} for {model}: try again, or see the service's status"),
    )
}

/// Whether the text, in lower case, says that the prompt does not fit.
pub(crate) fn says_too_long(lower: &str) -> bool {
    [
        "prompt is too long",
        "input is too long",
        "exceed context limit",
        "exceeds the available context",
        "too many total text bytes",
        "input tokens exceed",
        "context window",
        "maximum context length",
    ]
    .iter()
    .any(|sign| lower.contains(sign))
}

/// A prompt that does not fit, with the figures where the service gave them.
pub(crate) fn too_long(model: &ModelId, text: &str) -> ProviderError {
    let figures = figures(text)
        .map(|(needed, allowed)| format!(" ({needed} tokens are needed, {allowed} allowed)"))
        .unwrap_or_default();
    ProviderError::new(
        Kind::ContextTooLong,
        Paid::No,
        format!(
            "prompt and answer do not fit into {model}{figures}: hand in fewer files or lower max_tokens"
        ),
    )
}

/// Tokens needed and allowed, from `… 1000001 tokens > 1000000 maximum` or `…: 199000 + 8192 > 200000, …`.
fn figures(text: &str) -> Option<(u64, u64)> {
    let (needed, allowed) = text.split_once('>')?;
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
    };
    let needed = numbers(needed.rsplit(':').next().unwrap_or(needed));
    let total = needed.iter().try_fold(0u64, |sum, n| sum.checked_add(*n))?;
    let allowed = *numbers(allowed).first()?;
    (!needed.is_empty()).then_some((total, allowed))
}

/// The field that the text, in lower case, says is not taken.
pub(crate) fn refused_field(lower: &str) -> Option<Field> {
    let table: [(Field, &[&str]); 6] = [
        (Field::Sampling, &["temperature", "top_p", "topp", "top_k"]),
        (Field::Thinking, &["thinking"]),
        (Field::Effort, &["effort", "output_config", "outputconfig"]),
        (Field::CachePoint, &["cachepoint", "cache_control", "prompt caching"]),
        (Field::Metadata, &["requestmetadata", "request metadata"]),
        (Field::ServiceTier, &["servicetier", "service tier", "service_tier"]),
    ];
    table.into_iter().find(|(_, names)| names.iter().any(|name| lower.contains(name))).map(|(field, _)| field)
}

/// The service's words, fit for one line.
pub(crate) fn printable(text: &str, longest: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(longest).collect()
}

/// How long the service asks to wait, in any of the three headers that say so.
pub(crate) fn retry_after<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> Option<Duration> {
    for name in ["x-amz-retry-after", "retry-after-ms"] {
        if let Some(millis) = header(name).and_then(|value| value.parse::<u64>().ok()) {
            return Some(Duration::from_millis(millis));
        }
    }
    header("retry-after")
        .and_then(|value| value.parse::<f64>().ok())
        .filter(|s| (0.0..86_400.0).contains(s))
        .map(Duration::from_secs_f64)
}

/// Seconds from this machine's clock to the service's, where they are too many to sign with.
pub(crate) fn skew(raw: &HttpResponse) -> Option<i64> {
    let date = DateTime::from_str(raw.headers().get("date")?, Format::HttpDate).ok()?;
    let offset = date.secs() - SystemClock.now().seconds();
    (offset.abs() >= MAX_SKEW).then_some(offset)
}
