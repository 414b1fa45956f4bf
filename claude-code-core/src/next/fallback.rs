//! Fallback after faults that cost nothing: the same model in another region, then another model.

use std::time::Duration;

use super::{limits, retry, send_to};
use crate::draft::Draft;
use crate::draft::next_attempt::NextAttempt;
use crate::draft::outcome::Sent;
use crate::error::ErrorKind;
use crate::plan::Plan;
use crate::plan::attempt_reason::AttemptReason;
use crate::provider::Billing;
use crate::provider::ended::Ended;

/// The next candidate, if this one cannot be had and nothing was paid for.
pub(super) fn attempt(plan: &Plan, draft: &Draft, last: &Sent) -> Option<NextAttempt> {
    let Ended::Fault(fault) = &last.ended else { return None };
    if fault.paid != Billing::No || !(is_busy(fault.kind) || is_closed(fault.kind)) {
        return None;
    }
    let next = elsewhere(plan, draft, last)?;
    let tries = draft.sent.iter().filter(|sent| sent.candidate == next).count();
    if tries > 0 {
        return Some(send_to(plan, draft, next, AttemptReason::Retry, retry::wait(&plan.id, tries, None)));
    }
    let (candidate, asked) = (plan.candidate(next), plan.candidate(last.candidate));
    let why = match &candidate.place {
        Some(place) if candidate.model == asked.model => AttemptReason::Failover(place.clone()),
        _ => AttemptReason::Fallback,
    };
    Some(send_to(plan, draft, next, why, Duration::ZERO))
}

/// The candidate to ask after this send: one further on; else one passed over because it was resting; and where the last
/// one is closed, one that was only busy. None of those that said no, and none that the request is too long or too dear
/// for.
pub(super) fn elsewhere(plan: &Plan, draft: &Draft, last: &Sent) -> Option<usize> {
    if last.candidate >= plan.candidates.len() {
        return None;
    }
    let spent = draft.receipt.total().known();
    // Another model is behind the same connection: only another place helps.
    let here = &plan.candidate(last.candidate).place;
    let unreachable = matches!(&last.ended, Ended::Fault(fault) if fault.kind == ErrorKind::Connection);
    let is_open = |at: &usize| {
        let is_refused = draft.sent.iter().any(|sent| refuses(plan, sent, *at));
        let is_behind = unreachable && plan.candidate(*at).place == *here;
        !is_refused && !is_behind && limits::suits(plan, *at, spent)
    };
    let asked = |at: usize| draft.sent.iter().any(|sent| sent.candidate == at);
    let is_over = matches!(&last.ended, Ended::Fault(fault) if is_closed(fault.kind));
    let mut further = last.candidate + 1..plan.candidates.len();
    let mut before = 0..last.candidate;
    further.find(is_open).or_else(|| before.find(|at| is_open(at) && (is_over || !asked(*at))))
}

/// Whether how a send ended says that this candidate need not be asked.
fn refuses(plan: &Plan, sent: &Sent, at: usize) -> bool {
    let Ended::Fault(fault) = &sent.ended else { return false };
    // These are true of the model wherever it is asked.
    let everywhere = matches!(fault.kind, ErrorKind::Retired | ErrorKind::Legacy | ErrorKind::DataRetention);
    let same = everywhere && plan.candidate(sent.candidate).model == plan.candidate(at).model;
    is_closed(fault.kind) && (same || sent.candidate == at)
}

/// It may go better in a moment.
fn is_busy(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Connection)
}

/// It will not go better before somebody has done something.
fn is_closed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Quota
            | ErrorKind::AccessDenied
            | ErrorKind::Retired
            | ErrorKind::Legacy
            | ErrorKind::NeedsProfile
            | ErrorKind::DataRetention
            | ErrorKind::NotFound
    )
}
