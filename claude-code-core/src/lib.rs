//! The pure half of the code-generation SDK for Claude on AWS: prompts, model selection, answer reading,
//! and the one sequence that turns a prompt into accepted code with a receipt.
//!
//! Nothing here knows AWS, HTTP, files or the environment. The world comes in through four small seams
//! (a model provider, a state store, a generation store, a metrics sink) and a clock.

pub mod capability;
pub mod catalogue;
pub mod error;
pub mod estimate;
pub mod file;
pub mod language;
pub mod model;
pub mod price;
pub mod rates;
pub mod read;
pub mod receipt;
pub mod select;
pub mod usage;

pub use catalogue::Catalogue;
pub use error::{Error, Kind, Result};
pub use file::CodeFile;
pub use language::Language;
pub use model::{Family, ModelId, ProfileScope, Tier};
pub use price::{Cost, PicoUsd};
pub use rates::Rates;
pub use receipt::Receipt;
pub use usage::Usage;
