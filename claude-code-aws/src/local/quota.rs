//! A quota of tokens a minute, counted as Bedrock counts it: reserved at the start, output burnt five times.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use super::brain::{Brain, Question, Reply, Usage};
use super::streamed::{Chunk, Streamed};

/// What a request without max_tokens reserves: the longest answer of the current models.
const UNSET_MAX_TOKENS: u64 = 128_000;
/// What one token of an answer counts (AWS, "token burndown": five for models from Claude 3.7 on).
const BURN: u64 = 5;
const MINUTE: Duration = Duration::from_secs(60);

/// Throttles each model beyond so many tokens a minute; within them another brain answers.
#[derive(Debug)]
pub struct Quota {
    inner: Arc<dyn Brain>,
    tokens_per_minute: u64,
    windows: Windows,
}

/// The minute of each model.
type Windows = Arc<Mutex<HashMap<String, Window>>>;

#[derive(Debug)]
struct Window {
    began: Instant,
    used: u64,
}

impl Quota {
    /// A quota before this brain.
    pub fn new(inner: Arc<dyn Brain>, tokens_per_minute: u64) -> Self {
        Quota { inner, tokens_per_minute, windows: Windows::default() }
    }
}

impl Quota {
    /// Books so many tokens in a model's minute, if they fit.
    fn reserve(&self, model: &str, tokens: u64) -> bool {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let window = windows.entry(model.to_owned()).or_insert_with(|| Window { began: now, used: 0 });
        if now.duration_since(window.began) >= MINUTE {
            *window = Window { began: now, used: 0 };
        }
        let fits = window.used.saturating_add(tokens) <= self.tokens_per_minute;
        window.used = window.used.saturating_add(if fits { tokens } else { 0 });
        fits
    }
}

#[async_trait::async_trait]
impl Brain for Quota {
    async fn answer(&self, question: &Question) -> Reply {
        let tokens = question.input_tokens() + question.max_tokens.unwrap_or(UNSET_MAX_TOKENS);
        if !self.reserve(&question.model, tokens) {
            return Reply::Error {
                code: "ThrottlingException".to_owned(),
                status: 429,
                message: "Too many tokens, please wait before trying again.".to_owned(),
            };
        }
        let reply = self.inner.answer(question).await;
        let booking = Booking { windows: Arc::clone(&self.windows), model: question.model.clone(), tokens };
        settled(reply, booking)
    }
}

/// What one question reserved.
struct Booking {
    windows: Windows,
    model: String,
    tokens: u64,
}

impl Booking {
    /// Puts what was used in the place of what was reserved.
    fn settle(&self, used: u64) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(&self.model) {
            window.used = window.used.saturating_sub(self.tokens).saturating_add(used);
        }
    }
}

/// The reply, its booking settled: at once, or when its last piece comes.
fn settled(reply: Reply, booking: Booking) -> Reply {
    match reply {
        Reply::Streamed(answer) => {
            let chunks = answer.take().inspect(move |chunk| match chunk {
                Chunk::End { usage, .. } => booking.settle(burnt(*usage)),
                Chunk::Text(_) | Chunk::Error { .. } => {}
            });
            Reply::Streamed(Streamed::new(chunks.boxed()))
        }
        Reply::Answer { usage, .. } => {
            booking.settle(burnt(usage));
            reply
        }
        Reply::Error { .. } => {
            booking.settle(0);
            reply
        }
        Reply::Faulty { reply, faults } => {
            Reply::Faulty { reply: Box::new(settled(*reply, booking)), faults }
        }
    }
}

/// What an answer counts in the end.
fn burnt(usage: Usage) -> u64 {
    usage.input_tokens + usage.cache_write_tokens + BURN * usage.output_tokens
}

#[cfg(test)]
mod tests {
    use super::super::samples::Samples;
    use super::super::{Role, Turn};
    use super::*;

    fn question() -> Question {
        let text = "Write a Python function that reverses a string.";
        Question {
            model: "m".into(),
            messages: vec![Turn::new(Role::User, text)],
            max_tokens: Some(1_000),
            ..Question::default()
        }
    }

    fn throttled(reply: &Reply) -> bool {
        matches!(reply, Reply::Error { status: 429, .. })
    }

    #[tokio::test(start_paused = true)]
    async fn reserves_max_tokens_before_an_answer_and_opens_again_after_a_minute() {
        let quota = Quota::new(Arc::new(Samples::built_in()), 1_500);
        assert!(!throttled(&quota.answer(&question()).await), "1,012 tokens fit");
        assert!(throttled(&quota.answer(&question()).await), "what was burnt and 1,012 more do not");
        tokio::time::advance(MINUTE).await;
        assert!(!throttled(&quota.answer(&question()).await));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_can_never_fit_is_throttled() {
        let quota = Quota::new(Arc::new(Samples::built_in()), 1_000);
        assert!(throttled(&quota.answer(&question()).await));
    }
}
