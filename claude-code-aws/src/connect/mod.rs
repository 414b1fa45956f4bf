//! Connecting: configuration, endpoints, the shared HTTP transport, and the client that comes of them.

mod api_key;
pub mod config;
#[expect(clippy::module_inception, reason = "the folder's one concept")]
mod connect;
pub(crate) mod endpoints;
#[cfg(feature = "local")]
pub(crate) mod local;
pub(crate) mod transport;

pub use connect::*;
