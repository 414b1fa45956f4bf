//! Stored results: the store's trait, and how a finished generation is persisted.

mod generation_store;
pub mod memory;
pub(crate) mod persist;

pub use generation_store::*;
