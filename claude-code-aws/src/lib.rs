//! The code-generation SDK for Claude on AWS: Bedrock, S3 and DynamoDB behind the core's seams.

#[cfg(feature = "local")]
pub mod local;
