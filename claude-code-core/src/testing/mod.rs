//! What tests stand on: a provider that plays scripts, a clock that follows tokio's paused time, seeded chance, and
//! the contract suites that every implementation of a seam runs.

mod clock;
mod provider;
pub mod provider_contract;
pub mod state_contract;
pub mod store_contract;

pub use clock::{SeededIds, TestClock};
pub use provider::{Line, Script, ScriptedProvider};

/// Internal: how a cut answer is joined with its continuation, for fuzz targets.
pub use crate::resume::{Anchor, Splice};

use std::sync::Arc;

use crate::builder::ClientBuilder;
use crate::provider::ModelProvider;

/// A builder with a test clock and seeded ids.
pub fn builder(provider: Arc<dyn ModelProvider>) -> ClientBuilder {
    ClientBuilder::new(provider, Arc::new(TestClock::default()), Arc::new(SeededIds::new(1)))
}
