//! Generation request: what a caller asks for.

use std::sync::Arc;
use std::time::Duration;

use crate::answer::diagnostic::Diagnostic;
use crate::answer::file::CodeFile;
use crate::answer::stop_reason::StopReason;
use crate::generation::Given;
use crate::model::Tier;
use crate::model::capability::{CacheTtl, Effort, Think};
use crate::money::price::PicoUsd;
use crate::money::usage::Usage;
use crate::trace::TraceContext;

/// What kind of work is asked for; each has its own system prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Work {
    /// New code from words.
    #[default]
    Generate,
    /// Changes to given files.
    Refactor,
    /// What is wrong with given files.
    Review,
    /// What given files do.
    Explain,
    /// Tests for given files.
    Test,
    /// Documentation in given files.
    Document,
    /// Infrastructure as code.
    Infrastructure,
}

impl Work {
    /// Whether it is about given files, so that there must be some.
    pub fn needs_files(self) -> bool {
        !matches!(self, Work::Generate | Work::Infrastructure)
    }

    /// Its name, as interfaces give it.
    pub fn as_str(self) -> &'static str {
        match self {
            Work::Generate => "generate",
            Work::Refactor => "refactor",
            Work::Review => "review",
            Work::Explain => "explain",
            Work::Test => "test",
            Work::Document => "document",
            Work::Infrastructure => "infrastructure",
        }
    }

    /// What is asked for where the caller says nothing more.
    pub fn usual_words(self) -> &'static str {
        match self {
            Work::Review => "Review these files.",
            Work::Explain => "Explain these files.",
            Work::Test => "Write tests for these files.",
            Work::Document => "Document these files.",
            Work::Generate | Work::Refactor | Work::Infrastructure => "",
        }
    }

    /// Whether an answer without a file is none. Reviews and explanations may be words alone.
    pub fn wants_code(self) -> bool {
        !matches!(self, Work::Review | Work::Explain)
    }

    /// Whether the answer changes the given files, so that a diff tells what it did.
    pub fn changes_files(self) -> bool {
        matches!(self, Work::Refactor | Work::Document)
    }
}

/// How the response cache is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheMode {
    /// Read and written.
    #[default]
    Use,
    /// Written only: the answer is asked for anew.
    Refresh,
    /// Neither read nor written.
    Off,
}

/// A file handed in with the request.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, as the model shall see it.
    pub path: String,
    /// Its text.
    pub content: String,
}

impl std::fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceFile({} bytes)", self.content.len())
    }
}

/// The caller's own acceptance test. What it reports as an error rejects the answer and feeds the repair.
#[async_trait::async_trait]
pub trait Check: Send + Sync {
    /// Looks at the files of a complete answer. What takes longer than a blink is done elsewhere and awaited here; a
    /// check that outlasts the request's time has found an error.
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic>;
}

/// The answer of a batch job to a request: its first attempt, made and paid for before.
#[derive(Clone, PartialEq, Eq)]
pub struct JobAnswer {
    /// The answer's text.
    pub text: String,
    /// Why the model ended its turn.
    pub stop_reason: StopReason,
    /// What it used; none: the output does not say.
    pub usage: Option<Usage>,
}

// Answers are the user's: Debug tells their size.
impl std::fmt::Debug for JobAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JobAnswer({} bytes, {})", self.text.len(), self.stop_reason)
    }
}

/// A request, from a prompt and what the caller wants to say beyond it.
///
/// ```
/// use claude_code_core::{GenerateRequest, PicoUsd};
///
/// let request = GenerateRequest::new("a queue with a timeout")
///     .with_language("rust")
///     .with_file("src/lib.rs", "pub struct Queue;\n")
///     .with_max_usd(PicoUsd::from_usd("0.50")?);
/// assert_eq!((request.files.len(), request.max_usd), (1, Some(PicoUsd(500_000_000_000))));
/// # Ok::<(), claude_code_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct GenerateRequest {
    /// What is wanted, in plain words.
    pub prompt: String,
    /// What kind of work it is.
    pub work: Work,
    /// The language; none: the prompt tells.
    pub language: Option<String>,
    /// Files to read or change, in this order.
    pub files: Vec<SourceFile>,
    /// Standing instructions beside the prompt (house style, versions).
    pub instructions: Option<String>,
    /// The tier; none: the classifier's.
    pub tier: Option<Tier>,
    /// A model id, or `haiku`, `sonnet`, `opus`; none: the tier's current model.
    pub model: Option<String>,
    /// How hard the model tries; none: its own default.
    pub effort: Option<Effort>,
    /// Whether the model thinks before it answers; none: as it does by itself. Left out with a warning where a model cannot
    /// do as it is told.
    pub thinking: Option<Think>,
    /// 0 to 1, for models that take it; else it is left out with a warning.
    pub temperature: Option<f64>,
    /// The longest single answer in tokens; none: by tier.
    pub max_tokens: Option<u32>,
    /// The most that this request may cost.
    pub max_usd: Option<PicoUsd>,
    /// The most sends that may be paid for; none: the client's.
    pub max_sends: Option<u32>,
    /// How the response cache is used.
    pub cache: CacheMode,
    /// How long the service keeps the prompt's beginning for the next request; none: five minutes, and only where
    /// that can pay.
    pub prompt_cache: Option<CacheTtl>,
    /// Whether syntax and contract of the files are not checked.
    pub skip_validation: bool,
    /// Whether the result is not stored.
    pub skip_store: bool,
    /// From the first send to the end; none: the client's.
    pub timeout: Option<Duration>,
    /// The caller's own acceptance test.
    pub check: Option<Arc<dyn Check>>,
    /// An id that groups results, kept on the row.
    pub batch_id: Option<String>,
    /// The id of the result, where the caller derives it; none: a new one.
    pub id: Option<String>,
    /// The answer that a batch job gave: nothing is sent before it was read, and it costs what jobs cost.
    pub job_answer: Option<Arc<JobAnswer>>,
    /// The caller's span, which the request's belongs to.
    pub trace: Option<TraceContext>,
    /// Whether that is the request's own span, and not the one above it.
    pub owns_span: bool,
}

