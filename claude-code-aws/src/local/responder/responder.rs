//! Responder: the trait between Bedrock's endpoints and whatever writes the text.

use std::fmt;

use super::fault::Fault;
use super::streamed::Streamed;

pub use claude_code_core::provider::StopReason;

/// What a model would be asked, the same for every API style.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Question {
    /// The model's id as it was sent: a base id, a profile id or an ARN.
    pub model: String,
    /// The system prompt; several blocks joined by blank lines, empty if there is none.
    pub system: String,
    /// The conversation, oldest turn first.
    pub messages: Vec<Turn>,
    /// The most tokens of the answer, where the request says so.
    pub max_tokens: Option<u64>,
    /// Temperature as sent.
    pub temperature: Option<f64>,
    /// top_p as sent.
    pub top_p: Option<f64>,
    /// top_k as sent.
    pub top_k: Option<f64>,
    /// Texts that end the answer.
    pub stop_sequences: Vec<String>,
    /// The kind of thinking as sent: `adaptive`, `enabled`, `disabled`, `between_tools`.
    pub thinking: Option<String>,
    /// The tokens of thinking as sent.
    pub thinking_budget: Option<u64>,
    /// The effort as sent.
    pub effort: Option<String>,
    /// Whether a tool must be called.
    pub forced_tool: bool,
    /// Whether the answer is to be streamed.
    pub streaming: bool,
    /// The version of Anthropic's API, as sent; Converse has none.
    pub version: Option<String>,
    /// The request's whole body, as it came: JSON.
    pub body: String,
    /// What its cache points save and cost.
    pub cache: CacheUse,
}

/// Input tokens of a prompt with cache points, by [`estimate_tokens`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheUse {
    /// Of the longest prefix that was cached before.
    pub read_tokens: u64,
    /// Of what is cached beyond it.
    pub write_tokens: u64,
}

/// One message of a conversation. Only its text is kept.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// Who wrote it.
    pub role: Role,
    /// The text blocks, joined by newlines.
    pub text: String,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The caller.
    User,
    /// The model.
    Assistant,
}

impl Turn {
    /// A message of this role.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Turn { role, text: text.into() }
    }
}

impl Question {
    /// The text of the last message that the caller wrote; empty if there is none.
    pub fn last_user_text(&self) -> &str {
        self.messages.iter().rev().find(|turn| turn.role == Role::User).map_or("", |turn| turn.text.as_str())
    }

    /// The tool that must be called, where the request names one or has only one.
    pub(crate) fn forced_name(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        let named = ["/tool_choice/name", "/toolConfig/toolChoice/tool/name"];
        let only = ["/tools/0/name", "/toolConfig/tools/0/toolSpec/name"];
        let name = |path: &&str| body.pointer(path)?.as_str().map(str::to_owned);
        named.iter().find_map(&name).or_else(|| only.iter().find_map(name))
    }

    /// Whether the answer must be JSON of a schema.
    pub(crate) fn wants_json(&self) -> bool {
        let paths = ["/output_config/format/type", "/output_format/type", "/outputConfig/textFormat/type"];
        // Most requests name no schema: their bodies need not be read again.
        self.body.contains("json_schema")
            && serde_json::from_str::<serde_json::Value>(&self.body).is_ok_and(|body| {
                paths.iter().any(|path| body.pointer(path).is_some_and(|kind| kind == "json_schema"))
            })
    }

    /// Bytes of all its texts.
    pub(crate) fn text_bytes(&self) -> usize {
        let turns = self.messages.iter().map(|turn| turn.text.len()).sum::<usize>();
        self.body.len() + self.system.len() + turns
    }

    /// The number of input tokens by [`estimate_tokens`].
    pub fn input_tokens(&self) -> u64 {
        let turns: u64 = self.messages.iter().map(|turn| estimate_tokens(&turn.text)).sum();
        turns + estimate_tokens(&self.system)
    }
}

// What people wrote is shown by its length only: questions end up in logs and failing assertions.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("model", &self.model)
            .field("system_chars", &self.system.chars().count())
            .field("messages", &self.messages)
            .field("max_tokens", &self.max_tokens)
            .field("temperature", &self.temperature)
            .field("streaming", &self.streaming)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} chars)", self.role, self.text.chars().count())
    }
}

/// Tokens of a text: a quarter of its characters, rounded up. An estimate; no model's tokenizer is here.
pub fn estimate_tokens(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX).div_ceil(CHARS_PER_TOKEN)
}

/// The usual rule of thumb for English text and code.
const CHARS_PER_TOKEN: u64 = 4;

/// Tokens of one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens that were neither read from a cache nor written to one.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Input tokens read from a cache.
    pub cache_read_tokens: u64,
    /// Input tokens written to a cache.
    pub cache_write_tokens: u64,
}

/// How an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// Why it ends where it does.
    pub stop_reason: StopReason,
    /// The stop sequence that it met.
    pub stop_sequence: Option<String>,
    /// What it would cost.
    pub usage: Usage,
    /// The tool that it calls after its text.
    pub tool_use: Option<ToolUse>,
    /// What the answer is where no model wrote it, such as `sample`. Clients read it beside the usage.
    pub label: Option<String>,
}

/// A tool's call.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolUse {
    /// The tool.
    pub name: String,
    /// What it is given: an object.
    pub input: serde_json::Value,
}

