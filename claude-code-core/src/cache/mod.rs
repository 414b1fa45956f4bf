//! The response cache, and single-flight for concurrent equal requests.

pub(crate) mod charge;
pub(crate) mod response;
pub(crate) mod shared_result;
pub(crate) mod single_flight;
