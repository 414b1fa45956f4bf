//! The seam to metrics: one observation per generation, with numbers and names only.

use std::time::Duration;

use crate::money::price::Cost;

/// What a generation came to. Never any text of the user or the model.
#[derive(Clone, Debug)]
pub struct Observation {
    /// `accepted`, `rejected`, or the kind of the error.
    pub outcome: &'static str,
    /// The last model that was asked.
    pub model: Option<String>,
    /// `simple`, `medium`, `complex`.
    pub tier: Option<&'static str>,
    /// From the request to its end.
    pub took: Duration,
    /// Sends, all causes together.
    pub sends: u32,
    /// Whether it came from the cache.
    pub cached: bool,
    /// Tokens of the prompts.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// What it cost.
    pub cost: Cost,
}

/// Where observations go. A sink that fails is ignored: it never fails a call.
pub trait MetricsSink: std::fmt::Debug + Send + Sync {
    /// Takes one observation. Must not block.
    fn record(&self, observation: &Observation);
}

/// No metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMetrics;

impl MetricsSink for NoMetrics {
    fn record(&self, _: &Observation) {}
}
