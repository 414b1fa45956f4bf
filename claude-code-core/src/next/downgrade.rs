//! Downgrade: a cheaper tier where the budget refuses the one that the task needs, if the policy allows it.

use std::time::Duration;

use super::{limits, send_to};
use crate::draft::Draft;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::next_attempt::NextAttempt;
use crate::error::ErrorKind;
use crate::plan::attempt_reason::AttemptReason;
use crate::plan::{CandidateId, Plan};
use crate::provider::ended::Ended;

/// The next cheaper tier, if the ledger refused the last one.
pub(super) fn attempt(plan: &Plan, draft: &Draft, last: &AttemptRecord) -> Option<NextAttempt> {
    match &last.ended {
        Ended::Refused(error) if error.kind() == ErrorKind::Budget => below(plan, draft, last.candidate),
        _ => None,
    }
}

/// The nearest tier below a refused candidate that the request fits into, and whose send under the request's cap. What was paid for is not
/// thrown away for a weaker answer.
pub(super) fn below(plan: &Plan, draft: &Draft, refused: CandidateId) -> Option<NextAttempt> {
    if draft.paid_sends() > 0 {
        return None;
    }
    let from = if let CandidateId::Cheaper(index) = refused { index + 1 } else { 0 };
    (from..plan.cheaper.len())
        .map(CandidateId::Cheaper)
        .find(|id| limits::suits(plan, *id, draft.receipt.total().known()))
        .map(|id| send_to(plan, draft, id, AttemptReason::Downgrade, Duration::ZERO))
}