impl ToolUse {
    /// A call of this tool with this input.
    pub fn new(name: impl Into<String>, input: serde_json::Value) -> Self {
        ToolUse { name: name.into(), input }
    }
}

// What a model writes stays out of logs.
impl fmt::Debug for ToolUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToolUse({})", self.name)
    }
}

impl End {
    /// An end for this reason, at no stop sequence.
    pub fn new(stop_reason: StopReason, usage: Usage) -> Self {
        End { stop_reason, stop_sequence: None, usage, tool_use: None, label: None }
    }
}

/// What a responder says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer of text.
    Answer {
        /// The whole text.
        text: String,
        /// How it ends.
        end: End,
    },
    /// A refusal of the request by the service.
    Error {
        /// The exception's name, as in `ValidationException`.
        code: String,
        /// The HTTP status.
        status: u16,
        /// One line for a person.
        message: String,
    },
    /// An answer that is still being written.
    Streamed(Streamed),
    /// A reply that travels badly.
    Faulty {
        /// What is sent.
        reply: Box<Reply>,
        /// What happens to it on its way.
        faults: Vec<Fault>,
    },
}

impl Reply {
    /// An answer of this text to this question, with estimated usage. It ends before the first stop sequence
    /// that it meets, or where [`estimate_tokens`] reaches the question's max_tokens.
    pub fn text(question: &Question, text: &str) -> Self {
        let stops = question.stop_sequences.iter().filter(|stop| !stop.is_empty());
        let stop = stops.filter_map(|stop| Some((text.find(stop.as_str())?, stop))).min_by_key(|met| met.0);
        let text = &text[..stop.map_or(text.len(), |(at, _)| at)];
        let limit = question.max_tokens.unwrap_or(u64::MAX);
        let chars = usize::try_from(limit.saturating_mul(CHARS_PER_TOKEN)).unwrap_or(usize::MAX);
        let end = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
        let kept = text[..end].to_owned();
        let (stop_reason, stop_sequence) = match stop {
            _ if kept.len() < text.len() => (StopReason::MaxTokens, None),
            Some((_, met)) => (StopReason::StopSequence, Some(met.clone())),
            None => (StopReason::EndTurn, None),
        };
        let output_tokens = estimate_tokens(&kept);
        let CacheUse { read_tokens, write_tokens } = question.cache;
        let usage = Usage {
            input_tokens: question.input_tokens().saturating_sub(read_tokens + write_tokens),
            output_tokens,
            cache_read_tokens: read_tokens,
            cache_write_tokens: write_tokens,
        };
        Reply::Answer {
            text: kept,
            end: End { stop_reason, stop_sequence, usage, tool_use: None, label: None },
        }
    }

    /// This answer with a call of a tool at its end; anything else stays what it is.
    pub fn with_tool_use(mut self, tool_use: ToolUse) -> Self {
        if let Reply::Answer { end, .. } = &mut self {
            end.usage.output_tokens += estimate_tokens(&tool_use.input.to_string());
            end.stop_reason = StopReason::from_wire("tool_use");
            end.tool_use = Some(tool_use);
        }
        self
    }

    /// This answer with these figures in the place of estimated ones; anything else stays what it is.
    pub fn with_usage(mut self, usage: Usage) -> Self {
        if let Reply::Answer { end, .. } = &mut self {
            end.usage = usage;
        }
        self
    }

    /// This answer, ended for another reason; anything else stays what it is.
    pub fn stopped_by(mut self, reason: StopReason) -> Self {
        if let Reply::Answer { end, .. } = &mut self {
            end.stop_reason = reason;
        }
        self
    }

    /// This answer with a label that says what it is; anything else stays what it is.
    pub fn labelled(mut self, label: String) -> Self {
        if let Reply::Answer { end, .. } = &mut self {
            end.label = Some(label);
        }
        self
    }

    /// This answer as if a model had written it: it is billed as one.
    pub fn unlabelled(mut self) -> Self {
        if let Reply::Answer { end, .. } = &mut self {
            end.label = None;
        }
        self
    }

    /// This reply with faults put on its way.
    pub fn with_faults(self, faults: impl IntoIterator<Item = Fault>) -> Self {
        Reply::Faulty { reply: Box::new(self), faults: faults.into_iter().collect() }
    }

    /// A ThrottlingException (429).
    pub fn throttled() -> Self {
        let message = "Too many requests, please wait before trying again.".to_owned();
        Reply::Error { code: "ThrottlingException".to_owned(), status: 429, message }
    }

    /// A ServiceUnavailableException (503).
    pub fn unavailable() -> Self {
        let message = "Bedrock is unable to process your request.".to_owned();
        Reply::Error { code: "ServiceUnavailableException".to_owned(), status: 503, message }
    }

    /// A ValidationException (400).
    pub fn invalid(message: impl Into<String>) -> Self {
        Reply::Error { code: "ValidationException".to_owned(), status: 400, message: message.into() }
    }

    /// A ResourceNotFoundException (404).
    pub fn not_found(message: impl Into<String>) -> Self {
        Reply::Error { code: "ResourceNotFoundException".to_owned(), status: 404, message: message.into() }
    }
}

/// Makes the answers of the twin's models. Asked after the request passed the checks that real models make.
#[async_trait::async_trait]
pub trait Responder: fmt::Debug + Send + Sync {
    /// The answer to one question.
    async fn answer(&self, question: &Question) -> Reply;
}
