//! Bedrock on the wire: its runtime and the Messages API, every style of call over one brain, and its control plane.

mod anthropic;
mod control;
mod converse;
mod frames;
mod invoke;
mod messages;
mod route;
mod rules;
mod target;
mod wire;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use claude_code_core::Result;
use http::{Request, Response};

use self::control::Control;
use self::route::Route;
use self::target::Door;
use super::body::{self, Body};
use super::brain::{Brain, Question, Reply, StopReason, Usage};
use super::clock;
use super::fault::{self, Fault};

/// The longest body of a request (Bedrock's own limit, 25,000,000 bytes).
const MAX_REQUEST: usize = 25_000_000;

/// Questions kept for assertions; older ones are forgotten, so that a long-running twin does not grow.
const MAX_SENT: usize = 1000;
/// Bytes of text that they have together; the newest one is always kept.
const MAX_SENT_BYTES: usize = 8 << 20;

/// The endpoint.
#[derive(Debug)]
pub(super) struct Bedrock {
    brain: Arc<dyn Brain>,
    control: Control,
    sent: Mutex<Sent>,
}

/// The last questions.
#[derive(Debug, Default)]
struct Sent {
    questions: VecDeque<Arc<Question>>,
    /// Of their texts.
    bytes: usize,
}

impl Bedrock {
    /// An endpoint whose models answer with this brain.
    pub(super) fn new(brain: Arc<dyn Brain>) -> Self {
        Bedrock { brain, control: Control::default(), sent: Mutex::default() }
    }

    /// The questions received, oldest first, at most [`MAX_SENT`].
    pub(super) fn sent(&self) -> Vec<Question> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.questions.iter().map(|question| Question::clone(question)).collect()
    }

    /// The next calls of an operation of the control plane are answered with this refusal.
    pub(super) fn script_control(&self, operation: &str, times: usize, reply: &Reply) {
        self.control.script(operation, times, reply);
    }

    /// Answers one request.
    pub(super) async fn handle(&self, request: Request<Body>) -> Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let body = body::collect(body, MAX_REQUEST).await?;
        let Some(route) = Route::of(&head.method, head.uri.path()) else {
            let controlled = self.control.handle(&head, &body, &clock::today());
            let unknown =
                || wire::exception("UnknownOperationException", 404, "no such operation at this path");
            return Ok(controlled.unwrap_or_else(unknown));
        };
        Ok(match route {
            Route::Converse { model, streaming } => converse::respond(self, model, streaming, &body).await,
            Route::Invoke { model, streaming } => invoke::respond(self, model, streaming, &body).await,
            Route::CountTokens { model } => invoke::count(self, model, &body),
            Route::Messages => messages::respond(self, &body).await,
            Route::CountMessages => messages::count(&body),
        })
    }

    /// Logs a question, checks it as its model would, and passes it to the brain. Waits where the reply is
    /// to be late; the faults that come back are those of its body.
    async fn ask(&self, question: Question, door: Door) -> (Outcome, Vec<Fault>) {
        let question = Arc::new(question);
        self.log(Arc::clone(&question));
        let refused = match target::resolve(&question.model, door, &self.control) {
            Ok(target) => rules::check(&question, target),
            Err(refusal) => Some(refusal),
        };
        let mut reply = match refused {
            Some(refusal) => refusal,
            None => self.brain.answer(&question).await,
        };
        let mut faults = Vec::new();
        loop {
            match reply {
                Reply::Faulty { reply: inner, faults: more } => {
                    faults.extend(more);
                    reply = *inner;
                }
                Reply::Error { code, status, message } => {
                    fault::wait(&faults).await;
                    return (Outcome::Error { code, status, message }, faults);
                }
                Reply::Answer { text, stop_reason: stop, usage } => {
                    fault::wait(&faults).await;
                    return (Outcome::Answer { text, stop, usage }, faults);
                }
            }
        }
    }

    fn log(&self, question: Arc<Question>) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.bytes += question.text_bytes();
        sent.questions.push_back(question);
        while sent.questions.len() > MAX_SENT || (sent.bytes > MAX_SENT_BYTES && sent.questions.len() > 1) {
            let oldest = sent.questions.pop_front();
            sent.bytes -= oldest.map_or(0, |question| question.text_bytes());
        }
    }
}

/// A reply without its faults.
enum Outcome {
    Answer { text: String, stop: StopReason, usage: Usage },
    Error { code: String, status: u16, message: String },
}
