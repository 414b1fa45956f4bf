//! Observation of a finished request: figures and names, never text.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::generation::{Attempt, Generation};
use crate::metrics::{AttemptCounts, Observation, StoreOutcome, Timing};
use crate::model::ModelId;
use crate::model::catalogue::Catalogue;
use crate::plan::Plan;

/// The observation of what one caller receives.
pub(crate) fn observation(
    result: &Result<Arc<Generation>, Error>,
    plan: Option<&Plan>,
    timing: &Timing,
    took: Duration,
) -> Observation {
    let (generation, error) = match result {
        Ok(generation) => (Some(&**generation), None),
        Err(error) => (error.partial(), Some(error)),
    };
    let outcome = match (error, generation) {
        (Some(error), _) => error.kind().as_str(),
        (None, Some(generation)) if generation.accepted => "accepted",
        (None, _) => "rejected",
    };
    let mut seen = of_generation(Observation::new(outcome), generation);
    seen.took = took;
    seen.first_event = timing.first_event;
    seen.first_file = timing.first_file;
    // Those of an equal request are in that one's trace.
    if !seen.cached {
        seen.spans.clone_from(&timing.attempts);
    }
    seen.error_kind = error.map(|error| error.kind().as_str());
    seen.service_request_id = error.and_then(|error| error.request_id().map(str::to_owned));
    of_plan(seen, plan)
}

/// The observation of a request that all its callers gave up; `spent` is what the ledger has of it.
pub(crate) fn cancelled(plan: &Plan, spent: crate::Cost, sends: u32, took: Duration) -> Observation {
    let mut seen = Observation::new("cancelled");
    (seen.answered, seen.cost, seen.sends, seen.attempts.all, seen.took) = (false, spent, sends, sends, took);
    of_plan(seen, Some(plan))
}

fn of_generation(mut seen: Observation, generation: Option<&Generation>) -> Observation {
    let Some(generation) = generation else { return seen };
    seen = seen.with_usage(&generation.usage);
    seen.model = Some(generation.model.clone());
    seen.tier = Some(generation.tier.as_str());
    seen.attempts = counts(&generation.attempts);
    seen.sends = seen.attempts.all;
    seen.cached = generation.cached.is_some();
    seen.files = generation.files.len();
    seen.cost = generation.receipt.total();
    seen.saved = generation.receipt.saved;
    seen.stop_reason = generation.stop_reason.as_ref().map(ToString::to_string);
    seen.stored = match (generation.stored, &generation.stored_problem) {
        (true, _) => StoreOutcome::Stored,
        (false, Some(_)) => StoreOutcome::Failed,
        (false, None) => StoreOutcome::NotAsked,
    };
    seen
}

fn of_plan(mut seen: Observation, plan: Option<&Plan>) -> Observation {
    if let Some(plan) = plan {
        seen.request_id.clone_from(&plan.id);
        seen.scope = plan.scope.hash();
        seen.batch_id.clone_from(&plan.request.batch_id);
        seen.tier = seen.tier.or(Some(plan.tier.as_str()));
        seen.tier_reason = Some(plan.tier_reason.clone());
        if plan.request.job_answer.is_some() {
            seen.lane = "batch";
        }
        seen.started = plan.started;
        seen.trace.clone_from(&plan.trace);
        seen.max_tokens = Some(plan.max_tokens);
        seen.temperature = plan.request.temperature;
        seen.effort = plan.request.effort;
        let first = || plan.first().model.to_string();
        seen.model.get_or_insert_with(first);
    }
    let id = seen.model.as_deref().and_then(|id| ModelId::new(id).ok());
    let catalogue = plan.map_or_else(Catalogue::builtin, |plan| plan.policy.catalogue);
    let card = id.and_then(|id| catalogue.find(&id));
    seen.model_name = card.map_or("unknown", |card| card.base());
    seen
}

fn counts(attempts: &[Attempt]) -> AttemptCounts {
    let mut counts = AttemptCounts::default();
    for attempt in attempts {
        counts.all = counts.all.saturating_add(1);
        let cause = attempt.why.split(' ').next().unwrap_or_default();
        let counter = match cause {
            "retry" | "repeat" | "without" => Some(&mut counts.retries),
            "resume" => Some(&mut counts.resumes),
            "repair" => Some(&mut counts.repairs),
            "fallback" | "failover" | "downgrade" => Some(&mut counts.fallbacks),
            "escalate" => Some(&mut counts.escalations),
            _ => None,
        };
        if let Some(counter) = counter {
            *counter = counter.saturating_add(1);
        }
        if attempt.outcome == ErrorKind::Throttled.as_str() {
            counts.throttled = counts.throttled.saturating_add(1);
        }
    }
    counts
}
