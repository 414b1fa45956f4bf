//! Shared key-value state: the store's trait, and leases, jobs and idempotency keys over it.

pub mod idempotency;
pub mod jobs;
pub mod lease;
pub mod memory;
mod state_store;

pub use state_store::*;
