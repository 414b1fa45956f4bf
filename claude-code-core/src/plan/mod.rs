//! The plan of a request: everything that is decided before the first attempt. Pure, and free.

pub mod attempt_reason;
pub(crate) mod build;
mod cache_key;
pub mod candidate;
#[expect(clippy::module_inception, reason = "the folder's one concept")]
mod plan;
pub mod policy;
pub mod prompt;

pub use build::{build, estimate};
pub(crate) use build::{build_with_profile, named};
pub use candidate::{Candidate, CandidateId};
pub use plan::*;
