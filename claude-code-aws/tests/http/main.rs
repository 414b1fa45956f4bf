//! The HTTP API, its router called in the process on the local twin or on scripted models.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod creator;
mod edge;
mod jobs;
mod keys;
mod lambda;
mod openapi;
mod routes;
mod statuses;
mod stream;
mod support;
