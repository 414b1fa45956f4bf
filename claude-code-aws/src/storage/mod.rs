//! Storage on AWS: results and services in S3 and DynamoDB, shared state, presigned URLs, the sweep of orphans.

pub mod download;
pub mod dynamodb;
pub(crate) mod failure;
pub(crate) mod presign;
pub mod results;
pub mod s3;
#[cfg(any(feature = "cli", feature = "server"))]
pub mod services;
pub mod sweep;
