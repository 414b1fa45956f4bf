//! End of an attempt.

use crate::error::{Error, ErrorKind};
use crate::provider::{ProviderError, StopReason};

/// End of an attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ended {
    /// The model finished.
    Complete(StopReason),
    /// The model met a limit: the answer is cut.
    Truncated(StopReason),
    /// The model finished without an answer.
    Empty,
    /// The send failed; a declined answer is such a failure too.
    Fault(ProviderError),
    /// Nothing was sent: the budget refused.
    Refused(Error),
}

impl Ended {
    /// As the result tells it: `complete`, or the kind of what went wrong.
    pub fn name(&self) -> &'static str {
        match self {
            Ended::Complete(_) => "complete",
            Ended::Truncated(_) => ErrorKind::Truncated.as_str(),
            Ended::Empty => ErrorKind::Empty.as_str(),
            Ended::Fault(fault) => fault.kind.as_str(),
            Ended::Refused(error) => error.kind().as_str(),
        }
    }
}
