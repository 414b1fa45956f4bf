//! A quota of tokens a minute, counted as Bedrock counts it: reserved at the start, output burnt five times.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use super::streamed::{Chunk, Streamed};
use crate::local::responder::{Question, Reply, Responder, Usage, estimate_tokens};

/// What a request without max_tokens reserves: the longest answer of the current models.
const UNSET_MAX_TOKENS: u64 = 128_000;
/// What one token of an answer counts (AWS, "token burndown": five for models from Claude 3.7 on).
const BURN: u64 = 5;
const MINUTE: Duration = Duration::from_secs(60);

/// Throttles each model beyond so many tokens a minute; within them another responder answers.
#[derive(Debug)]
pub struct Quota {
    inner: Arc<dyn Responder>,
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
    /// A quota before this responder.
    pub fn new(inner: Arc<dyn Responder>, tokens_per_minute: u64) -> Self {
        Quota { inner, tokens_per_minute, windows: Windows::default() }
    }
}

impl Quota {
    /// Books so many tokens in a model's minute, if they fit.
    fn reserve(&self, question: &Question) -> Option<Booking> {
        let input = question.input_tokens();
        let tokens = input.saturating_add(question.max_tokens.unwrap_or(UNSET_MAX_TOKENS));
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let window = windows.entry(question.model.clone()).or_insert_with(|| Window { began: now, used: 0 });
        if now.duration_since(window.began) >= MINUTE {
            *window = Window { began: now, used: 0 };
        }
        if window.used.saturating_add(tokens) > self.tokens_per_minute {
            return None;
        }
        window.used += tokens;
        Some(Booking {
            windows: Arc::clone(&self.windows),
            model: question.model.clone(),
            began: window.began,
            tokens,
            used: Usage { input_tokens: input, ..Usage::default() },
        })
    }
}

#[async_trait::async_trait]
impl Responder for Quota {
    async fn answer(&self, question: &Question) -> Reply {
        let Some(booking) = self.reserve(question) else {
            return Reply::Error {
                code: "ThrottlingException".to_owned(),
                status: 429,
                message: "Too many tokens, please wait before trying again.".to_owned(),
            };
        };
        held(self.inner.answer(question).await, booking)
    }
}

/// What one question reserved. Dropped, it gives back what was not used: to the minute that it was booked in, or not at
/// all.
struct Booking {
    windows: Windows,
    model: String,
    /// Which minute.
    began: Instant,
    tokens: u64,
    /// So far.
    used: Usage,
}

impl Booking {
    fn hear(&mut self, chunk: &Chunk) {
        match chunk {
            Chunk::Text(text) => self.used.output_tokens += estimate_tokens(text),
            Chunk::End(end) => self.used = end.usage,
            Chunk::Error { .. } => {}
        }
    }
}

impl Drop for Booking {
    fn drop(&mut self) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(&self.model).filter(|window| window.began == self.began) {
            window.used = window.used.saturating_sub(self.tokens).saturating_add(burnt(self.used));
        }
    }
}

/// The reply, which holds its booking until its last piece comes or nobody wants it any more.
fn held(reply: Reply, mut booking: Booking) -> Reply {
    let answer = match reply {
        Reply::Streamed(answer) => answer,
        Reply::Answer { text, end } => Streamed::whole(&text, end),
        Reply::Error { .. } => {
            booking.used = Usage::default();
            return reply;
        }
        Reply::Faulty { reply, faults } => {
            return Reply::Faulty { reply: Box::new(held(*reply, booking)), faults };
        }
    };
    Reply::Streamed(Streamed::new(answer.take().inspect(move |chunk| booking.hear(chunk)).boxed()))
}

/// What an answer counts in the end.
fn burnt(usage: Usage) -> u64 {
    let output = usage.output_tokens.saturating_mul(BURN);
    usage.input_tokens.saturating_add(usage.cache_write_tokens).saturating_add(output)
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;
    use crate::local::samples::Samples;
    use crate::local::{Role, Turn};

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
        let Reply::Streamed(answer) = quota.answer(&question()).await else { panic!("1,012 tokens fit") };
        answer.take().for_each(|_| std::future::ready(())).await;
        assert!(throttled(&quota.answer(&question()).await), "what was burnt and 1,012 more do not");
        tokio::time::advance(MINUTE).await;
        assert!(!throttled(&quota.answer(&question()).await));
    }

    /// A quota in which one question of a thousand tokens fits while it is under way.
    fn quota() -> Quota {
        Quota::new(Arc::new(Samples::built_in()), 2_000)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_reserved_stays_reserved_until_the_answer_ends_or_is_dropped() {
        let quota = quota();
        for read_on in [true, false] {
            let Reply::Streamed(answer) = quota.answer(&question()).await else { panic!("throttled") };
            assert!(throttled(&quota.answer(&question()).await), "the first is still under way");
            let mut chunks = answer.take();
            while read_on && chunks.next().await.is_some() {}
            drop((chunks, answer));
            let again = quota.answer(&question()).await;
            assert!(!throttled(&again), "what was not used is free again ({read_on})");
            drop(again);
            tokio::time::advance(MINUTE).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_ends_in_a_later_minute_gives_nothing_back_there() {
        let quota = quota();
        let early = quota.answer(&question()).await;
        tokio::time::advance(MINUTE).await;
        let late = quota.answer(&question()).await;
        drop(early);
        assert!(throttled(&quota.answer(&question()).await), "the second minute has its own booking");
        drop(late);
        assert!(!throttled(&quota.answer(&question()).await));
    }

    #[tokio::test(start_paused = true)]
    async fn numbers_beyond_all_measure_are_throttled() {
        let endless = Question { max_tokens: Some(u64::MAX), ..question() };
        assert!(throttled(&quota().answer(&endless).await));
        let usage = Usage { input_tokens: u64::MAX, output_tokens: u64::MAX, ..Usage::default() };
        assert_eq!(burnt(usage), u64::MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_can_never_fit_is_throttled() {
        let quota = Quota::new(Arc::new(Samples::built_in()), 1_000);
        assert!(throttled(&quota.answer(&question()).await));
    }
}
