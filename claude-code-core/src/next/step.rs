//! Policy step: what to do next, from what has happened so far. Pure; the loop in `client.rs` obeys it.

use std::time::Duration;

use super::{conclude, downgrade, escalate, fallback, limits, repair, resume, retry};
use crate::clock::UtcMillis;
use crate::draft::Draft;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::next_attempt::NextAttempt;
use crate::draft::outcome::Outcome;
use crate::plan::attempt_reason::AttemptReason;
use crate::plan::{CandidateId, Plan};

/// Next step of a request: another attempt, or the end.
#[derive(Debug)]
pub enum Step {
    /// Send once more.
    Attempt(NextAttempt),
    /// It is over.
    Stop(Outcome),
}

/// Cause of another attempt.
type Cause = fn(&Plan, &Draft, &AttemptRecord) -> Option<NextAttempt>;

/// All of them, in the order in which they are asked.
const CAUSES: [Cause; 6] = [
    downgrade::attempt,
    resume::attempt,
    retry::attempt,
    fallback::attempt,
    repair::attempt,
    escalate::attempt,
];

/// What to do after what has happened. Every cause of another send is a function of its own, asked in this order.
pub fn after(plan: &Plan, draft: &Draft, now: UtcMillis) -> Step {
    let Some(last) = draft.attempts.last() else {
        if plan.request.job_answer.is_some() {
            return Step::Attempt(NextAttempt::of_job(plan.max_tokens_of(plan.first())));
        }
        let first = || {
            limits::checked(
                plan,
                draft,
                send_to(plan, draft, plan.start, AttemptReason::First, Duration::ZERO),
            )
        };
        return limits::overdue(plan, draft, now).map_or_else(first, Step::Stop);
    };
    if let Some(outcome) = conclude::accepted(draft, last).or_else(|| limits::reached(plan, draft, last, now))
    {
        return Step::Stop(outcome);
    }
    if last.is_interrupted() {
        return Step::Stop(conclude::concluded(draft, last));
    }
    // A cause whose send would come too late gives way to the next one.
    let mut attempts = CAUSES.iter().filter_map(|cause| cause(plan, draft, last));
    match attempts.find(|attempt| limits::in_time(plan, draft, attempt, now)) {
        Some(attempt) => limits::checked(plan, draft, attempt),
        None => Step::Stop(conclude::concluded(draft, last)),
    }
}

/// A send to this candidate, with its ceiling.
pub(super) fn send_to(
    plan: &Plan,
    draft: &Draft,
    candidate: CandidateId,
    why: AttemptReason,
    wait: Duration,
) -> NextAttempt {
    let model = plan.candidate(candidate);
    // A resume or repair sends what was received along.
    let more = match why {
        AttemptReason::Resume | AttemptReason::Repair => draft.sent_along(plan),
        _ => 0,
    };
    let ceiling = plan.ceiling(model, plan.prompt_tokens + more);
    NextAttempt { candidate, why, wait, max_tokens: plan.max_tokens_of(model), ceiling, anchor: None }
}

/// How many of the sends that may be paid for were made for this reason.
pub(super) fn count(draft: &Draft, why: &AttemptReason) -> usize {
    draft.attempts.iter().filter(|sent| sent.paid && sent.why == *why).count()
}

/// The sends to the candidate that was asked last, newest first, as far as they follow each other.
pub(super) fn on_this_candidate<'a>(
    draft: &'a Draft,
    last: &'a AttemptRecord,
) -> impl Iterator<Item = &'a AttemptRecord> {
    draft.attempts.iter().rev().take_while(move |sent| sent.candidate == last.candidate)
}
