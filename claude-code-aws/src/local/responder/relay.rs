//! Relay responder: prompts go on to a model elsewhere, so that a local server answers as if it were Bedrock.

use std::sync::Arc;

use claude_code_core::provider::message::{Message, TextBlock};
use claude_code_core::provider::{self, ModelCall, ModelEvent, ProviderError};
use claude_code_core::{ErrorKind, ModelId, ModelProvider};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::fault::Fault;
use super::stop_sequences::Stops;
use super::streamed::{Chunk, Streamed};
use crate::local::responder::{End, Question, Reply, Responder, Role, StopReason, Usage, estimate_tokens};

/// The longest answer where a question sets no limit; a little below every current model's own.
const UNSET_MAX_TOKENS: u32 = 64_000;
/// The most text that is taken of an answer, bytes.
const MAX_TEXT: usize = 64 << 20;

/// Passes questions on to a provider, and its answer back as it is written: one attempt, no repeat.
#[derive(Clone, Debug)]
pub struct Relay {
    provider: Arc<dyn ModelProvider>,
    model: Option<ModelId>,
}

impl Relay {
    /// Questions go to this provider: to this model, or to the one that each question names.
    pub fn new(provider: Arc<dyn ModelProvider>, model: Option<ModelId>) -> Self {
        Relay { provider, model }
    }

    fn call(&self, question: &Question) -> Result<ModelCall, ProviderError> {
        let refused = |error: claude_code_core::Error| {
            ProviderError::new(error.kind(), provider::Billing::No, error.message())
        };
        let model = match &self.model {
            Some(model) => model.clone(),
            None => ModelId::new(&question.model).map_err(refused)?,
        };
        // Only texts go through: a turn of nothing but images or tools would reach the far side as an empty one.
        if question.messages.iter().any(|turn| turn.text.is_empty()) {
            let why = "a message without text: images and tools are not passed on to a model server";
            return Err(ProviderError::new(ErrorKind::InvalidRequest, provider::Billing::No, why));
        }
        let system = Some(question.system.as_str()).filter(|system| !system.is_empty());
        let max_tokens = question.max_tokens.and_then(|tokens| u32::try_from(tokens).ok());
        let messages = question.messages.iter().map(|turn| message(turn.role, &turn.text)).collect();
        let mut call = ModelCall::new(model, messages, max_tokens.unwrap_or(UNSET_MAX_TOKENS))
            .with_system(system.map(TextBlock::new).into_iter().collect());
        call.temperature = question.temperature;
        Ok(call)
    }
}

#[async_trait::async_trait]
impl Responder for Relay {
    async fn answer(&self, question: &Question) -> Reply {
        let mut events = match self.call(question) {
            Ok(call) => self.provider.stream(call),
            Err(fault) => return refusal(&fault),
        };
        // Until the first event the other side may refuse with a status of its own; afterwards within the stream.
        let first = loop {
            match events.next().await {
                Some(Err(fault)) => return refusal(&fault),
                Some(Ok(ModelEvent::Alive)) => {}
                first => break first,
            }
        };
        let answer = Answer {
            events: stream::iter(first).chain(events).boxed(),
            text: Stops::new(&question.stop_sequences),
            input_tokens: question.input_tokens(),
            bytes: 0,
            chars: 0,
            stop: None,
            met: None,
            usage: None,
        };
        let chunks = stream::unfold(Some(answer), |answer| async move { Some(answer?.next().await) });
        Reply::Streamed(Streamed::new(chunks.boxed()))
    }
}

/// An answer on its way through.
struct Answer {
    events: BoxStream<'static, Result<ModelEvent, ProviderError>>,
    text: Stops,
    input_tokens: u64,
    bytes: usize,
    chars: usize,
    stop: Option<StopReason>,
    /// The stop sequence that ended it here.
    met: Option<String>,
    usage: Option<Usage>,
}

