//! Many requests: the stream over them, and what decides when each of them is sent.

#[expect(clippy::module_inception, reason = "the folder's one concept")]
mod batch;
mod cap;
pub mod quota;
mod scheduler;

pub use batch::BatchItem;
pub use cap::SpendingCap;
pub use scheduler::{BatchOptions, Scheduler};
