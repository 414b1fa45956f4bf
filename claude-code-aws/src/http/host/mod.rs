//! Hosts of the router: a listening server and Lambda.

pub mod lambda;
pub(super) mod serve;
