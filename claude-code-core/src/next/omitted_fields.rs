//! Omitted fields: request fields that a model was seen to refuse. An attempt goes without them, and the result says
//! so.

use super::prompt_cache::{self, Points};
use crate::draft::Draft;
use crate::draft::next_attempt::NextAttempt;
use crate::plan::Plan;
use crate::provider::Field;

/// The fields that this send goes without because its model refused them, now or in an earlier request: a line for each
/// that the draft does not tell yet.
pub fn omitted_fields(plan: &Plan, attempt: &NextAttempt, draft: &Draft) -> Vec<String> {
    let name = plan.candidate(attempt.candidate).name();
    let fields =
        draft.without.iter().filter(|(place, _)| *place == attempt.candidate).map(|(_, field)| *field);
    fields
        .filter(|field| is_wanted(plan, attempt, *field))
        .map(|field| format!("{} was left out: {name} refused it", field.as_str()))
        .filter(|told| !draft.warnings.contains(told))
        .collect()
}

/// Whether the field would be sent to a model that takes it.
fn is_wanted(plan: &Plan, attempt: &NextAttempt, field: Field) -> bool {
    let candidate = plan.candidate(attempt.candidate);
    match field {
        Field::Sampling => plan.request.temperature.is_some() && candidate.takes_sampling(),
        Field::Effort => plan.request.effort.is_some_and(|effort| candidate.takes_effort(effort)),
        Field::Thinking => plan.thinking(candidate).is_some(),
        Field::CachePoint => prompt_cache::points(plan, attempt) != Points::default(),
        Field::Metadata => !plan.policy.metadata.is_empty(),
        Field::ServiceTier => plan.policy.service_tier.is_some(),
    }
}
