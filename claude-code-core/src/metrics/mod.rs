//! Metrics: one observation for each request, handed to a sink.

mod observation;
pub(crate) mod observe;

pub use observation::*;
