//! Refused access in Bedrock's own words: 403 and 404 name what is missing, and each cause has another remedy.

use claude_code_core::ErrorKind;
use claude_code_core::provider::{Billing, ModelCall, ProviderError};

use crate::model_service::redact::Sent;

/// What a refusal is about, by words of the service, and what to do. The first that fits.
const CAUSES: [(&[&str], &str); 7] = [
    (
        &["use case details"],
        "submit Anthropic's use-case form once for the account (model catalogue of the Bedrock console, or \
         bedrock:PutUseCaseForModelAccess), and try again after 15 minutes",
    ),
    (
        &["payment instrument"],
        "give the account a valid payment method (AWS Billing, Payment methods), and try again after 2 minutes",
    ),
    (
        &["bearer token has expired", "api key has expired", "expired token"],
        "the Bedrock API key has expired: make a new one and set AWS_BEARER_TOKEN_BEDROCK",
    ),
    (
        &["make sure your api key is valid", "invalid api key", "bearer token is invalid"],
        "the Bedrock API key is refused: check AWS_BEARER_TOKEN_BEDROCK",
    ),
    (
        &["service control policy", "resource control policy", "permissions boundary"],
        "a policy of your organisation forbids it: ask its administrators to allow this action on this resource, in every \
         region that the inference profile sends to",
    ),
    (
        &["explicit deny"],
        "an IAM policy denies it explicitly: take that statement away, or have it except this resource",
    ),
    (
        &["aws-marketplace:"],
        "allow aws-marketplace:ViewSubscriptions and aws-marketplace:Subscribe to this role, and try again after 5 minutes",
    ),
];

/// No cause that the service names.
const ANY: &str = "allow bedrock:InvokeModelWithResponseStream on its inference profile and models; where the account never \
                   used it, accept its agreement (bedrock:ListFoundationModelAgreementOffers, CreateFoundationModelAgreement)";

/// A 403.
pub(super) fn denied(call: &ModelCall, text: &str) -> ProviderError {
    let lower = text.to_lowercase();
    let fits = |(signs, _): &&(&[&str], &str)| signs.iter().any(|sign| lower.contains(sign));
    let known = CAUSES.iter().find(fits);
    let kind = match known {
        Some((_, advice)) if advice.contains("AWS_BEARER_TOKEN_BEDROCK") => ErrorKind::Credentials,
        _ => ErrorKind::AccessDenied,
    };
    let advice = known.map_or(ANY, |(_, advice)| advice);
    ProviderError::new(
        kind,
        Billing::No,
        format!("no access to {}{}: {advice}", call.model, words(call, text)),
    )
}

/// A 404.
pub(super) fn not_found(call: &ModelCall, text: &str) -> ProviderError {
    let model = &call.model;
    let fault = |kind, message: String| ProviderError::new(kind, Billing::No, message);
    if text.contains("end of its life") {
        return fault(ErrorKind::Retired, format!("{model} has reached its end of life{}", instead(call)));
    }
    if text.contains("marked by provider as Legacy") {
        let days = days(text).map_or_else(|| "lately".to_owned(), |days| format!("in the last {days} days"));
        let message =
            format!("{model} is legacy and closed to accounts that did not use it {days}{}", instead(call));
        return fault(ErrorKind::Legacy, message);
    }
    if text.to_lowercase().contains("use case details") {
        return denied(call, text);
    }
    let told = words(call, text);
    fault(
        ErrorKind::NotFound,
        format!("Bedrock does not know {model} in this region{told}: check the id and the region"),
    )
}

/// The service's words in brackets, where there are some.
fn words(call: &ModelCall, text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => format!(" ({})", Sent::without_key(call).words(text).trim_end_matches('.')),
    }
}

/// The number before "days".
fn days(text: &str) -> Option<u32> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| word.starts_with("days"))?;
    words.get(at.checked_sub(1)?)?.parse().ok()
}

/// The successor, where the catalogue knows one.
pub(super) fn instead(call: &ModelCall) -> String {
    let next = call.catalogue.find(&call.model).and_then(|card| call.catalogue.successor_of(card));
    next.map_or_else(String::new, |card| format!(": use {}", card.name))
}
