//! Model provider: the trait behind which a model service stands. One attempt per call, no policy.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

pub use crate::answer::stop_reason::StopReason;
use crate::error::ErrorKind;
use crate::model::ModelId;
use crate::model::capability::{Effort, SentThinking};
use crate::model::catalogue::Catalogue;
use crate::money::usage::Usage;
use crate::money::usage_figures::InferenceGeo;
use crate::provider::message::{Message, TextBlock};
use crate::request::JobAnswer;
use crate::trace::TraceContext;

pub use crate::provider::sent_flag::SentFlag;

/// One call to one model, as it is to be sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ModelCall {
    /// Sent as given.
    pub model: ModelId,
    /// The system prompt.
    pub system: Vec<TextBlock>,
    /// The conversation; the last turn is the caller's.
    pub messages: Vec<Message>,
    /// The longest answer, in tokens. Always sent: Bedrock's own default is a short 4,096.
    pub max_tokens: u32,
    /// Only for models that take it.
    pub temperature: Option<f64>,
    /// How hard it tries, where the model knows efforts.
    pub effort: Option<Effort>,
    /// Whether and how it thinks; none: as the model does by itself.
    pub thinking: Option<SentThinking>,
    /// Goes to the service's invocation log only.
    pub metadata: BTreeMap<String, String>,
    /// A guardrail's id and version.
    pub guardrail: Option<(String, String)>,
    /// `default`, `priority`, `flex` or `reserved`.
    pub service_tier: Option<String>,
    /// Where it is sent instead of the provider's first place: a region or host that the provider was given for this.
    pub place: Option<std::sync::Arc<str>>,
    /// To be marked by the provider when the request leaves: what is cancelled before is not charged.
    pub sent_flag: SentFlag,
    /// The answer, where a batch job has given it: nothing is sent.
    pub answered: Option<std::sync::Arc<JobAnswer>>,
    /// The attempt's span, told to the service where its protocol has a header for it.
    pub trace: Option<TraceContext>,
    /// The caller's catalogue: for error messages that name a limit or a successor.
    pub catalogue: &'static Catalogue,
}

impl ModelCall {
    /// A call with these messages and nothing optional, by the built-in catalogue.
    pub fn new(model: ModelId, messages: Vec<Message>, max_tokens: u32) -> Self {
        ModelCall {
            model,
            system: Vec::new(),
            messages,
            max_tokens,
            temperature: None,
            effort: None,
            thinking: None,
            metadata: BTreeMap::new(),
            guardrail: None,
            service_tier: None,
            place: None,
            sent_flag: SentFlag::default(),
            answered: None,
            trace: None,
            catalogue: Catalogue::builtin(),
        }
    }

    /// The same with this system prompt.
    #[must_use]
    pub fn with_system(mut self, system: Vec<TextBlock>) -> Self {
        self.system = system;
        self
    }
}

/// Event of a model's stream. Exactly one [`Stop`](ModelEvent::Stop), after it at most one [`Usage`](ModelEvent::Usage).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelEvent {
    /// A piece of the answer.
    Text(String),
    /// The model thinks: so many characters of it, never shown and never code.
    Thinking {
        /// Characters of thinking in this event; 0 where the service hides them.
        chars: usize,
    },
    /// The model ended its turn.
    Stop {
        /// Why.
        reason: StopReason,
        /// What the service adds, in one line.
        detail: Option<String>,
    },
    /// What the call used so far: figures are cumulative, so that a later event takes the place of an earlier one.
    Usage(Usage),
    /// What changes how the usage is billed; may come at any time before the end.
    BillingNote {
        /// Where inference ran.
        inference_geo: InferenceGeo,
        /// What the caller should know of the figures, in one line.
        warning: Option<String>,
    },
    /// An event that only frames others, or says that more is coming: the time limits start again.
    Alive,
    /// An event that this version does not know: passed over and counted.
    Skipped,
}

