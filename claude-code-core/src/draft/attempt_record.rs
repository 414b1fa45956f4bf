//! Attempt record: what was sent, how it ended and what it cost. Policy, receipt and result read this one list.

use std::time::Duration;

use crate::error::ErrorKind;
use crate::generation::Attempt;
use crate::money::price::Cost;
use crate::plan::CandidateId;
use crate::plan::attempt_reason::AttemptReason;
use crate::provider::ended::Ended;

/// One attempt that was made, or that the budget refused.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// The candidate that it went to.
    pub candidate: CandidateId,
    /// The id of the model, as sent.
    pub model: String,
    /// Why it was made.
    pub why: AttemptReason,
    /// How it ended.
    pub ended: Ended,
    /// Whether it may be on the bill.
    pub paid: bool,
    /// What it cost: zero where it was not billed.
    pub cost: Cost,
    /// Whether the cost is the ceiling because the true figure never arrived.
    pub unknown: bool,
    /// How long the request waited before it.
    pub waited: Duration,
}

impl AttemptRecord {
    /// Whether the caller ended it early.
    pub fn is_interrupted(&self) -> bool {
        match &self.ended {
            Ended::Fault(fault) => fault.kind == ErrorKind::Interrupted,
            Ended::Refused(error) => error.kind() == ErrorKind::Interrupted,
            _ => false,
        }
    }
}

/// The attempt as a result tells it.
impl From<&AttemptRecord> for Attempt {
    fn from(record: &AttemptRecord) -> Self {
        Attempt {
            model: record.model.clone(),
            why: record.why.to_string(),
            outcome: record.ended.name().to_owned(),
            cost: record.cost,
            unknown: record.unknown,
            waited_ms: u64::try_from(record.waited.as_millis()).unwrap_or(u64::MAX),
            request_id: match &record.ended {
                Ended::Fault(fault) => fault.request_id.clone(),
                _ => None,
            },
        }
    }
}
