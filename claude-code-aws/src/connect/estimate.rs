//! Estimate of what a request costs, from the configuration alone: no connection, no credentials.

use std::sync::Arc;

use claude_code_core::plan::{self, Estimate};
use claude_code_core::{Clock, GenerateRequest, Result};

use super::config::{Config, Provider};
use crate::clock::SystemClock;

impl Config {
    /// Estimates a request: tier, model, tokens, and the most that one attempt can cost.
    ///
    /// ```
    /// use claude_code_aws::Config;
    ///
    /// let estimate = Config::default().estimate("a queue with a timeout")?;
    /// assert!(estimate.worst_usd.is_priced());
    /// # Ok::<(), claude_code_aws::Error>(())
    /// ```
    pub fn estimate(&self, request: impl Into<GenerateRequest>) -> Result<Estimate> {
        let mut policy = self.policy.clone();
        policy.samples = self.provider == Provider::Samples;
        plan::estimate(request.into(), &Arc::new(policy), self.provider.name(), SystemClock.now())
    }
}

impl Provider {
    /// The name in settings and telemetry.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Bedrock => "bedrock",
            Provider::Anthropic => "anthropic",
            Provider::Samples => "samples",
        }
    }
}
