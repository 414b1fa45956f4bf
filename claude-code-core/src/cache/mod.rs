//! The response cache, and single-flight for concurrent equal requests.

pub(crate) mod response;
pub(crate) mod single_flight;
