//! The twin's engines, through the real AWS SDK clients.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

mod bedrock;
mod checksums;
mod control;
mod directory;
mod dynamodb;
mod fault_rows;
mod faults;
mod http2;
mod jobs;
mod listing;
mod multipart;
mod objects;
mod operations;
mod properties;
mod relay;
mod rules;
mod support;
mod versions;
mod wire;
