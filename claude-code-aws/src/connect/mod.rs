//! Connecting: configuration, endpoints, the shared HTTP transport, and the client that comes of them.

pub mod batch;
mod catalogue;
pub(crate) mod cause;
pub mod config;
#[expect(clippy::module_inception, reason = "the folder's one concept")]
mod connect;
pub(crate) mod credentials;
pub(crate) mod endpoints;
mod estimate;
#[cfg(feature = "local")]
pub(crate) mod local;
mod network;
mod proxy;
pub(crate) mod route;
mod scope;
pub(crate) mod transport;
pub(crate) mod trust;

pub use catalogue::catalogue_of;
pub(crate) use cause::find as unreachable;
pub use connect::*;
pub use network::Network;
#[cfg(feature = "otlp")]
pub(crate) use proxy::decoded;
