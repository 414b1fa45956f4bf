//! A script in a file: answers, errors and faults, one step for each question.
//!
//! ```json
//! {"steps": [
//!   {"times": 2, "error": {"code": "ThrottlingException", "status": 429, "message": "slow down"}},
//!   {"answer": {"text": "half a f", "stop_reason": "max_tokens"}},
//!   {"answer": {"text": "…"}, "faults": [{"latency_ms": 500}, {"cut_at": 300}]},
//!   {"faults": [{"exception": {"at": 2, "code": "throttlingException", "message": "slow down"}}]}
//! ]}
//! ```
//!
//! A step without `answer` and `error` takes the sample answer; after the last step sample answers follow.
//! `stop_reason` is any word, known to the service or not. A fault is one of
//!
//! | fault | what happens |
//! |---|---|
//! | `latency_ms`, `pace_ms` | nothing for so long before the status; between frames |
//! | `slice` | frames go in slices of so many bytes |
//! | `stall_at`, `break_at`, `cut_at` | after so many bytes: silence; a broken connection; an end as if it were whole |
//! | `damage`, `lose`, `double`, `swap` | the frame of this number is damaged, lost, doubled, sent after the next one |
//! | `flip_bit` | this bit of the body is turned over |
//! | `exception` | `{"at": 2, "code": "throttlingException", "message": "…"}` in the place of frame 2, and the end; without a stream the whole answer is that error |
//! | `header` | `{"name": "retry-after", "value": "7"}` on the answer or error |
//! | `body` | this text in the place of the body |
//!
//! Frames count from 0: messageStart, one for every 20 characters of text, contentBlockStop, messageStop, metadata.
//! Several faults of a step meet the answer one after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claude_code_core::{Error, Result};
use serde::Deserialize;

use super::brain::{Brain, Question, Reply, StopReason};
use super::fault::Fault;

/// The most steps of a script, repetitions counted.
const MAX_STEPS: usize = 100_000;

/// Plays a script file, one step for each question; afterwards another brain answers.
#[derive(Debug)]
pub struct Scripted {
    steps: Mutex<VecDeque<Step>>,
    rest: Arc<dyn Brain>,
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
    text: String,
    stop_reason: Option<StopReason>,
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
    /// A script of this JSON before that brain. Fails naming the line that cannot be read.
    pub fn parse(json: &str, rest: Arc<dyn Brain>) -> Result<Self> {
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
impl Brain for Scripted {
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
        reply.with_faults(step.faults.into_iter().map(Fault::from))
    }
}

fn answered(question: &Question, answer: &Answer) -> Reply {
    let mut reply = Reply::text(question, &answer.text);
    if let (Reply::Answer { stop_reason, .. }, Some(name)) = (&mut reply, &answer.stop_reason) {
        *stop_reason = name.clone();
    }
    reply
}

impl From<FaultStep> for Fault {
    fn from(step: FaultStep) -> Self {
        match step {
            FaultStep::LatencyMs(time) => Fault::Latency(Duration::from_millis(time)),
            FaultStep::PaceMs(time) => Fault::Pace(Duration::from_millis(time)),
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
        }
    }
}
