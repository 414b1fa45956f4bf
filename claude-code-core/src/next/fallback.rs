//! Asking elsewhere, after safe faults only: the same model in another place, then another model.

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
    if fault.paid != Paid::No || !elsewhere {
        return None;
    }
    let asked = &plan.candidate(last.candidate).model;
    // These are true of the model wherever it is asked.
    let everywhere = matches!(fault.kind, Kind::Retired | Kind::Legacy | Kind::DataRetention);
    let rest = plan.candidates.iter().enumerate().skip(last.candidate + 1);
    let (next, candidate) = { rest }.find(|(_, candidate)| !everywhere || candidate.model != *asked)?;
    let why = match &candidate.place {
        Some(place) if candidate.model == *asked => Why::Failover(place.clone()),
        _ => Why::Fallback,
    };
    Some(send_to(plan, draft, next, why, Duration::ZERO))
}
