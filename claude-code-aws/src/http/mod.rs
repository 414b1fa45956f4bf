//! The HTTP API: one router for three hosts, Lambda, [`serve`] and tests.

mod app;
mod auth;
mod host;
mod jobs;
mod middleware;
pub(crate) mod request;
mod response;
mod router;
mod routes;

pub use app::{App, Settings};
pub use host::lambda;
pub use host::serve::{Server, bind, serve};
pub use response::problem::{Problem, status};
pub use response::sse::HEARTBEAT;
pub use router::router;
#[cfg(feature = "cli")]
pub(crate) use routes::batch_line::batch_line;
