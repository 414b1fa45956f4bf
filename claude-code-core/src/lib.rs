//! The pure half of the code-generation SDK for Claude on AWS: prompts, model selection, answer reading,
//! and the one sequence that turns a prompt into accepted code with a receipt.
//!
//! Nothing here knows AWS, HTTP, files or the environment. The world comes in through four small seams
//! (a model provider, a state store, a generation store, a metrics sink) and a clock.

pub mod catalogue;
pub mod diagnostic;
pub mod edit;
pub mod error;
pub mod file;
pub mod language;
pub mod model;
pub mod path;
pub mod price;
pub mod read;
pub mod validate;

pub use diagnostic::{Diagnostic, Severity};
pub use error::{Error, Kind, Result};
pub use file::CodeFile;
pub use language::Language;
