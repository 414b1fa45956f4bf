//! Outcomes of attempts and of a request.

use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::generation::Generation;
use crate::plan::attempt_reason::AttemptReason;
use crate::provider::ended::Ended;

/// One send that was made, as the policy reads it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its place among the plan's candidates.
    pub candidate: usize,
    /// Why it was made.
    pub why: AttemptReason,
    /// How it ended.
    pub ended: Ended,
    /// Whether it may be on the bill.
    pub paid: bool,
}

impl Sent {
    /// Whether the caller ended it early.
    pub fn is_interrupted(&self) -> bool {
        match &self.ended {
            Ended::Fault(fault) => fault.kind == ErrorKind::Interrupted,
            Ended::Refused(error) => error.kind == ErrorKind::Interrupted,
            _ => false,
        }
    }
}

/// What has been reached with a request.
#[derive(Debug)]
pub enum Outcome {
    /// Complete, and no check found an error.
    Accepted,
    /// Complete, and a check found errors that stayed.
    Rejected,
    /// Not complete; the error says why and the generation carries what arrived.
    Incomplete(Error),
    /// Nothing came of it.
    Failed(Error),
}

impl Outcome {
    /// Why there is no complete answer, if there is none.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Outcome::Accepted | Outcome::Rejected => None,
            Outcome::Incomplete(error) | Outcome::Failed(error) => Some(error),
        }
    }

    /// The result, or the error carrying what arrived.
    pub fn into_result(self, generation: Arc<Generation>) -> Result<Arc<Generation>, Error> {
        match self {
            Outcome::Accepted | Outcome::Rejected => Ok(generation),
            Outcome::Incomplete(error) | Outcome::Failed(error) => {
                Err(error.with_partial(Arc::unwrap_or_clone(generation)))
            }
        }
    }
}
