//! Sending the failing files back with what is wrong with them.

use std::time::Duration;

use super::{count, send_to};
use crate::draft::Draft;
use crate::draft::next_attempt::NextAttempt;
use crate::draft::outcome::Sent;
use crate::plan::Plan;
use crate::plan::attempt_reason::AttemptReason;
use crate::provider::ended::Ended;

/// Rounds of repair, at most.
const ROUNDS: usize = 2;
/// The same for edits that do not fit: a model that cannot quote a file a second time will not the third.
const ROUNDS_OF_EDITS: usize = 1;

/// The failing files again, if the answer is whole and checks found errors.
pub(super) fn attempt(plan: &Plan, draft: &Draft, last: &Sent) -> Option<NextAttempt> {
    let rejected = matches!(last.ended, Ended::Complete(_)) && draft.has_errors();
    let rounds = if draft.edit_problems.is_empty() { ROUNDS } else { ROUNDS_OF_EDITS };
    if !rejected || count(draft, &AttemptReason::Repair) >= rounds {
        return None;
    }
    Some(send_to(plan, draft, last.candidate, AttemptReason::Repair, Duration::ZERO))
}
