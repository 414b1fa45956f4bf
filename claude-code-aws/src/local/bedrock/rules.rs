//! Request validation as real models do it: a request that passes offline passes there. Each rule reads the catalogue's
//! capabilities.

use claude_code_core::model::capability::{Effort, ForcedToolChoice, Sampling, Thinking};
use claude_code_core::model::catalogue::ModelCard;

use super::target::Target;
use crate::local::responder::{Question, Reply, Role};

/// What stands before a model's own words where Bedrock passes them on.
pub(super) const PREFIX: &str = "The model returned the following errors: ";

/// Anthropic's API without sampling parameters, whatever the model takes.
const WITHOUT_SAMPLING: &str = "2026-10-21";

/// The least budget of thinking, in tokens.
const MIN_BUDGET: u64 = 1024;

/// The refusal that the question's model would give, if any.
pub(super) fn check(question: &Question, target: Target) -> Option<Reply> {
    let Target::Model(card) = target else { return conversation(question) };
    let rules = [version, sampling, thinking, effort, forced_tool, prefill];
    let said = rules.iter().find_map(|rule| rule(card, question));
    said.map(|words| Reply::invalid(format!("{PREFIX}{words}")))
        .or_else(|| conversation(question))
        .or_else(|| size(card, question))
}

/// The refusal of a count: models that are reached through profiles of several regions alone are counted elsewhere.
pub(super) fn check_count(target: Target) -> Option<Reply> {
    // In November 2026 these are exactly the models that still sample as they are told.
    let counted = matches!(target, Target::Model(card) if card.capabilities.takes_temperature());
    (!counted).then(|| Reply::invalid("The provided model doesn't support counting tokens."))
}

fn version(_: &ModelCard, question: &Question) -> Option<String> {
    let named = [
        ("temperature", question.temperature.is_some()),
        ("top_p", question.top_p.is_some()),
        ("top_k", question.top_k.is_some()),
    ];
    let (named, _) = named.iter().find(|(_, there)| *there)?;
    (question.version.as_deref() == Some(WITHOUT_SAMPLING))
        .then(|| format!("{named}: not supported with anthropic-version {WITHOUT_SAMPLING}"))
}

fn sampling(card: &ModelCard, question: &Question) -> Option<String> {
    let (temperature, top_p) = (question.temperature, question.top_p);
    if card.capabilities.sampling == Sampling::DefaultsOnly {
        // The defaults may be spelt out.
        let temperature = temperature.filter(|value| *value != 1.0).map(|_| "temperature");
        let top_p = top_p.filter(|value| *value < 0.99).map(|_| "top_p");
        let named = temperature.or(top_p).or(question.top_k.map(|_| "top_k"));
        if let Some(named) = named {
            return Some(format!("`{named}` may only be set to its default for this model; leave it out."));
        }
    }
    let outside = |value: f64| !(0.0..=1.0).contains(&value);
    if temperature.is_some_and(outside) || top_p.is_some_and(outside) {
        return Some("`temperature` and `top_p` lie between 0 and 1.".to_owned());
    }
    (temperature.is_some() && top_p.is_some()).then(|| {
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.".to_owned()
    })
}

fn thinking(card: &ModelCard, question: &Question) -> Option<String> {
    let asked = question.thinking.as_deref()?;
    let kind = match asked {
        "adaptive" => Thinking::Adaptive,
        "enabled" => Thinking::Enabled,
        "disabled" => Thinking::Disabled,
        "between_tools" => Thinking::BetweenTools,
        other => {
            return Some(format!(
                "thinking.type: Input tag '{other}' does not match any of the expected tags"
            ));
        }
    };
    let takes = &card.capabilities;
    // Off is what a model that does not think is anyway.
    let plain = kind == Thinking::Disabled && !takes.thinking_default_on;
    if !takes.thinking.contains(&kind) && !plain {
        return Some(format!("\"thinking.type.{asked}\" is not supported for this model."));
    }
    let effort = question.effort.as_deref().and_then(|effort| effort.parse::<Effort>().ok());
    let strained = effort.is_some_and(|effort| effort > Effort::High);
    if strained && (kind == Thinking::BetweenTools || kind == Thinking::Disabled && takes.thinking_default_on)
    {
        return Some(format!("\"thinking.type.{asked}\" is not supported with an effort above high."));
    }
    if kind == Thinking::Enabled {
        let budget = question.thinking_budget.unwrap_or_default();
        if budget < MIN_BUDGET {
            return Some(format!("thinking.enabled.budget_tokens: Input should be at least {MIN_BUDGET}"));
        }
        if question.max_tokens.is_some_and(|tokens| tokens <= budget) {
            return Some("`max_tokens` must be greater than `thinking.budget_tokens`.".to_owned());
        }
    }
    None
}

fn effort(card: &ModelCard, question: &Question) -> Option<String> {
    let asked = question.effort.as_deref()?;
    let levels = &card.capabilities.effort_levels;
    if levels.iter().any(|level| level.as_str() == asked) {
        return None;
    }
    let known: Vec<&str> = levels.iter().map(|level| level.as_str()).collect();
    Some(match known.is_empty() {
        true => "This model does not support the effort parameter.".to_owned(),
        false => format!("output_config.effort: Input should be one of {}", known.join(", ")),
    })
}

fn forced_tool(card: &ModelCard, question: &Question) -> Option<String> {
    let thinks = question.thinking.as_deref().is_some_and(|kind| kind == "enabled" || kind == "adaptive");
    let refused = match card.capabilities.forced_tool_choice {
        ForcedToolChoice::Yes => false,
        ForcedToolChoice::No => true,
        ForcedToolChoice::NotWithThinking => thinks,
    };
    (refused && question.forced_tool)
        .then(|| "Thinking may not be enabled when tool_choice forces tool use.".to_owned())
}

fn prefill(card: &ModelCard, question: &Question) -> Option<String> {
    let last = question.messages.last().is_some_and(|turn| turn.role == Role::Assistant);
    (last && !card.capabilities.prefill).then(|| {
        "This model does not support assistant message prefill. The conversation must end with a user message."
            .to_owned()
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

fn size(card: &ModelCard, question: &Question) -> Option<Reply> {
    let most = card.max_output_tokens;
    if question.max_tokens.is_some_and(|tokens| tokens > u64::from(most)) {
        return Some(Reply::invalid(format!(
            "The maximum tokens you requested exceeds the model limit of {most}. Try again with a maximum tokens \
             value that is lower than {most}."
        )));
    }
    // An estimate: a prompt near the limit may be refused there and not here.
    (question.input_tokens() > u64::from(card.context_window))
        .then(|| Reply::invalid("Input is too long for requested model."))
}
