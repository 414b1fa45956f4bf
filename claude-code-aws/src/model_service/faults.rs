//! What failures of any model service have in common: signs in their texts, waits in their headers, statuses without a
//! code. Which of them may be on the bill is said here and in the providers' own tables; nobody else guesses.

use std::error::Error as StdError;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use claude_code_core::provider::{Billing, Field, ProviderError};
use claude_code_core::{Clock, ErrorKind, ModelId};

use crate::clock::SystemClock;

/// A signature is refused from five minutes on; the SDK corrects from four.
const MAX_SKEW: i64 = 240;

/// The longest part of a service's own words that is shown.
pub(crate) const WORDS: usize = 300;

/// What to make of an answer that is no error of the service: a page of a proxy or firewall, or nothing at all.
pub(crate) fn foreign(status: u16, content_type: Option<&str>) -> String {
    let body = match content_type.map(|kind| kind.split(';').next().unwrap_or_default().trim()) {
        Some(kind) if !kind.is_empty() => format!("a body of type {}", printable(kind, 64)),
        _ => "no reason given".to_owned(),
    };
    format!(
        "HTTP {status} with {body}, which is no error of the service: a proxy or firewall may answer in its place; check \
         endpoint, HTTPS_PROXY and NO_PROXY"
    )
}

/// Whether an answer without a code is a page for browsers: something on the way wrote it, whatever its status.
pub(crate) fn is_page(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// A fault of the connection: safe while none was made, unknown after.
pub(crate) fn connection(error: &(dyn StdError + 'static)) -> ProviderError {
    match crate::connect::unreachable(error) {
        Some(unreachable) => unreachable.fault(),
        None => ProviderError::new(
            ErrorKind::Cut,
            Billing::Maybe,
            "the connection broke before an answer began: try again",
        ),
    }
}

/// The verdict on a status alone.
pub(crate) fn by_status(service: &str, model: &ModelId, code: &str, status: u16) -> ProviderError {
    let named = if code.is_empty() {
        format!("HTTP {status}")
    } else {
        format!("{} (HTTP {status})", printable(code, 64))
    };
    if matches!(status, 300..=399) {
        return ProviderError::new(
            ErrorKind::InvalidRequest,
            Billing::No,
            format!("{service} answered {named}, a redirection, which is not followed: check the base URL"),
        );
    }
    let (kind, paid) = match status {
        401 => (ErrorKind::Credentials, Billing::No),
        403 => (ErrorKind::AccessDenied, Billing::No),
        404 => (ErrorKind::NotFound, Billing::No),
        407 => (ErrorKind::Connection, Billing::No),
        408 => (ErrorKind::Timeout, Billing::Maybe),
        413 => (ErrorKind::ContextTooLong, Billing::No),
        429 => (ErrorKind::Throttled, Billing::No),
        503 | 529 => (ErrorKind::Unavailable, Billing::No),
        500..=599 => (ErrorKind::Unavailable, Billing::Maybe),
        400..=499 => (ErrorKind::InvalidRequest, Billing::No),
        _ => (ErrorKind::Protocol, Billing::Maybe),
    };
    let advice = match status {
        413 => "the request is larger than it takes: send fewer or shorter files, or a shorter prompt",
        407 => "a proxy wants a user name and password: set them in HTTPS_PROXY",
        _ => "try again, or see the service's status",
    };
    ProviderError::new(kind, paid, format!("{service} answered {named} for {model}: {advice}"))
}

/// Whether a throttle lasts until tomorrow.
pub(crate) fn says_daily(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("per day") || lower.contains("daily")
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
