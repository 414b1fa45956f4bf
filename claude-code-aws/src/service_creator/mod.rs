//! The service creator: a conversation of seven questions, and from its answers six files that work together.
//!
//! [`Creator`] knows the order; [`Services`] keeps conversations and files behind a seam; the rest is pure.

mod conversation;
mod creator;
mod data;
mod files;
mod list;
mod memory;
#[cfg(feature = "cli")]
mod profile;
mod question;
mod step;
mod store;
mod writer;
mod writing;

pub use conversation::{Change, CodeRef, Conversation, MAX_NAME, Said};
pub use creator::Creator;
pub use data::{MAX_ANSWER, MAX_DATA, MAX_ITEMS, ServiceData};
pub use files::{FILES, check, missing, prompt, request};
pub use list::{MAX_SERVICES, ServiceEntry, ServicePage};
pub use memory::MemoryServices;
#[cfg(feature = "cli")]
pub use profile::{Profile, ProfileQuestion};
pub use question::{adapted, question_request};
pub use step::{STEPS, Step, TOTAL_STEPS};
pub use store::{Code, CodeEntry, Row, RowKey, ServiceStore, Services};
pub use writing::{Shown, Writing};
