//! Limits that no further attempt may pass: attempts, time, money.

use super::{Step, downgrade};
use crate::clock::UtcMillis;
use crate::draft::Draft;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::next_attempt::NextAttempt;
use crate::draft::outcome::Outcome;
use crate::error::{Error, ErrorKind};
use crate::money::price::{Cost, PicoUsd};
use crate::plan::{Candidate, CandidateId, Plan};
use crate::provider::GiveUp;
use crate::provider::ended::Ended;

/// Whether sends or time are used up, and what it is then.
pub(super) fn reached(plan: &Plan, draft: &Draft, last: &AttemptRecord, now: UtcMillis) -> Option<Outcome> {
    // One send allowed means one send, whatever became of it; what the budget refused was none.
    let was_sent = draft.attempts.iter().any(|sent| !matches!(sent.ended, Ended::Refused(_)));
    let no_more = (plan.limits.max_sends == 1 && was_sent) || draft.paid_sends() >= plan.limits.max_sends;
    (no_more || now >= deadline(plan, draft)).then(|| super::conclude::concluded(draft, last))
}

/// Whether the send could still begin in time.
pub(super) fn in_time(plan: &Plan, draft: &Draft, attempt: &NextAttempt, now: UtcMillis) -> bool {
    let due = now.plus(attempt.wait);
    due < deadline(plan, draft)
        && gives_up(plan, draft).is_none_or(|end| due < end || attempt.candidate != last_asked(draft))
}

/// When attempts to connect are given up: a window that begins with the first of the failures in a row.
pub(super) fn gives_up(plan: &Plan, draft: &Draft) -> Option<UtcMillis> {
    let Ended::Fault(fault) = &draft.attempts.last()?.ended else { return None };
    match (fault.give_up?, draft.unreachable_since) {
        (GiveUp::After(window), Some(since)) => Some(since.plus(plan.policy.reconnect.unwrap_or(window))),
        _ => None,
    }
}

fn last_asked(draft: &Draft) -> CandidateId {
    draft.attempts.last().map_or(CandidateId::FIRST, |last| last.candidate)
}

/// Why the next attempt waits, and how long attempts go on: for the notice.
pub(crate) fn notice(
    plan: &Plan,
    draft: &Draft,
    attempt: &NextAttempt,
    now: UtcMillis,
) -> (Option<String>, f64) {
    let cause = match draft.attempts.last().map(|last| &last.ended) {
        Some(Ended::Fault(fault)) => Some(fault.message.clone()),
        _ => None,
    };
    let same = attempt.candidate == last_asked(draft);
    let end = gives_up(plan, draft)
        .filter(|_| same)
        .map_or(deadline(plan, draft), |end| end.min(deadline(plan, draft)));
    (cause, end.since(now).as_secs_f64())
}

/// The deadline moves by the time that a slow reader held the request up.
pub(crate) fn deadline(plan: &Plan, draft: &Draft) -> UtcMillis {
    plan.limits.deadline.plus(draft.held)
}

/// What a request is whose time was over before its first send: it waited for another one's answer.
pub(super) fn overdue(plan: &Plan, draft: &Draft, now: UtcMillis) -> Option<Outcome> {
    (now >= deadline(plan, draft)).then(|| {
        Outcome::Failed(Error::new(
            ErrorKind::Timeout,
            "the request's time was over before anything was sent: raise the timeout, or ask again",
        ))
    })
}

/// The send, if its ceiling fits under the request's cap; else one to a cheaper tier, where the policy allows it.
pub(super) fn checked(plan: &Plan, draft: &Draft, attempt: NextAttempt) -> Step {
    let Some(refusal) = refusal(plan, draft, &attempt) else { return Step::Attempt(attempt) };
    if let Some(cheaper) = downgrade::below(plan, draft, attempt.candidate) {
        return Step::Attempt(cheaper);
    }
    Step::Stop(match draft.attempts.last() {
        // What was reached before stands; the cap only ends the attempts at more.
        Some(last) if last.paid => super::conclude::concluded(draft, last),
        _ => Outcome::Failed(Error::new(ErrorKind::Budget, refusal)),
    })
}

/// Whether a candidate can take the request at all: prompt and answer fit into its context, and its ceiling under the
/// request's cap beside what was spent.
pub(crate) fn suits(plan: &Plan, at: CandidateId, spent: PicoUsd) -> bool {
    let candidate = plan.candidate(at);
    plan.fits(candidate)
        && over_cap(plan, candidate, plan.ceiling(candidate, plan.prompt_tokens), spent).is_none()
}

/// Why the request's cap refuses a send, if it does.
pub(super) fn refusal(plan: &Plan, draft: &Draft, attempt: &NextAttempt) -> Option<String> {
    over_cap(plan, plan.candidate(attempt.candidate), attempt.ceiling, draft.receipt.total().known())
}

fn over_cap(plan: &Plan, candidate: &Candidate, ceiling: Cost, spent: PicoUsd) -> Option<String> {
    let (cap, model) = (plan.limits.max_usd, &candidate.model);
    match ceiling {
        Cost::Unpriced { .. } if plan.limits.max_usd_is_set => Some(format!(
            "the price of {model} is unknown, and a cap of ${cap} is set: take the cap away or name a model of the catalogue"
        )),
        Cost::Priced(ceiling) if ceiling.saturating_add(spent) > cap => Some(format!(
            "the request's cap is ${cap}: ${spent} is spent, $0 is reserved, and one send to {model} can cost \
             ${ceiling}: raise max_usd or lower max_tokens"
        )),
        _ => None,
    }
}
