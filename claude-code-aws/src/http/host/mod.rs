//! Hosts of the router: a listening server and Lambda.

mod connections;
pub mod lambda;
pub(super) mod serve;
mod workers;
