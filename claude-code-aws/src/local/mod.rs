//! The local twin: Bedrock, S3 and DynamoDB inside the process, spoken to by the real AWS SDK clients.
//!
//! [`Twin`] owns a state directory with one SQLite file per engine and gives out an HTTP client for the SDK,
//! whose connector hands each request to an engine without a socket. [`handle`] is the same door for listeners.

mod bedrock;
mod model_server;
mod responder;
mod s3;
mod samples;
mod server;
pub(crate) mod storage;
mod twin;

pub use crate::connect::local::{BUCKET, open, with_disk};
pub(crate) use crate::connect::local::{samples, stored};
#[cfg(feature = "cli")]
pub(crate) use bedrock::Front;
pub use bedrock::Recorded;
#[cfg(feature = "cli")]
pub(crate) use bedrock::{Recorder, Upstream};
pub use model_server::{is_url, with_model_server};
#[cfg(feature = "cli")]
pub(crate) use model_server::{offline, relay};
pub use responder::batch_fault::BatchFault;
pub use responder::fault::Fault;
#[cfg(feature = "cli")]
pub(crate) use responder::load::has_samples;
pub use responder::load::{answers_at, answers_of, script_of};
pub use responder::quota::Quota;
pub use responder::relay::Relay;
pub use responder::script::Script;
#[cfg(feature = "cli")]
pub(crate) use responder::scripted::FORMAT;
pub use responder::scripted::Scripted;
pub use responder::streamed::{Chunk, Streamed};
pub use responder::{
    CacheUse, End, Question, Reply, Responder, Role, StopReason, Turn, Usage, estimate_tokens,
};
pub use samples::{Sample, Samples};
pub use server::body::{Body, BodyError, Piece, Pieces};
pub use server::endpoint::{Engines, Service, handle};
pub use server::keys::Keys;
#[cfg(feature = "cli")]
pub(crate) use server::listen::listen_before_stores;
pub use server::listen::{Listening, listen, listen_with_stores};
pub use storage::directory::Directory;
pub use storage::state::SqliteState;
pub use twin::Twin;
