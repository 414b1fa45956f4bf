//! The local twin: Bedrock, S3 and DynamoDB inside the process, spoken to by the real AWS SDK clients.
//!
//! [`Twin`] owns a state directory with one SQLite file per engine and gives out an HTTP client for the SDK,
//! whose connector hands each request to an engine without a socket. [`handle`] is the same door for listeners.

mod answers;
mod bedrock;
mod body;
mod brain;
mod clock;
mod connector;
mod directory;
mod dynamodb;
mod endpoint;
mod fault;
mod keys;
mod listen;
mod open;
mod openai;
mod percent;
mod quota;
mod relay;
mod s3;
mod samples;
mod schema;
mod script;
mod scripted;
mod signature;
mod stops;
mod streamed;
mod sts;
mod twin;
mod worker;

pub use answers::{answers_at, answers_of, script_of};
pub(crate) use bedrock::Front;
pub use bedrock::Recorded;
#[cfg(feature = "cli")]
pub(crate) use bedrock::{Recorder, Upstream};
pub use body::{Body, BodyError, Piece, Pieces};
pub use brain::{Brain, CacheUse, End, Question, Reply, Role, StopReason, Turn, Usage, estimate_tokens};
pub use directory::Directory;
pub use endpoint::{Engines, Service, handle};
pub use fault::Fault;
pub use keys::Keys;
#[cfg(feature = "cli")]
pub(crate) use listen::listen_before_stores;
pub use listen::{Listening, listen, listen_with_stores};
#[cfg(feature = "cli")]
pub(crate) use open::prepare;
pub use open::{BUCKET, open};
pub(crate) use open::{samples, stored};
#[cfg(feature = "cli")]
pub(crate) use openai::OpenAi;
pub use quota::Quota;
pub use relay::Relay;
pub use samples::{Sample, Samples};
pub use script::Script;
#[cfg(feature = "cli")]
pub(crate) use scripted::FORMAT;
pub use scripted::Scripted;
pub use streamed::{Chunk, Streamed};
pub use twin::Twin;
