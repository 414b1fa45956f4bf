//! Metrics: one observation for each request, handed to a sink.

pub(crate) mod account;
pub(crate) mod delivery;
mod observation;
pub(crate) mod observe;
mod timing;

pub use observation::*;
pub use timing::*;