impl GenerateRequest {
    /// A request for this prompt, everything else by default.
    pub fn new(prompt: impl Into<String>) -> Self {
        GenerateRequest { prompt: prompt.into(), ..GenerateRequest::default() }
    }

    /// What its result carries: the files, where it is to change them.
    pub(crate) fn to_carry(&self) -> Given {
        if self.work.changes_files() { Given(self.files.clone().into()) } else { Given::default() }
    }

    /// A request to change these files as the instructions say.
    pub fn refactor(files: Vec<SourceFile>, instructions: impl Into<String>) -> Self {
        GenerateRequest { work: Work::Refactor, files, ..GenerateRequest::new(instructions) }
    }

    /// A request for this kind of work.
    pub fn with_work(mut self, work: Work) -> Self {
        self.work = work;
        self
    }

    /// With this language.
    pub fn with_language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// With one more file to read or change.
    pub fn with_file(mut self, path: impl Into<String>, content: impl Into<String>) -> Self {
        self.files.push(SourceFile { path: path.into(), content: content.into() });
        self
    }

    /// With standing instructions.
    pub fn with_instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// On this tier.
    pub fn with_tier(mut self, tier: Tier) -> Self {
        self.tier = Some(tier);
        self
    }

    /// By this model: an id of any shape, or `haiku`, `sonnet`, `opus`.
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// With this effort.
    pub fn with_effort(mut self, effort: Effort) -> Self {
        self.effort = Some(effort);
        self
    }

    /// With thinking on or off.
    pub fn with_thinking(mut self, thinking: Think) -> Self {
        self.thinking = Some(thinking);
        self
    }

    /// With this temperature.
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// With answers of at most so many tokens.
    pub fn with_max_tokens(mut self, max_tokens: u32) -> Self {
        self.max_tokens = Some(max_tokens);
        self
    }

    /// For at most so much money.
    pub fn with_max_usd(mut self, max_usd: PicoUsd) -> Self {
        self.max_usd = Some(max_usd);
        self
    }

    /// With at most so many sends that may be paid for; 1 means exactly one send, whatever happens.
    pub fn with_max_sends(mut self, max_sends: u32) -> Self {
        self.max_sends = Some(max_sends);
        self
    }

    /// With the cache used so.
    pub fn with_cache(mut self, cache: CacheMode) -> Self {
        self.cache = cache;
        self
    }

    /// With the prompt's beginning kept at the service for this long: for many requests over the same files.
    pub fn with_prompt_cache(mut self, ttl: CacheTtl) -> Self {
        self.prompt_cache = Some(ttl);
        self
    }

    /// Without a check of syntax and contract.
    pub fn without_validation(mut self) -> Self {
        self.skip_validation = true;
        self
    }

    /// Without storing the result.
    pub fn without_store(mut self) -> Self {
        self.skip_store = true;
        self
    }

    /// Within this time.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// With this id for the result: whoever repeats the request looks for the result of a run that died.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Within the caller's trace.
    #[must_use]
    pub fn with_trace(mut self, caller: TraceContext) -> Self {
        self.trace = Some(caller);
        self
    }

    /// With a span of its own, which the caller records. What to record below it, an attempt each, is told by
    /// [`GenerationStream::attempts`](crate::GenerationStream::attempts).
    #[must_use]
    pub fn with_own_span(mut self, span: TraceContext) -> Self {
        (self.trace, self.owns_span) = (Some(span), true);
        self
    }

    /// With the caller's own acceptance test.
    pub fn with_check(mut self, check: Arc<dyn Check>) -> Self {
        self.check = Some(check);
        self
    }
}

impl From<&str> for GenerateRequest {
    fn from(prompt: &str) -> Self {
        GenerateRequest::new(prompt)
    }
}

impl From<String> for GenerateRequest {
    fn from(prompt: String) -> Self {
        GenerateRequest::new(prompt)
    }
}

impl std::fmt::Debug for GenerateRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GenerateRequest")
            .field("prompt_bytes", &self.prompt.len())
            .field("work", &self.work)
            .field("language", &self.language)
            .field("files", &self.files.len())
            .field("tier", &self.tier)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
