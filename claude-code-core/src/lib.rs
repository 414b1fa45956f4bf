//! The pure half of the code-generation SDK for Claude on AWS: prompts, model selection, answer reading,
//! and the one sequence that turns a prompt into accepted code with a receipt.
//!
//! Nothing here knows AWS, HTTP, files or the environment. The world comes in through four small seams
//! (a model provider, a state store, a generation store, a metrics sink) and a clock.
#![deny(rustdoc::broken_intra_doc_links)]

pub mod answer;
pub mod batch;
pub mod budget;
mod builder;
mod cache;
mod client;
pub mod clock;
mod draft;
pub mod edit;
mod error;
mod event;
pub mod generation;
pub mod metrics;
pub mod model;
pub mod money;
mod next;
pub mod plan;
pub mod provider;
mod queries;
pub mod read;
pub mod request;
mod resume;
pub mod select;
pub mod state;
pub mod store;
mod stream;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trace;
pub mod validate;

pub use answer::diagnostic::{Diagnostic, Severity};
pub use answer::file::CodeFile;
pub use answer::language::Language;
pub use batch::BatchItem;
pub use budget::{BudgetScope, BudgetView};
pub use builder::ClientBuilder;
pub use client::Client;
pub use clock::{Clock, IdSource, UtcMillis};
pub use error::{Error, ErrorKind, Result};
pub use event::Event;
pub use generation::Generation;
pub use metrics::MetricsSink;
pub use model::catalogue::Catalogue;
pub use model::{Family, ModelId, ProfileScope, Tier};
pub use money::price::{Cost, PicoUsd};
pub use money::rates::Rates;
pub use money::receipt::Receipt;
pub use money::usage::Usage;
pub use plan::policy::Policy;
pub use provider::{ModelFacts, ModelProvider};
pub use read::{Answer, AnswerEvent, AnswerReader, read_answer};
pub use request::{CacheMode, Check, GenerateRequest, Work as Task};
pub use state::{Scope, StateStore};
pub use store::GenerationStore;
pub use stream::GenerationStream;
pub use trace::TraceContext;

/// The code of README.md compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
