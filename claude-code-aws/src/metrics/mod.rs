//! Metrics exporters: CloudWatch's embedded metric format, OpenMetrics, OTLP and structured logs, all over one observation.

pub mod emf;
mod observers;
pub mod open_metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod request_log;

pub use claude_code_core::metrics::*;
pub(crate) use observers::Observers;
