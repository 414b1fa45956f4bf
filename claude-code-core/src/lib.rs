//! The pure half of the code-generation SDK for Claude on AWS: prompts, model selection, answer reading,
//! and the one sequence that turns a prompt into accepted code with a receipt.
//!
//! Nothing here knows AWS, HTTP, files or the environment. The world comes in through four small seams
//! (a model provider, a state store, a generation store, a metrics sink) and a clock.

pub mod ask;
pub mod budget;
mod builder;
mod cache;
pub mod capability;
pub mod catalogue;
mod cell;
pub mod client;
pub mod clock;
pub mod cost;
pub mod diagnostic;
pub mod draft;
pub mod edit;
pub mod error;
pub mod estimate;
pub mod event;
mod experience;
pub mod file;
mod flight;
pub mod generation;
mod halt;
pub mod idempotency;
pub mod invoke;
pub mod jobs;
mod keep;
pub mod language;
mod lease;
mod ledger;
pub mod memory;
pub mod message;
pub mod metrics;
pub mod model;
pub mod next;
mod observe;
pub mod outcome;
pub mod path;
pub mod plan;
pub mod policy;
pub mod price;
pub mod prompt;
pub mod provider;
pub mod rates;
pub mod read;
pub mod receipt;
mod refactor;
pub mod request;
pub mod resume;
pub mod select;
pub mod service;
pub mod state;
pub mod store;
mod stream;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod usage;
pub mod validate;

pub use budget::{BudgetView, Whose};
pub use builder::ClientBuilder;
pub use catalogue::Catalogue;
pub use client::Client;
pub use clock::{Clock, IdSource, UtcMillis};
pub use diagnostic::{Diagnostic, Severity};
pub use error::{Error, Kind, Result};
pub use event::Event;
pub use file::CodeFile;
pub use generation::Generation;
pub use language::Language;
pub use metrics::MetricsSink;
pub use model::{Family, ModelId, ProfileScope, Tier};
pub use policy::Policy;
pub use price::{Cost, PicoUsd};
pub use provider::ModelProvider;
pub use rates::Rates;
pub use read::{Answer, AnswerReader, Piece, read_answer};
pub use receipt::Receipt;
pub use request::{CacheMode, Check, GenerateRequest};
pub use state::{Scope, StateStore};
pub use store::GenerationStore;
pub use stream::GenerationStream;
pub use usage::Usage;
