//! The service creator: a conversation of seven questions, and from its answers six files that work together.
//!
//! Everything here is pure but [`Services`], which keeps conversations and files behind a seam.

mod conversation;
mod data;
mod files;
mod question;
mod step;
mod store;

pub use conversation::{CodeRef, Conversation, Said};
pub use data::ServiceData;
pub use files::{FILES, check, missing, prompt, request};
pub use question::{adapted, question_request};
pub use step::{STEPS, Step, TOTAL_STEPS};
pub use store::{Code, CodeEntry, MemoryServices, Row, RowKey, ServiceStore, Services};
