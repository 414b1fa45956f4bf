//! Context length errors: how services report a prompt that does not fit, and by how much.

use claude_code_core::model::token_estimate::estimate_tokens;
use claude_code_core::provider::{Billing, ModelCall, ProviderError};
use claude_code_core::{ErrorKind, ModelId};

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
    let told = figures(text);
    fault(model, told.map(|(needed, allowed)| format!("{needed} tokens are needed, {allowed} allowed")))
}

/// The same for a call that was sent: where the service gave no figures, ours and the catalogue's.
pub(crate) fn call_too_long(call: &ModelCall, text: &str) -> ProviderError {
    let Some(card) = call.catalogue.find(&call.model).filter(|_| figures(text).is_none()) else {
        return too_long(&call.model, text);
    };
    let turns = call.messages.iter().flat_map(|message| &message.blocks);
    let prompt: u64 = call.system.iter().chain(turns).map(|block| estimate_tokens(&block.text)).sum();
    let (needed, allowed) = (prompt + u64::from(call.max_tokens), u64::from(card.context_window));
    let told = match needed > allowed {
        true => format!("about {needed} tokens are needed, {allowed} allowed"),
        false => format!("about {needed} tokens by our estimate, {allowed} allowed: the service counts more"),
    };
    fault(&call.model, Some(told))
}

fn fault(model: &ModelId, figures: Option<String>) -> ProviderError {
    let figures = figures.map(|told| format!(" ({told})")).unwrap_or_default();
    ProviderError::new(
        ErrorKind::ContextTooLong,
        Billing::No,
        format!(
            "prompt and answer do not fit into {model}{figures}: hand in fewer files or lower max_tokens"
        ),
    )
}

/// Tokens needed and allowed, as services write them.
fn figures(text: &str) -> Option<(u64, u64)> {
    compared(text).or_else(|| requested(text)).or_else(|| in_brackets(text))
}

/// `… 1000001 tokens > 1000000 maximum`, or `…: 199000 + 8192 > 200000, …`.
fn compared(text: &str) -> Option<(u64, u64)> {
    let (needed, allowed) = text.split_once('>')?;
    let needed = numbers(needed.rsplit(':').next().unwrap_or(needed));
    let total = needed.iter().try_fold(0u64, |sum, n| sum.checked_add(*n))?;
    let allowed = *numbers(allowed).first()?;
    (!needed.is_empty()).then_some((total, allowed))
}

/// `maximum context length is 4096 tokens. However, you requested 5000 tokens (…)`; of a prompt alone `your messages
/// resulted in 5000 tokens`.
fn requested(text: &str) -> Option<(u64, u64)> {
    let (_, rest) = text.split_once("maximum context length is")?;
    let (_, asked) = rest.split_once("requested").or_else(|| rest.split_once("resulted in"))?;
    Some((*numbers(asked).first()?, *numbers(rest).first()?))
}

/// `request (5000 tokens) exceeds the available context size (4096 tokens)`.
fn in_brackets(text: &str) -> Option<(u64, u64)> {
    let mut found = text.split('(').skip(1).filter_map(|part| {
        let (number, _) = part.split_once(" tokens)")?;
        number.parse::<u64>().ok()
    });
    Some((found.next()?, found.next()?))
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use claude_code_core::Catalogue;

    use super::*;

    #[test]
    fn the_limit_of_the_callers_own_catalogue_is_told() {
        let own = r#"{"models": [{"api_id": "house-coder-2", "like": "claude-haiku-5-5", "context_window": 7777, "max_output_tokens": 4000,
            "prices": {"global": {"input": "0.3", "output": "1.2", "cache_read": "0.03", "cache_write_5m": "0.375"}}}]}"#;
        let mut call = ModelCall::new(ModelId::new("house-coder-2").unwrap(), Vec::new(), 1_000);
        let told =
            |call: &ModelCall| call_too_long(call, "prompt is too long").message.contains("7777 allowed");
        assert!(!told(&call));
        call.catalogue = Catalogue::with_changes(own).unwrap();
        assert!(told(&call));
    }

    #[test]
    fn tokens_needed_and_allowed_are_read_from_every_wording() {
        let table = [
            ("prompt is too long: 1000001 tokens > 1000000 maximum", Some((1_000_001, 1_000_000))),
            (
                "input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000, decrease",
                Some((207_192, 200_000)),
            ),
            (
                "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion).",
                Some((5_000, 4_096)),
            ),
            (
                "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
                Some((9_001, 8_192)),
            ),
            (
                "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
                Some((5_000, 4_096)),
            ),
            ("Input is too long for requested model.", None),
            ("context window (4096 tokens) is too small", None),
        ];
        for (text, expected) in table {
            assert_eq!(figures(text), expected, "{text}");
        }
    }
}
