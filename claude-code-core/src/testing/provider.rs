//! Scripted provider for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::money::usage::Usage;
use crate::money::usage_figures::InferenceGeo;
use crate::provider::{ModelCall, ModelEvent, ModelProvider, ProviderError, StopReason};

/// One line of a script.
#[derive(Clone, Debug)]
pub enum Line {
    /// This event arrives.
    Event(ModelEvent),
    /// This long nothing arrives.
    Wait(Duration),
    /// The call fails here.
    Fail(ProviderError),
    /// Nothing arrives any more.
    Hang,
}

/// What a call gets.
#[derive(Clone, Debug, Default)]
pub struct Script(pub Vec<Line>);

impl Script {
    /// A whole answer with 100 tokens in and one out for every four bytes.
    pub fn answer(text: &str) -> Self {
        Script::text(text).stop(StopReason::EndTurn).usage(Usage::new(100, text.len() as u64 / 4))
    }

    /// An answer that ends at max_tokens.
    pub fn truncated(text: &str) -> Self {
        Script::text(text).stop(StopReason::MaxTokens).usage(Usage::new(100, text.len() as u64 / 4))
    }

    /// Text in pieces of 32 bytes, and nothing after it.
    pub fn text(text: &str) -> Self {
        let mut rest = text;
        let mut lines = Vec::new();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(32).max(rest.ceil_char_boundary(1)));
            lines.push(Line::Event(ModelEvent::Text(piece.to_owned())));
            rest = after;
        }
        Script(lines)
    }

    /// A failure at once.
    pub fn fail(error: ProviderError) -> Self {
        Script(vec![Line::Fail(error)])
    }

    /// And then this failure.
    pub fn then_fail(mut self, error: ProviderError) -> Self {
        self.0.push(Line::Fail(error));
        self
    }

    /// And then nothing for so long.
    pub fn wait(mut self, duration: Duration) -> Self {
        self.0.push(Line::Wait(duration));
        self
    }

    /// And then nothing for ever.
    pub fn hang(mut self) -> Self {
        self.0.push(Line::Hang);
        self
    }

    /// And then the model's stop.
    pub fn stop(mut self, reason: StopReason) -> Self {
        self.0.push(Line::Event(ModelEvent::Stop { reason, detail: None }));
        self
    }

    /// And then where inference ran.
    pub fn in_geo(mut self, inference_geo: InferenceGeo) -> Self {
        self.0.push(Line::Event(ModelEvent::BillingNote { inference_geo, warning: None }));
        self
    }

    /// And then the usage.
    pub fn usage(mut self, usage: Usage) -> Self {
        self.0.push(Line::Event(ModelEvent::Usage(usage)));
        self
    }
}

/// Plays one script a call, in order; the last one for every call after it. Remembers the calls.
#[derive(Debug, Default)]
pub struct ScriptedProvider {
    scripts: Mutex<VecDeque<Script>>,
    calls: Arc<Mutex<Vec<ModelCall>>>,
    open: Arc<()>,
}

impl ScriptedProvider {
    /// A provider with these scripts.
    pub fn new(scripts: impl IntoIterator<Item = Script>) -> Arc<Self> {
        Arc::new(ScriptedProvider {
            scripts: Mutex::new(scripts.into_iter().collect()),
            ..Default::default()
        })
    }

    /// The calls that were really sent.
    pub fn calls(&self) -> Vec<ModelCall> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many calls are under way.
    pub fn open(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }

    fn script(&self) -> Script {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        if scripts.len() > 1 {
            scripts.pop_front().unwrap_or_default()
        } else {
            scripts.front().cloned().unwrap_or_default()
        }
    }
}

impl ModelProvider for ScriptedProvider {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn stream(&self, call: ModelCall) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
        // As with a real one, nothing is sent before the first poll.
        let begin = (self.script(), self.calls.clone(), self.open.clone(), call);
        futures_util::stream::once(async move {
            let (script, calls, open, call) = begin;
            call.sent_flag.mark();
            calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
            futures_util::stream::unfold((VecDeque::from(script.0), open), |(mut lines, open)| async move {
                loop {
                    match lines.pop_front()? {
                        Line::Event(event) => return Some((Ok(event), (lines, open))),
                        Line::Wait(duration) => tokio::time::sleep(duration).await,
                        Line::Fail(error) => return Some((Err(error), (VecDeque::new(), open))),
                        Line::Hang => std::future::pending().await,
                    }
                }
            })
        })
        .flatten()
        .boxed()
    }
}
