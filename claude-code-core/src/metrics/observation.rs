//! The observation of a request: figures and names only, read by every exporter (EMF, OpenTelemetry, logs, counters).

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::clock::UtcMillis;
use crate::metrics::AttemptTiming;
use crate::model::capability::Effort;
use crate::money::price::Cost;
use crate::money::receipt::Saved;
use crate::money::usage::Usage;
use crate::trace::RequestTrace;

/// The attempts of one request by their cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttemptCounts {
    /// All of them.
    pub all: u32,
    /// The same request again after a fault.
    pub retries: u32,
    /// The rest of a cut answer.
    pub resumes: u32,
    /// The failing files again.
    pub repairs: u32,
    /// Another model or place, or a cheaper tier.
    pub fallbacks: u32,
    /// The tier above.
    pub escalations: u32,
    /// Those that the service throttled, whatever their cause.
    pub throttled: u32,
}

/// What became of storing the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreOutcome {
    /// It was not meant to be stored.
    #[default]
    NotAsked,
    /// It is stored.
    Stored,
    /// Storing it failed.
    Failed,
}

impl StoreOutcome {
    /// The name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            StoreOutcome::NotAsked => "not_asked",
            StoreOutcome::Stored => "stored",
            StoreOutcome::Failed => "failed",
        }
    }
}

/// Observation of a finished request: never any text of the user or the model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Observation {
    /// The id of the result, which is the request's id in logs and in the service's invocation log; empty if the
    /// request was refused before it had one.
    pub request_id: String,
    /// The scope that asked, as a hash.
    pub scope: String,
    /// The batch that it belongs to.
    pub batch_id: Option<String>,
    /// `accepted`, `rejected`, `cancelled`, or the kind of the error.
    pub outcome: &'static str,
    /// Whether a caller received the outcome; false for a request that all its callers gave up.
    pub answered: bool,
    /// The last model that was asked, as sent.
    pub model: Option<String>,
    /// The same model by its name in the catalogue, or `unknown`: one of a bounded set.
    pub model_name: &'static str,
    /// `simple`, `medium`, `complex`.
    pub tier: Option<&'static str>,
    /// Why this tier.
    pub tier_reason: Option<String>,
    /// `on_demand` or `batch`.
    pub lane: &'static str,
    /// From the request to its end.
    pub took: Duration,
    /// From the request to the service's first event.
    pub first_event: Option<Duration>,
    /// From the request to the start of the first file.
    pub first_file: Option<Duration>,
    /// Attempts, all causes together.
    pub sends: u32,
    /// Attempts by cause.
    pub attempts: AttemptCounts,
    /// Whether it came from the response cache, or from an equal request.
    pub cached: bool,
    /// Prompt tokens outside the prompt cache.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// Prompt tokens read from the prompt cache.
    pub cache_read_tokens: u64,
    /// Prompt tokens written to the prompt cache.
    pub cache_write_tokens: u64,
    /// Output tokens that were thinking, where the service says so.
    pub thinking_tokens: Option<u64>,
    /// What it cost.
    pub cost: Cost,
    /// What was not spent.
    pub saved: Saved,
    /// Why the model ended its turn.
    pub stop_reason: Option<String>,
    /// The kind of the error, if it ended in one.
    pub error_kind: Option<&'static str>,
    /// The service's id of the failed request, where it gave one.
    pub service_request_id: Option<String>,
    /// What became of storing the result.
    pub stored: StoreOutcome,
    /// When the request came.
    pub started: UtcMillis,
    /// The longest single answer that was asked for, in tokens.
    pub max_tokens: Option<u32>,
    /// The temperature that was asked for.
    pub temperature: Option<f64>,
    /// The effort that was asked for.
    pub effort: Option<Effort>,
    /// Files of the result.
    pub files: usize,
    /// The trace that the request belongs to, where somebody traces it.
    pub trace: Option<RequestTrace>,
    /// The attempts, where the request is traced.
    pub spans: Vec<AttemptTiming>,
}

impl Observation {
    /// An observation with this outcome and nothing else.
    pub fn new(outcome: &'static str) -> Self {
        Observation {
            request_id: String::new(),
            scope: String::new(),
            batch_id: None,
            outcome,
            answered: true,
            model: None,
            model_name: "unknown",
            tier: None,
            tier_reason: None,
            lane: "on_demand",
            took: Duration::ZERO,
            first_event: None,
            first_file: None,
            sends: 0,
            attempts: AttemptCounts::default(),
            cached: false,
            input_tokens: 0,
            output_tokens: 0,
            cache_read_tokens: 0,
            cache_write_tokens: 0,
            thinking_tokens: None,
            cost: Cost::ZERO,
            saved: Saved::default(),
            stop_reason: None,
            error_kind: None,
            service_request_id: None,
            stored: StoreOutcome::NotAsked,
            started: UtcMillis::default(),
            max_tokens: None,
            temperature: None,
            effort: None,
            files: 0,
            trace: None,
            spans: Vec::new(),
        }
    }

    /// With the tokens of a usage.
    pub fn with_usage(mut self, usage: &Usage) -> Self {
        self.input_tokens = usage.input_tokens;
        self.output_tokens = usage.output_tokens;
        self.cache_read_tokens = usage.cache_read_input_tokens;
        self.cache_write_tokens = usage.cache_creation_input_tokens();
        self.thinking_tokens = usage.thinking_tokens;
        self
    }
}

/// Where observations go. A sink that fails is ignored: it never fails a call.
pub trait MetricsSink: std::fmt::Debug + Send + Sync {
    /// Takes one observation. Must not block.
    fn record(&self, observation: &Observation);

    /// Sends what is still here, before a process ends or is frozen. Ends within seconds, whatever happens.
    fn flush(&self) -> BoxFuture<'_, ()>;
}

/// No metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMetrics;

impl MetricsSink for NoMetrics {
    fn record(&self, _: &Observation) {}

    fn flush(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}
