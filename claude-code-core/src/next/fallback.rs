//! Fallback after faults that cost nothing: the same model in another region, then another model.

use std::time::Duration;

use super::{limits, retry, send_to};
use crate::draft::Draft;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::next_attempt::NextAttempt;
use crate::error::ErrorKind;
use crate::plan::attempt_reason::AttemptReason;
use crate::plan::{CandidateId, Plan};
use crate::provider::Billing;
use crate::provider::ended::Ended;

/// The next candidate, if this one cannot be had and nothing was paid for.
pub(super) fn attempt(plan: &Plan, draft: &Draft, last: &AttemptRecord) -> Option<NextAttempt> {
    let Ended::Fault(fault) = &last.ended else { return None };
    if fault.paid != Billing::No
        || !(fault.kind.is_busy() || fault.kind == ErrorKind::Connection || fault.kind.is_closed())
    {
        return None;
    }
    let next = elsewhere(plan, draft, last)?;
    let tries = draft.attempts.iter().filter(|sent| sent.candidate == next).count();
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
pub(super) fn elsewhere(plan: &Plan, draft: &Draft, last: &AttemptRecord) -> Option<CandidateId> {
    let CandidateId::Listed(last_index) = last.candidate else { return None };
    let spent = draft.receipt.total().known();
    // Another model is behind the same connection: only another place helps.
    let here = &plan.candidate(last.candidate).place;
    let unreachable = matches!(&last.ended, Ended::Fault(fault) if fault.kind == ErrorKind::Connection);
    let is_open = |at: &CandidateId| {
        let is_refused = draft.attempts.iter().any(|sent| refuses(plan, sent, *at));
        let is_behind = unreachable && plan.candidate(*at).place == *here;
        !is_refused && !is_behind && limits::suits(plan, *at, spent)
    };
    let asked = |at: CandidateId| draft.attempts.iter().any(|sent| sent.candidate == at);
    let is_over = matches!(&last.ended, Ended::Fault(fault) if fault.kind.is_closed());
    let mut further = (last_index + 1..plan.candidates.len()).map(CandidateId::Listed);
    let mut before = (0..last_index).map(CandidateId::Listed);
    further.find(is_open).or_else(|| before.find(|at| is_open(at) && (is_over || !asked(*at))))
}

/// Whether how a send ended says that this candidate need not be asked.
fn refuses(plan: &Plan, sent: &AttemptRecord, at: CandidateId) -> bool {
    let Ended::Fault(fault) = &sent.ended else { return false };
    // These are true of the model wherever it is asked.
    let everywhere = matches!(fault.kind, ErrorKind::Retired | ErrorKind::Legacy | ErrorKind::DataRetention);
    let same = everywhere && plan.candidate(sent.candidate).model == plan.candidate(at).model;
    fault.kind.is_closed() && (same || sent.candidate == at)
}
