//! What real models refuse, refused here too: a request that passes offline passes there.
//!
//! The rules are those of Bedrock in November 2026.

use super::model::{Family, Model};
use crate::local::brain::{Question, Reply, Role};

/// The refusal that the question's model would give, if any.
pub(super) fn check(question: &Question) -> Option<Reply> {
    let model = Model::from_id(&question.model);
    if model.is_none() && !question.model.starts_with("arn:") {
        return Some(Reply::invalid("The provided model identifier is invalid."));
    }
    let rules = [end_of_life, sampling, thinking, prefill];
    let refused = model.and_then(|model| rules.iter().find_map(|rule| rule(model, question)));
    refused.or_else(|| conversation(question))
}

fn end_of_life(model: Model, _: &Question) -> Option<Reply> {
    // Claude 3 and its minor versions, and Sonnet 4 (2026-10-14).
    let ended = model.version < (4, 0) || model == Model { family: Family::Sonnet, version: (4, 0) };
    ended.then(|| Reply::not_found("This model version has reached the end of its life."))
}

/// Whether the model samples in its own way only, and thinks in its own way only.
fn is_fixed(model: Model) -> bool {
    let since = [(Family::Opus, (4, 7)), (Family::Sonnet, (5, 0)), (Family::Haiku, (5, 5))];
    matches!(model.family, Family::Fable | Family::Mythos)
        || since.iter().any(|(family, version)| model.is(*family, *version))
}

fn sampling(model: Model, question: &Question) -> Option<Reply> {
    if is_fixed(model) {
        // The defaults may be spelt out.
        let temperature = question.temperature.filter(|value| *value != 1.0).map(|_| "temperature");
        let top_p = question.top_p.filter(|value| *value < 0.99).map(|_| "top_p");
        let top_k = question.top_k.map(|_| "top_k");
        let named = temperature.or(top_p).or(top_k)?;
        let message = format!(
            "The model returned the following errors: `{named}` may only be set to its default for this model; \
             leave it out."
        );
        return Some(Reply::invalid(message));
    }
    let range = |value: f64| !(0.0..=1.0).contains(&value);
    if question.temperature.is_some_and(range) || question.top_p.is_some_and(range) {
        return Some(Reply::invalid("temperature and top_p lie between 0 and 1"));
    }
    (question.temperature.is_some() && question.top_p.is_some() && model.version > (4, 0)).then(|| {
        Reply::invalid(
            "The model returned the following errors: `temperature` and `top_p` cannot both be specified for \
             this model. Please use only one.",
        )
    })
}

fn thinking(model: Model, question: &Question) -> Option<Reply> {
    (question.thinking_budget && is_fixed(model)).then(|| {
        Reply::invalid(
            "The model returned the following errors: thinking with a token budget is not supported for this \
             model; set the effort instead.",
        )
    })
}

fn prefill(model: Model, question: &Question) -> Option<Reply> {
    let last = question.messages.last().is_some_and(|turn| turn.role == Role::Assistant);
    (last && model.version >= (4, 6)).then(|| {
        Reply::invalid(
            "The model returned the following errors: This model does not support assistant message prefill. \
             The conversation must end with a user message.",
        )
    })
}

fn conversation(question: &Question) -> Option<Reply> {
    if question.max_tokens == Some(0) {
        return Some(Reply::invalid("The maximum tokens you requested must be at least 1."));
    }
    let first = question.messages.first().map(|turn| turn.role);
    (first != Some(Role::User)).then(|| {
        Reply::invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a \
             user message.",
        )
    })
}
