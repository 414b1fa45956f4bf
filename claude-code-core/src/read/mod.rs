//! The answer reader: a model's text, in any chunking, becomes files.
//!
//! Reading order: our own sentinel lines, then fences by CommonMark's rules (with a name, then without), then
//! bare code; the rest is text. The reader never fails: it says in `notes` what it was unsure of.

mod above;
mod answer;
mod answer_builder;
mod bare;
mod block;
mod body;
mod comment;
mod container;
mod cursor;
mod edits;
mod fence;
mod info;
mod nested;
mod path;
mod quoted;
mod reader;
mod run;
mod sentinel;

pub use answer::{Answer, AnswerEvent, Division, Edit, Fence};
pub(crate) use edits::of_patch;
pub use reader::{AnswerReader, read_answer};

/// Changes when the same text reads as other files; enters the cache key.
pub const READER_VERSION: &str = "4";
