//! The service creator: a conversation of seven questions, and from its answers six files that work together.
//!
//! [`Creator`] knows the order; [`Services`] keeps conversations and files behind a seam; the rest is pure.

mod conversation;
mod creator;
mod data;
mod files;
mod question;
mod step;
mod store;
mod writer;
mod writing;

pub use conversation::{CodeRef, Conversation, Said};
pub use creator::Creator;
pub use data::{MAX_ANSWER, MAX_DATA, MAX_ITEMS, ServiceData};
pub use files::{FILES, check, missing, prompt, request};
pub use question::{adapted, question_request};
pub use step::{STEPS, Step, TOTAL_STEPS};
pub use store::{Code, CodeEntry, MemoryServices, Row, RowKey, ServiceStore, Services};
pub use writing::{Shown, Writing};
