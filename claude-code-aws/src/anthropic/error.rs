//! What the Messages API's errors mean: by type, else by status. Servers that speak it may write errors as OpenAI
//! does: a code beside the type, or none of either.

use claude_code_core::ErrorKind;
use claude_code_core::provider::{Billing, ProviderError};
use serde_json::Value;

use crate::model_service::context_length::{call_too_long, says_too_long};
use crate::model_service::faults::{by_status, foreign, is_page, printable, refused_field, says_daily};
use crate::model_service::redact::Sent;

/// Why bytes that arrived are no answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum Damage {
    /// An event does not end.
    #[error("an event is longer than 16 MiB")]
    Event,
    /// The stream does not end.
    #[error("the stream is longer than 64 MiB")]
    Stream,
    /// Bytes that are no UTF-8.
    #[error("an event is not UTF-8")]
    Text,
    /// An event that is no JSON of the Messages API: a proxy's page, perhaps.
    #[error("the answer is not JSON of the Messages API")]
    Json,
    /// An event is missing, doubled or swapped.
    #[error("an event is missing, doubled or out of order")]
    Order,
}

impl From<Damage> for ProviderError {
    fn from(damage: Damage) -> Self {
        ProviderError::new(
            ErrorKind::Protocol,
            Billing::Maybe,
            format!("{damage}: the answer cannot be trusted, send it again"),
        )
    }
}

/// Why a send was refused, from status and body.
pub(super) fn of_response(sent: Sent<'_>, status: u16, kind: Option<&str>, body: &[u8]) -> ProviderError {
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let (code, text) = read(&body);
    let mut fault = by_type(sent, code, status, text);
    let is_foreign = match status {
        413 | 429 => false,
        401 | 403 | 404 | 407 => true,
        _ => is_page(kind),
    };
    if code.is_empty() && text.is_empty() && is_foreign {
        fault.message = foreign(status, kind);
    }
    fault.status = Some(status);
    fault.code = Some(code).filter(|code| !code.is_empty()).map(|code| printable(code, 64));
    fault.request_id = body["request_id"].as_str().map(|id| printable(id, 128));
    fault
}

/// Why an open stream failed: it may have been paid for until then.
pub(super) fn in_stream(sent: Sent<'_>, event: &Value) -> ProviderError {
    let (code, text) = read(event);
    let mut fault = by_type(sent, code, 0, text);
    fault.paid = Billing::Maybe;
    fault.code = Some(printable(code, 64)).filter(|code| !code.is_empty());
    fault.request_id = event["request_id"].as_str().map(|id| printable(id, 128));
    fault
}

/// Type and words of an error in any of its shapes.
fn read(body: &Value) -> (&str, &str) {
    let error = &body["error"];
    let code = error["type"].as_str().or(error["code"].as_str()).unwrap_or_default();
    (code, error["message"].as_str().or(error.as_str()).unwrap_or_default())
}

fn by_type(sent: Sent<'_>, code: &str, status: u16, text: &str) -> ProviderError {
    let model = sent.model();
    let fault = |kind, paid, message: String| ProviderError::new(kind, paid, message);
    match (code, status) {
        ("authentication_error", _) | (_, 401) => fault(
            ErrorKind::Credentials,
            Billing::No,
            "the Messages API refused the key: check ANTHROPIC_API_KEY".to_owned(),
        ),
        ("billing_error", _) | (_, 402) => fault(
            ErrorKind::Quota,
            Billing::No,
            "the account cannot pay for more: see its billing".to_owned(),
        ),
        ("permission_error", _) | (_, 403) => fault(
            ErrorKind::AccessDenied,
            Billing::No,
            format!("this key may not use {model}: ask its owner"),
        ),
        ("not_found_error", _) | (_, 404) => fault(
            ErrorKind::NotFound,
            Billing::No,
            format!("the server does not know {model}: check id and base URL"),
        ),
        ("request_too_large", _) | (_, 413) => call_too_long(sent.call, text),
        ("rate_limit_error", _) if text.contains("Extra usage is required") => fault(
            ErrorKind::Quota,
            Billing::No,
            format!("the account's plan does not cover this use of {model}"),
        ),
        ("rate_limit_error", _) | (_, 429) if says_daily(text) => fault(
            ErrorKind::Quota,
            Billing::No,
            format!("today's tokens of this key for {model} are used up"),
        ),
        ("rate_limit_error", _) | (_, 429) => fault(
            ErrorKind::Throttled,
            Billing::No,
            format!("the Messages API throttles {model}: wait, or send less"),
        ),
        ("overloaded_error", _) | (_, 529) => {
            fault(ErrorKind::Unavailable, Billing::No, format!("{model} is overloaded: try again in a while"))
        }
        ("timeout_error", _) | (_, 504) => {
            fault(ErrorKind::Timeout, Billing::Maybe, format!("{model} took too long: ask for less at once"))
        }
        ("api_error", 0 | 500) => fault(
            ErrorKind::Unavailable,
            Billing::Maybe,
            format!("{model} failed while answering: try again"),
        ),
        ("invalid_request_error", 0..=499) | (_, 400 | 422) => invalid(sent, text),
        (_, 0) => fault(ErrorKind::Unavailable, Billing::Maybe, format!("{model} failed midway: try again")),
        _ => by_status("the Messages API", model, code, status),
    }
}

fn invalid(sent: Sent<'_>, text: &str) -> ProviderError {
    let model = sent.model();
    let lower = text.to_lowercase();
    if says_too_long(&lower) {
        return call_too_long(sent.call, text);
    }
    if lower.contains("credit balance") {
        return ProviderError::new(
            ErrorKind::Quota,
            Billing::No,
            "the account cannot pay for more: see its billing".to_owned(),
        );
    }
    let told = sent.words(text);
    ProviderError {
        refused_field: refused_field(&lower),
        ..ProviderError::new(
            ErrorKind::InvalidRequest,
            Billing::No,
            format!("{model} refused the request: {told}"),
        )
    }
}
