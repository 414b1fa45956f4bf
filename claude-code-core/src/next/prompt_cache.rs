//! Prompt cache points: where the service keeps a prompt's beginning, so that the next attempt reads it for a tenth of
//! its price or less.
//!
//! Writing costs a quarter more than plain input (twice as much for an hour), so a cache point stands only where a
//! second reading is likely: on the sends that repeat the prompt anyway (resume, repair), on requests with long files,
//! whose repairs and refinements come within minutes, and where the caller asks for it. Below a model's minimum the
//! service keeps nothing and says nothing, so none is set there.

use crate::draft::next_attempt::NextAttempt;
use crate::model::capability::CacheTtl;
use crate::model::token_estimate::estimate_tokens;
use crate::plan::Plan;
use crate::plan::attempt_reason::AttemptReason;

/// Files from here on are long, in tokens of the whole prompt: a repair then reads several cents' worth again.
const LONG: u64 = 4_096;

/// Below this many tokens a prompt that is sent again is not worth a point: some hundredths of a cent are at stake.
const WORTH: u64 = 1_024;

/// Cache points of one send: after the system prompt, after the task and its files. The service allows four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Points {
    pub(super) system: Option<CacheTtl>,
    pub(super) task: Option<CacheTtl>,
}

/// Where this send has its cache points.
pub(super) fn points(plan: &Plan, attempt: &NextAttempt) -> Points {
    let Some(card) = plan.candidate(attempt.candidate).card else { return Points::default() };
    let Some(least) = card.capabilities.prompt_cache_min_tokens.map(u64::from) else {
        return Points::default();
    };
    let long = !plan.request.files.is_empty() && plan.prompt_tokens >= LONG;
    let again =
        matches!(attempt.why, AttemptReason::Resume | AttemptReason::Repair) && plan.prompt_tokens >= WORTH;
    if !(again || long || plan.request.prompt_cache.is_some()) {
        return Points::default();
    }
    let takes = |ttl: &CacheTtl| card.capabilities.prompt_cache_ttls.contains(ttl);
    let asked = plan.request.prompt_cache.filter(takes);
    let ttl = asked.or(Some(CacheTtl::FiveMinutes).filter(takes));
    Points {
        system: ttl.filter(|_| estimate_tokens(&plan.prompt.system) >= least),
        task: ttl.filter(|_| plan.prompt_tokens >= least),
    }
}