// Answers are the user's: their text never reaches a log by way of Debug.
impl std::fmt::Debug for ModelEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ModelEvent::Text(text) => write!(f, "Text({} bytes)", text.len()),
            ModelEvent::Thinking { chars } => write!(f, "Thinking({chars} chars)"),
            ModelEvent::Stop { reason, .. } => write!(f, "Stop({reason})"),
            ModelEvent::Usage(usage) => write!(f, "{usage:?}"),
            ModelEvent::BillingNote { inference_geo, .. } => write!(f, "BillingNote({inference_geo:?})"),
            ModelEvent::Alive => f.write_str("Alive"),
            ModelEvent::Skipped => f.write_str("Skipped"),
        }
    }
}

/// Whether a failed send may be on the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Billing {
    /// Nothing was generated: safe to send again.
    No,
    /// The request was sent and its outcome is unknown.
    Maybe,
    /// The service answered: it is on the bill.
    Yes,
}

/// A request field that a model may refuse and that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// temperature, top_p, top_k.
    Sampling,
    /// outputConfig.effort.
    Effort,
    /// thinking.
    Thinking,
    /// cachePoint.
    CachePoint,
    /// requestMetadata.
    Metadata,
    /// serviceTier.
    ServiceTier,
}

impl Field {
    /// The name as a person knows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Field::Sampling => "temperature",
            Field::Effort => "effort",
            Field::Thinking => "thinking",
            Field::CachePoint => "prompt caching",
            Field::Metadata => "request metadata",
            Field::ServiceTier => "service tier",
        }
    }
}

/// Retry limit of a fault to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// Permanent cause (unknown CA, proxy refusal, no such host): so many attempts in a row.
    Attempts(usize),
    /// Transient cause (refused, reset before a byte): so long after the first such attempt began.
    After(Duration),
}

/// Why one attempt failed. `paid` is the provider's verdict; the loop only reads it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ProviderError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Whether it may be on the bill.
    pub paid: Billing,
    /// How long the service asked to wait.
    pub retry_after: Option<Duration>,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    /// The service's error code.
    pub code: Option<String>,
    /// The service's id of this request.
    pub request_id: Option<String>,
    /// The field that the model refused, where the error names one that can be left out.
    pub refused_field: Option<Field>,
    /// How long the fault is worth retrying, where that is shorter than the request's time.
    pub give_up: Option<GiveUp>,
    /// One line for a person, with what to do; without prompt, answer or secret.
    pub message: String,
}

impl ProviderError {
    /// A fault with this verdict and its line for a person.
    pub fn new(kind: ErrorKind, paid: Billing, message: impl Into<String>) -> Self {
        ProviderError {
            kind,
            paid,
            retry_after: None,
            status: None,
            code: None,
            request_id: None,
            refused_field: None,
            give_up: None,
            message: message.into(),
        }
    }
}

/// A way to reach models. One attempt per call: no retry, no policy, nothing sent before the first poll; after
/// an error the stream ends; it ends without a stop event only if the service cut it. A request that leaves is marked on
/// the call's [`SentFlag`], before its first byte is written.
pub trait ModelProvider: std::fmt::Debug + Send + Sync {
    /// Its name in cache keys and messages: `bedrock`, `anthropic`, `samples`.
    fn name(&self) -> &'static str;

    /// Sends the call once and gives what arrives.
    fn stream(&self, call: ModelCall) -> BoxStream<'static, Result<ModelEvent, ProviderError>>;
}

/// Model facts: what a service reports about its models without generating. A client does without it: then an id that does not
/// name its model has no price, and tokens are estimated.
pub trait ModelFacts: std::fmt::Debug + Send + Sync {
    /// The model that a profile's ARN stands for, as an id that names model and geography. Costs nothing. The error's
    /// message says what to do so that the next one can be resolved.
    fn resolve(&self, profile: ModelId) -> BoxFuture<'static, Result<ModelId, ProviderError>>;

    /// Tokens of the call's prompt, as the service counts them. Costs nothing. Not every model can be counted for.
    fn count_tokens(&self, call: ModelCall) -> BoxFuture<'static, Result<u64, ProviderError>>;
}
