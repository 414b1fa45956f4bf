//! Downgrade: a cheaper tier where the budget refuses the one that the task needs, if the policy allows it.

use std::time::Duration;

use super::{limits, send_to};
use crate::draft::Draft;
use crate::draft::next_attempt::NextAttempt;
use crate::draft::outcome::Sent;
use crate::error::ErrorKind;
use crate::plan::Plan;
use crate::plan::attempt_reason::AttemptReason;
use crate::provider::ended::Ended;

/// The next cheaper tier, if the ledger refused the last one.
pub(super) fn attempt(plan: &Plan, draft: &Draft, last: &Sent) -> Option<NextAttempt> {
    match &last.ended {
        Ended::Refused(error) if error.kind == ErrorKind::Budget => below(plan, draft, last.candidate),
        _ => None,
    }
}

/// The nearest tier below a refused candidate that the request fits into, and whose send under the request's cap. What was paid for is not
/// thrown away for a weaker answer.
pub(super) fn below(plan: &Plan, draft: &Draft, refused: usize) -> Option<NextAttempt> {
    if draft.paid_sends() > 0 {
        return None;
    }
    let cheaper = plan.cheaper_places();
    let from = if cheaper.contains(&refused) { refused + 1 } else { cheaper.start };
    (from..cheaper.end)
        .find(|place| limits::suits(plan, *place, draft.receipt.total().known()))
        .map(|place| send_to(plan, draft, place, AttemptReason::Downgrade, Duration::ZERO))
}
