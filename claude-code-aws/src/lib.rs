//! The code-generation SDK for Claude on AWS: Bedrock, S3 and DynamoDB behind the core's seams.
//!
//! ```no_run
//! # async fn example() -> claude_code_aws::Result<()> {
//! let client = claude_code_aws::connect(claude_code_aws::Config::from_env()?).await?;
//! let generation = client.generate("a queue with a timeout").await?;
//! println!("{}", generation.code()?);
//! # Ok(())
//! # }
//! ```

pub mod anthropic;
pub mod bedrock;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
pub mod config;
mod connect;
mod connection;
mod departing;
pub mod disk;
#[cfg(feature = "local")]
pub mod doctor;
pub mod download;
pub mod dynamodb;
mod fault;
mod host;
#[cfg(feature = "server")]
pub mod http;
pub mod janitor;
pub mod journal;
mod length;
#[cfg(feature = "local")]
pub mod local;
mod presign;
pub mod results;
pub mod s3;
mod secret;
pub mod services;
pub mod source;
mod words;

pub use claude_code_core::*;
pub use config::Config;
pub use connect::{Connected, connect, connect_places, connect_places_with, connect_with};
pub use secret::Secret;
