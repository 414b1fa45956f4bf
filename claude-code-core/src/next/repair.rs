//! Repair: sends failing files back with their diagnostics.

use std::time::Duration;

use super::{count, send_to};
use crate::draft::Draft;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::next_attempt::NextAttempt;
use crate::plan::Plan;
use crate::plan::attempt_reason::AttemptReason;
use crate::provider::ended::Ended;

/// Rounds of repair, at most.
const ROUNDS: usize = 2;
/// The same for edits that do not fit, and for an answer without a file: a model that cannot quote a file a second time
/// will not the third, and one that does not want to write code neither.
const ROUNDS_OF_FORM: usize = 1;

/// The failing files again, if the answer is whole and checks found errors.
pub(super) fn attempt(plan: &Plan, draft: &Draft, last: &AttemptRecord) -> Option<NextAttempt> {
    let rejected = matches!(last.ended, Ended::Complete(_)) && draft.has_errors();
    let is_form = !draft.edit_problems.is_empty() || draft.lacks_code;
    let rounds = if is_form { ROUNDS_OF_FORM } else { ROUNDS };
    if !rejected || count(draft, &AttemptReason::Repair) >= rounds {
        return None;
    }
    Some(send_to(plan, draft, last.candidate, AttemptReason::Repair, Duration::ZERO))
}
