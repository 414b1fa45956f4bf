//! Files of the user: reading sources, writing results below one root, the journal of a batch.

pub mod batch_journal;
pub mod batch_manifest;
pub mod batch_rows;
mod file_sync;
pub mod git;
pub(crate) mod json_line;
pub mod read;
mod refusal;
pub mod write;
pub mod write_journal;

#[cfg(test)]
mod tests;