impl Answer {
    /// The next step, and the answer if there are more.
    async fn next(mut self) -> (Chunk, Option<Self>) {
        loop {
            let piece = match self.events.next().await {
                Some(Ok(ModelEvent::Text(piece))) => piece,
                Some(Ok(ModelEvent::Stop { reason, .. })) => {
                    self.stop = Some(reason);
                    continue;
                }
                Some(Ok(ModelEvent::Usage(tokens))) => {
                    self.usage = Some(counted(tokens));
                    continue;
                }
                Some(Ok(_)) => continue,
                Some(Err(fault)) => return (broken(&fault), None),
                None => return self.ended(),
            };
            self.bytes += piece.len();
            if self.bytes > MAX_TEXT {
                return (error("modelStreamErrorException", "the answer is too long"), None);
            }
            let (text, met) = self.text.feed(&piece);
            self.chars += text.chars().count();
            if met.is_some() {
                // What comes behind it is not wanted: dropping the events closes the request.
                self.stop = Some(StopReason::StopSequence);
                self.met = met;
                self.events = stream::empty().boxed();
                self.usage = None;
            }
            if !text.is_empty() {
                return (Chunk::Text(text), Some(self));
            }
        }
    }

    fn ended(mut self) -> (Chunk, Option<Self>) {
        let rest = self.text.rest();
        if !rest.is_empty() {
            self.chars += rest.chars().count();
            return (Chunk::Text(rest), Some(self));
        }
        let Some(stop_reason) = self.stop.take() else {
            return (error("modelStreamErrorException", "the answer broke off before its end"), None);
        };
        // Without the other side's count there is the estimate.
        let estimate = Usage {
            input_tokens: self.input_tokens,
            output_tokens: estimate_tokens(&" ".repeat(self.chars)),
            ..Usage::default()
        };
        let end = End::new(stop_reason, self.usage.unwrap_or(estimate));
        (Chunk::End(End { stop_sequence: self.met.take(), ..end }), None)
    }
}

fn message(role: Role, text: &str) -> Message {
    match role {
        Role::User => Message::user(text),
        Role::Assistant => Message::assistant(text),
    }
}

fn counted(usage: claude_code_core::Usage) -> Usage {
    Usage {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_read_tokens: usage.cache_read_input_tokens,
        cache_write_tokens: usage.cache_creation_input_tokens(),
    }
}

/// The exception that Bedrock has for such a fault before an answer.
fn refusal(error: &ProviderError) -> Reply {
    let (code, status) = match error.kind {
        ErrorKind::Throttled => ("ThrottlingException", 429),
        ErrorKind::Quota => ("ServiceQuotaExceededException", 400),
        ErrorKind::Timeout => ("ModelTimeoutException", 408),
        ErrorKind::Unavailable => ("ServiceUnavailableException", 503),
        ErrorKind::Credentials | ErrorKind::AccessDenied => ("AccessDeniedException", 403),
        ErrorKind::NotFound | ErrorKind::Retired => ("ResourceNotFoundException", 404),
        // A server that is not there is no fault that goes away by asking again: it is told at once, in its own words.
        ErrorKind::InvalidRequest | ErrorKind::Malformed | ErrorKind::Connection => {
            ("ValidationException", 400)
        }
        // Told in Bedrock's own words, which clients look for.
        ErrorKind::ContextTooLong => return Reply::invalid("Input is too long for requested model."),
        _ => ("ModelErrorException", 424),
    };
    let refusal = Reply::Error { code: code.to_owned(), status, message: error.message.clone() };
    match error.retry_after {
        Some(wait) => refusal.with_faults([Fault::retry_after(wait)]),
        None => refusal,
    }
}

/// The exception that Bedrock has for such a fault within a stream.
fn broken(fault: &ProviderError) -> Chunk {
    let code = match fault.kind {
        ErrorKind::Throttled => "throttlingException",
        ErrorKind::Unavailable => "serviceUnavailableException",
        ErrorKind::InvalidRequest | ErrorKind::Malformed | ErrorKind::ContextTooLong => "validationException",
        _ => "modelStreamErrorException",
    };
    error(code, &fault.message)
}

fn error(code: &str, message: &str) -> Chunk {
    Chunk::Error { code: code.to_owned(), message: message.to_owned() }
}
