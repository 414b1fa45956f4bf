//! From a finished request to its observation: figures and names, never text.

use crate::clock::UtcMillis;
use crate::error::Error;
use crate::generation::Generation;
use crate::metrics::Observation;
use crate::plan::Plan;

/// The observation of a result.
pub(crate) fn observation(
    generation: &Generation,
    error: Option<&Error>,
    plan: &Plan,
    now: UtcMillis,
) -> Observation {
    let outcome = match error {
        Some(error) => error.kind.as_str(),
        None if generation.accepted => "accepted",
        None => "rejected",
    };
    Observation {
        outcome,
        model: Some(generation.model.clone()),
        tier: Some(generation.tier.as_str()),
        took: now.since(plan.started),
        sends: u32::try_from(generation.attempts.len()).unwrap_or(u32::MAX),
        cached: generation.cached.is_some(),
        input_tokens: generation.usage.prompt_tokens(),
        output_tokens: generation.usage.output_tokens,
        cost: generation.receipt.total(),
    }
}
