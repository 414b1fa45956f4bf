//! Outcome of a request.

use std::sync::Arc;

use crate::error::Error;
use crate::generation::Generation;

/// Outcome of a request.
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
