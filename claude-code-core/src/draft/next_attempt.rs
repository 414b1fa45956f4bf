//! Next attempt: what is sent, to which model, and why.

use std::time::Duration;

use crate::money::price::Cost;
use crate::plan::CandidateId;
use crate::plan::attempt_reason::AttemptReason;
use crate::resume::Anchor;

/// One send that is to be made.
#[derive(Clone, Debug)]
pub struct NextAttempt {
    /// The candidate that it goes to.
    pub candidate: CandidateId,
    /// Why it is made.
    pub why: AttemptReason,
    /// How long to wait before it.
    pub wait: Duration,
    /// The longest answer in tokens.
    pub max_tokens: u32,
    /// The most that it can cost.
    pub ceiling: Cost,
    /// Where a cut answer goes on.
    pub anchor: Option<Anchor>,
}

impl NextAttempt {
    /// The reading of a batch job's answer: it is paid for, so no bound of money holds it up.
    pub(crate) fn of_job(max_tokens: u32) -> Self {
        NextAttempt { why: AttemptReason::BatchJob, ..NextAttempt::first(max_tokens, Cost::ZERO) }
    }

    /// The first send to the first candidate.
    pub(crate) fn first(max_tokens: u32, ceiling: Cost) -> Self {
        NextAttempt {
            candidate: CandidateId::FIRST,
            why: AttemptReason::First,
            wait: Duration::ZERO,
            max_tokens,
            ceiling,
            anchor: None,
        }
    }
}
