//! Shared key-value state: the store's trait, and leases, jobs and idempotency keys over it.

pub(crate) mod counters;
pub mod idempotency;
pub mod jobs;
pub mod lease;
pub mod memory;
mod state_store;

pub use counters::{CounterName, Counters};
pub use state_store::*;
