//! The answer reader: shapes that models write, the recorded corpus, any chunking.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

#[path = "support/corpus.rs"]
mod corpus;
#[path = "read/merge.rs"]
mod merge;

#[path = "read/answers.rs"]
mod answers;
#[path = "read/chunks.rs"]
mod chunks;
#[path = "read/commonmark.rs"]
mod commonmark;
#[path = "read/edits.rs"]
mod edits;
#[path = "read/names.rs"]
mod names;
#[path = "read/nested.rs"]
mod nested;
#[path = "read/sentinels.rs"]
mod sentinels;
#[path = "read/shapes.rs"]
mod shapes;
