//! Responders: what answers a model call in the twin. Samples, scripts, recordings, and relays to model servers.

pub(crate) mod batch_fault;
pub(crate) mod fault;
pub(crate) mod load;
pub(crate) mod openai;
pub(crate) mod quota;
pub(crate) mod relay;
#[expect(clippy::module_inception, reason = "the folder's one concept")]
mod responder;
pub(crate) mod script;
pub(crate) mod scripted;
pub(crate) mod stop_sequences;
pub(crate) mod streamed;

pub use responder::*;
