//! Asking another model, after safe faults only.

use std::time::Duration;

use super::send_to;
use crate::ask::{Ask, Why};
use crate::draft::Draft;
use crate::error::Kind;
use crate::outcome::{Ended, Sent};
use crate::plan::Plan;
use crate::provider::Paid;

/// The next candidate, if this one cannot be had and nothing was paid for.
pub(super) fn ask(plan: &Plan, draft: &Draft, last: &Sent) -> Option<Ask> {
    let Ended::Fault(fault) = &last.ended else { return None };
    let elsewhere = matches!(
        fault.kind,
        Kind::Throttled
            | Kind::Quota
            | Kind::Unavailable
            | Kind::AccessDenied
            | Kind::Retired
            | Kind::Legacy
            | Kind::NeedsProfile
            | Kind::DataRetention
            | Kind::NotFound
    );
    let next = last.candidate + 1;
    if fault.paid != Paid::No || !elsewhere || next >= plan.candidates.len() {
        return None;
    }
    Some(send_to(plan, draft, next, Why::Fallback, Duration::ZERO))
}
