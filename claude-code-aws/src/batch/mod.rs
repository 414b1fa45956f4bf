//! Batches by the cheapest lane: requests one by one, or jobs of Bedrock's batch inference.

mod answers;
mod bedrock_lane;
mod collect;
pub mod job;
pub mod lane;
pub mod plan;
mod prepare;
pub mod record;
mod run;
mod shard;
mod watch;

pub use claude_code_core::batch::*;

pub use bedrock_lane::{BatchPlace, BedrockLane};
pub use plan::Lane;
pub use run::{Notes, Options, Requests, run};
pub use shard::Limits;
