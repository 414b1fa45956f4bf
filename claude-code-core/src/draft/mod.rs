//! The draft: the result in progress, attempt by attempt.

pub mod attempt_record;
mod best_so_far;
#[expect(clippy::module_inception, reason = "the folder's one concept")]
mod draft;
mod files;
pub mod next_attempt;
pub mod outcome;
mod result;

pub use draft::*;
