//! Escalation: the next tier, once, when the answer stays rejected.

use std::time::Duration;

use super::{count, send_to};
use crate::draft::Draft;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::next_attempt::NextAttempt;
use crate::plan::attempt_reason::AttemptReason;
use crate::plan::{CandidateId, Plan};
use crate::provider::ended::Ended;

/// The whole task to the tier above, where the tier was not the caller's choice. Not for edits that do not fit: what is
/// wrong then is how the change is written, and the caller can ask for the whole file.
pub(super) fn attempt(plan: &Plan, draft: &Draft, last: &AttemptRecord) -> Option<NextAttempt> {
    let rejected = match &last.ended {
        Ended::Complete(_) => draft.has_errors() && draft.edit_problems.is_empty() && !draft.lacks_code,
        Ended::Empty => true,
        _ => false,
    };
    let above = plan.escalation.as_ref()?;
    if !rejected || !plan.fits(above) || count(draft, &AttemptReason::Escalate) > 0 {
        return None;
    }
    Some(send_to(plan, draft, CandidateId::Escalation, AttemptReason::Escalate, Duration::ZERO))
}
