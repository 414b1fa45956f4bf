//! OpenTelemetry over OTLP (HTTP, protobuf): a span for each request with one below it for each attempt, and metrics, by
//! the semantic conventions for generative AI. Where they go is said by OpenTelemetry's own variables.

mod exporter;
mod labels;
mod meters;
pub mod names;
mod protobuf;
mod settings;
mod signature;
mod spans;

pub(crate) use exporter::Exporter;
pub use settings::Settings;

use std::sync::{Mutex, PoisonError};

use claude_code_core::metrics::Observation;

/// What an exporter makes of observations, without a receiver: for tests and benches.
#[derive(Debug)]
pub struct Recorder {
    provider: &'static str,
    meters: Mutex<meters::Meters>,
}

impl Recorder {
    /// A recorder of what happens with this provider: `bedrock` or `anthropic`.
    pub fn new(provider: &str) -> Self {
        let meters = Mutex::new(meters::Meters::new(0, false, false));
        Recorder { provider: labels::provider(provider), meters }
    }

    /// Counts a request and gives its spans, each encoded as OTLP's `Span`.
    pub fn record(&self, seen: &Observation) -> Vec<Vec<u8>> {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        meters.record(labels::Labels::of(self.provider, seen), seen);
        spans::of(self.provider, seen, false)
    }
}

/// What one observation becomes: its spans, and the metrics of it alone as the fields of OTLP's `ScopeMetrics`.
pub fn encoded(provider: &str, seen: &Observation, old_names: bool) -> (Vec<Vec<u8>>, Vec<u8>) {
    let provider = labels::provider(provider);
    let mut meters = meters::Meters::new(0, false, old_names);
    meters.record(labels::Labels::of(provider, seen), seen);
    let metrics = meters.report(1).map(protobuf::Message::into_bytes).unwrap_or_default();
    (spans::of(provider, seen, old_names), metrics)
}
