//! Real answers behind the twin's wire: questions go on to a model elsewhere, so that a local server answers as if it
//! were Bedrock.

use std::collections::BTreeMap;
use std::sync::Arc;

use claude_code_core::message::{Message, TextBlock};
use claude_code_core::provider::{self, ModelCall, ModelEvent, ProviderError};
use claude_code_core::{Kind, ModelId, ModelProvider};
use futures_util::StreamExt;

use super::brain::{Brain, Question, Reply, Role, StopReason, Usage};

/// The longest answer where a question sets no limit; a little below every current model's own.
const UNSET_MAX_TOKENS: u32 = 64_000;
/// The most text that is taken of an answer, bytes.
const MAX_TEXT: usize = 64 << 20;

/// Passes questions on to a provider. An answer is taken whole and then sent on: one attempt, no repeat.
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
            ProviderError::new(error.kind, provider::Paid::No, error.message)
        };
        let model = match &self.model {
            Some(model) => model.clone(),
            None => ModelId::new(&question.model).map_err(refused)?,
        };
        let system = Some(question.system.as_str()).filter(|system| !system.is_empty());
        let max_tokens = question.max_tokens.and_then(|tokens| u32::try_from(tokens).ok());
        Ok(ModelCall {
            model,
            system: system.map(TextBlock::new).into_iter().collect(),
            messages: question.messages.iter().map(|turn| message(turn.role, &turn.text)).collect(),
            max_tokens: max_tokens.unwrap_or(UNSET_MAX_TOKENS),
            temperature: question.temperature,
            effort: None,
            thinking: None,
            metadata: BTreeMap::new(),
            guardrail: None,
            service_tier: None,
            place: None,
        })
    }

    async fn ask(&self, question: &Question) -> Result<Reply, ProviderError> {
        let mut stream = self.provider.stream(self.call(question)?);
        let (mut text, mut stopped, mut usage) = (String::new(), None, None);
        while let Some(event) = stream.next().await {
            match event? {
                ModelEvent::Text(piece) => text.push_str(&piece),
                ModelEvent::Stop { reason, .. } => stopped = Some(reason),
                ModelEvent::Usage(tokens) => usage = Some(tokens),
                _ => {}
            }
            if text.len() > MAX_TEXT {
                return Err(broken("the answer is too long"));
            }
        }
        let Some(stop) = stopped else { return Err(broken("the answer broke off before its end")) };
        let Some(stop_reason) = stop_reason(&stop) else {
            return Err(broken(&format!("the answer ended with the unknown reason {stop}")));
        };
        // Stop sequences and limits were the other side's to keep; without its count there is the estimate.
        let usage = usage.map_or_else(|| estimated(question, &text), counted);
        Ok(Reply::Answer { text, stop_reason, usage })
    }
}

#[async_trait::async_trait]
impl Brain for Relay {
    async fn answer(&self, question: &Question) -> Reply {
        self.ask(question).await.unwrap_or_else(|error| refusal(&error))
    }
}

fn message(role: Role, text: &str) -> Message {
    match role {
        Role::User => Message::user(text),
        Role::Assistant => Message::assistant(text),
    }
}

fn broken(why: &str) -> ProviderError {
    ProviderError::new(Kind::Cut, provider::Paid::Maybe, why)
}

fn stop_reason(reason: &provider::StopReason) -> Option<StopReason> {
    Some(match reason {
        provider::StopReason::EndTurn => StopReason::EndTurn,
        provider::StopReason::StopSequence => StopReason::StopSequence,
        provider::StopReason::MaxTokens => StopReason::MaxTokens,
        provider::StopReason::Refusal => StopReason::Refusal,
        provider::StopReason::ContentFiltered => StopReason::ContentFiltered,
        _ => return None,
    })
}

fn estimated(question: &Question, text: &str) -> Usage {
    let output_tokens = super::brain::estimate_tokens(text);
    Usage { input_tokens: question.input_tokens(), output_tokens, ..Usage::default() }
}

fn counted(usage: claude_code_core::Usage) -> Usage {
    Usage {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_read_tokens: usage.cache_read_input_tokens,
        cache_write_tokens: usage.cache_creation_input_tokens(),
    }
}

/// The exception that Bedrock has for such a fault.
fn refusal(error: &ProviderError) -> Reply {
    let (code, status) = match error.kind {
        Kind::Throttled => ("ThrottlingException", 429),
        Kind::Quota => ("ServiceQuotaExceededException", 400),
        Kind::Timeout => ("ModelTimeoutException", 408),
        Kind::Unavailable => ("ServiceUnavailableException", 503),
        Kind::Credentials | Kind::AccessDenied => ("AccessDeniedException", 403),
        Kind::NotFound | Kind::Retired => ("ResourceNotFoundException", 404),
        Kind::InvalidRequest | Kind::Malformed | Kind::ContextTooLong => ("ValidationException", 400),
        _ => ("ModelErrorException", 424),
    };
    Reply::Error { code: code.to_owned(), status, message: error.message.clone() }
}
