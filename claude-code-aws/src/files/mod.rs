//! Files of the user: reading sources, writing results below one root, the journal of a batch.

pub mod batch_journal;
pub mod batch_manifest;
mod file_sync;
pub mod read;
pub mod write;
