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
#![deny(rustdoc::broken_intra_doc_links)]

pub mod anthropic;
pub mod batch;
pub mod bedrock;
pub mod checks;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
pub mod connect;
#[cfg(feature = "local")]
pub mod doctor;
pub mod files;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "local")]
pub mod local;
pub mod metrics;
mod model_service;
pub mod remote;
mod secret;
#[cfg(any(feature = "cli", feature = "server"))]
pub mod service_creator;
pub mod storage;

pub use claude_code_core::*;
pub use connect::config::Config;
pub use connect::{Connected, connect};
pub use secret::Secret;

/// The code of README.md compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
