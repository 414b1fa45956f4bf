//! The HTTP API, its router called in the process on the local twin or on scripted models.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authorizers;
mod bodies;
mod charges;
mod crashed;
mod creator;
mod edge;
mod jobs;
mod keys;
mod lambda;
mod links;
mod metrics;
mod openapi;
#[path = "../network/protobuf.rs"]
#[allow(dead_code, reason = "the network tests use all of it")]
mod protobuf;
mod queue;
mod routes;
mod runtime;
#[path = "../wire/server.rs"]
#[allow(dead_code, reason = "the wire tests use all of it")]
mod server;
mod services;
mod slow;
mod statuses;
mod stream;
mod support;
mod usage;
mod worker;
