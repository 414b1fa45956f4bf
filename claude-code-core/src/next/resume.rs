//! Resume: requests the rest of a cut answer.

use std::time::Duration;

use super::{count, retry, send_to};
use crate::draft::Draft;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::next_attempt::NextAttempt;
use crate::error::ErrorKind;
use crate::plan::Plan;
use crate::plan::attempt_reason::AttemptReason;
use crate::provider::Billing;
use crate::provider::ended::Ended;
use crate::resume::Anchor;

/// Rounds of going on, at most.
const ROUNDS: usize = 3;

/// The rest of the answer, if it was cut and something of it is whole. A broken stream is resumed once, within
/// the one repeat that a maybe-paid send has.
pub(super) fn attempt(plan: &Plan, draft: &Draft, last: &AttemptRecord) -> Option<NextAttempt> {
    let cut = match &last.ended {
        Ended::Truncated(_) => true,
        Ended::Fault(fault) => {
            fault.kind == ErrorKind::Cut
                && fault.paid == Billing::Maybe
                && !retry::repeated(draft)
                && !draft.finished().is_empty()
        }
        _ => false,
    };
    // A round that added nothing will not be helped by another one, nor a model that has ended its turn.
    let gave_up = matches!(&last.ended, Ended::Truncated(reason) if reason.is_complete());
    let stuck = last.why == AttemptReason::Resume && (draft.added_nothing() || gave_up);
    if !cut || stuck || count(draft, &AttemptReason::Resume) >= ROUNDS {
        return None;
    }
    let anchor = Anchor::of(&draft.text)?;
    let mut attempt = send_to(plan, draft, last.candidate, AttemptReason::Resume, Duration::ZERO);
    attempt.anchor = Some(anchor);
    Some(attempt)
}
