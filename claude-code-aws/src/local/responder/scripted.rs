//! Script files: answers, errors and faults, one step for each call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_types::base64;
use claude_code_core::Error;
use serde::Deserialize;

use super::fault::Fault;
use super::streamed::PIECE_TOKENS;
use crate::local::responder::{Question, Reply, Responder, StopReason, ToolUse, Usage};

/// The most steps of a script, repetitions counted.
const MAX_STEPS: usize = 100_000;

/// The format of scripts, for people.
#[cfg(feature = "cli")]
pub(crate) const FORMAT: &str = include_str!("scripts.md");

/// Plays a script file, one step for each question; afterwards another responder answers.
///
#[doc = include_str!("scripts.md")]
#[derive(Debug)]
pub struct Scripted {
    steps: Mutex<VecDeque<Step>>,
    rest: Arc<dyn Responder>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    steps: Vec<Step>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(default = "once")]
    times: usize,
    answer: Option<Answer>,
    error: Option<Refusal>,
    #[serde(default)]
    faults: Vec<FaultStep>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    #[serde(default)]
    text: String,
    tool_use: Option<Called>,
    stop_reason: Option<StopReason>,
    usage: Option<Figures>,
}

/// A tool's call; without a name it is the one that the request forces.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Called {
    name: Option<String>,
    input: serde_json::Value,
}

/// Tokens; what is left out is estimated.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figures {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    code: String,
    status: u16,
    #[serde(default)]
    message: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultStep {
    LatencyMs(u64),
    PaceMs(u64),
    TokensPerSecond(Speed),
    Slice(usize),
    StallAt(usize),
    BreakAt(usize),
    CutAt(usize),
    Damage(usize),
    FlipBit(usize),
    Lose(usize),
    Double(usize),
    Swap(usize),
    Exception { at: usize, code: String, message: String },
    Header { name: String, value: String },
    Body(String),
    BodyBase64(Base64),
}

/// Tokens a second: above 0.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
struct Speed(f64);

impl TryFrom<f64> for Speed {
    type Error = String;

    fn try_from(speed: f64) -> Result<Self, String> {
        let usable = |speed: &f64| Duration::try_from_secs_f64(PIECE_TOKENS / speed).is_ok() && *speed > 0.0;
        Some(speed)
            .filter(usable)
            .map(Speed)
            .ok_or_else(|| format!("tokens_per_second is {speed}, not above 0"))
    }
}

impl Speed {
    /// How long so many tokens take.
    fn time(self, tokens: f64) -> Duration {
        Duration::try_from_secs_f64(tokens / self.0).unwrap_or(Duration::MAX)
    }
}

/// Bytes in base64.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
struct Base64(Vec<u8>);

impl TryFrom<String> for Base64 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        base64::decode(text).map(Base64).map_err(|error| format!("body_base64 is not base64: {error}"))
    }
}

// A script holds answers: only their number is shown.
impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Step({} faults)", self.faults.len())
    }
}

fn once() -> usize {
    1
}

impl Scripted {
    /// A script of this JSON before that responder. Fails naming the line that cannot be read.
    pub fn parse(json: &str, rest: Arc<dyn Responder>) -> Result<Self, Error> {
        let file: File =
            serde_json::from_str(json).map_err(|error| Error::invalid(format!("the script: {error}")))?;
        let both = file.steps.iter().position(|step| step.answer.is_some() && step.error.is_some());
        if let Some(at) = both {
            return Err(Error::invalid(format!("the script: step {} has an answer and an error", at + 1)));
        }
        if file.steps.iter().map(|step| step.times).fold(0, usize::saturating_add) > MAX_STEPS {
            return Err(Error::invalid(format!("the script: more than {MAX_STEPS} steps")));
        }
        let steps = file.steps.into_iter().flat_map(|step| std::iter::repeat_n(step.clone(), step.times));
        Ok(Scripted { steps: Mutex::new(steps.collect()), rest })
    }

    /// How many steps are left.
    pub fn len(&self) -> usize {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether every step was played.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[async_trait::async_trait]
impl Responder for Scripted {
    async fn answer(&self, question: &Question) -> Reply {
        let step = self.steps.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(step) = step else { return self.rest.answer(question).await };
        let reply = match (step.answer, step.error) {
            (Some(answer), _) => answered(question, &answer),
            (None, Some(Refusal { code, status, message })) => Reply::Error { code, status, message },
            (None, None) => self.rest.answer(question).await,
        };
        if step.faults.is_empty() {
            return reply;
        }
        let faults: Vec<Fault> = step.faults.into_iter().map(|step| step.fault(question, &reply)).collect();
        reply.with_faults(faults)
    }
}

fn answered(question: &Question, answer: &Answer) -> Reply {
    let mut reply = Reply::text(question, &answer.text);
    if let Some(Called { name, input }) = &answer.tool_use {
        let name = name.clone().or_else(|| question.forced_name()).unwrap_or_default();
        reply = reply.with_tool_use(ToolUse::new(name, input.clone()));
    }
    let Reply::Answer { end, .. } = &mut reply else { return reply };
    if let Some(reason) = &answer.stop_reason {
        let asked = question.stop_sequences.first().cloned();
        let met = end.stop_sequence.take().or(asked);
        end.stop_sequence = met.filter(|_| *reason == StopReason::StopSequence);
        end.stop_reason = reason.clone();
    }
    if let Some(figures) = answer.usage {
        end.usage = Usage {
            input_tokens: figures.input.unwrap_or(end.usage.input_tokens),
            output_tokens: figures.output.unwrap_or(end.usage.output_tokens),
            cache_read_tokens: figures.cache_read.unwrap_or(end.usage.cache_read_tokens),
            cache_write_tokens: figures.cache_write.unwrap_or(end.usage.cache_write_tokens),
        };
    }
    reply
}

/// Tokens of an answer's text.
fn output_tokens(reply: &Reply) -> f64 {
    match reply {
        // Far below 2^52.
        Reply::Answer { end, .. } => end.usage.output_tokens as f64,
        _ => 0.0,
    }
}

impl FaultStep {
    /// The fault on the way of this reply.
    fn fault(self, question: &Question, reply: &Reply) -> Fault {
        match self {
            FaultStep::LatencyMs(time) => Fault::Latency(Duration::from_millis(time)),
            FaultStep::PaceMs(time) => Fault::Pace(Duration::from_millis(time)),
            FaultStep::TokensPerSecond(speed) if question.streaming => Fault::Pace(speed.time(PIECE_TOKENS)),
            FaultStep::TokensPerSecond(speed) => Fault::Latency(speed.time(output_tokens(reply))),
            FaultStep::Slice(bytes) => Fault::Slice(bytes),
            FaultStep::StallAt(bytes) => Fault::StallAt(bytes),
            FaultStep::BreakAt(bytes) => Fault::BreakAt(bytes),
            FaultStep::CutAt(bytes) => Fault::CutAt(bytes),
            FaultStep::Damage(frame) => Fault::Damage(frame),
            FaultStep::FlipBit(bit) => Fault::FlipBit(bit),
            FaultStep::Lose(frame) => Fault::Lose(frame),
            FaultStep::Double(frame) => Fault::Double(frame),
            FaultStep::Swap(frame) => Fault::Swap(frame),
            FaultStep::Exception { at, code, message } => Fault::Exception { at, code, message },
            FaultStep::Header { name, value } => Fault::Header { name, value },
            FaultStep::Body(text) => Fault::Body(text.into_bytes()),
            FaultStep::BodyBase64(Base64(bytes)) => Fault::Body(bytes),
        }
    }
}
