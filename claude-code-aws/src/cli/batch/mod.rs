//! What `batch` reads, prints and writes.

pub(super) mod input;
pub(super) mod jobs;
pub(super) mod output;
pub(super) mod plan;
pub(super) mod progress;
