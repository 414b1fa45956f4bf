//! The lab: a TLS server with a CA of its own, a CONNECT proxy, and endpoints that refuse, as a corporate network has them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod configured;
mod credentials;
mod lab;
mod otlp;
mod pasted;
mod protobuf;
mod proxied;
mod stored_key;
mod trusted;
mod unreachable;
