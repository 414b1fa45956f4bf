//! The main job end to end on the local twin: the real AWS SDK clients against real engines in the process.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod jobs;
mod journal;
mod offline;
mod recorded;
mod reframed;
mod refusals;
mod samples;
mod stores;

#[path = "../../../claude-code-core/tests/support/corpus.rs"]
mod corpus;

pub const REVERSE: &str = "Write a Python function that reverses a string.";
