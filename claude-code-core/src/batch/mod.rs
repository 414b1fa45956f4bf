//! Many requests: the stream over them, and what decides when each of them is sent.

#[expect(clippy::module_inception, reason = "the folder's one concept")]
mod batch;
mod cap;
mod job;
pub mod quota;
mod scheduler;

pub use batch::BatchItem;
pub use cap::{Room, SpendingCap};
pub use job::{JobCall, JobReservation};
pub use scheduler::{BatchOptions, Scheduler};
