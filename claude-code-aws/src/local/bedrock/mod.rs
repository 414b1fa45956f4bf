//! Bedrock's runtime on the wire, and the Messages API: every style of call, over one brain.

mod anthropic;
mod converse;
mod frames;
mod invoke;
mod messages;
mod model;
mod route;
mod rules;
mod wire;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use claude_code_core::Result;
use http::{Request, Response};

use self::route::Route;
use super::body::{self, Body};
use super::brain::{Brain, Question, Reply, StopReason, Usage};
use super::fault::{self, Fault};

/// The longest body of a request (Bedrock's own limit, 25,000,000 bytes).
const MAX_REQUEST: usize = 25_000_000;

/// Questions kept for assertions; older ones are forgotten, so that a long-running twin does not grow.
const MAX_SENT: usize = 1000;

/// The endpoint.
#[derive(Debug)]
pub(super) struct Bedrock {
    brain: Arc<dyn Brain>,
    sent: Mutex<VecDeque<Question>>,
}

impl Bedrock {
    /// An endpoint whose models answer with this brain.
    pub(super) fn new(brain: Arc<dyn Brain>) -> Self {
        Bedrock { brain, sent: Mutex::default() }
    }

    /// The questions received, oldest first, at most [`MAX_SENT`].
    pub(super) fn sent(&self) -> Vec<Question> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Answers one request.
    pub(super) async fn handle(&self, request: Request<Body>) -> Result<Response<Body>> {
        let Some(route) = Route::of(request.method(), request.uri().path()) else {
            return Ok(wire::exception("UnknownOperationException", 404, "no such operation at this path"));
        };
        let body = body::collect(request.into_body(), MAX_REQUEST).await?;
        Ok(match route {
            Route::Converse { model, streaming } => converse::respond(self, model, streaming, &body).await,
            Route::Invoke { model, streaming } => invoke::respond(self, model, streaming, &body).await,
            Route::CountTokens { model } => invoke::count(model, &body),
            Route::Messages => messages::respond(self, &body).await,
            Route::CountMessages => messages::count(&body),
        })
    }

    /// Logs a question, checks it as its model would, and passes it to the brain. Waits where the reply is
    /// to be late; the faults that come back are those of its body.
    async fn ask(&self, question: Question) -> (Outcome, Vec<Fault>) {
        self.log(&question);
        let mut reply = match rules::check(&question) {
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

    fn log(&self, question: &Question) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() == MAX_SENT {
            sent.pop_front();
        }
        sent.push_back(question.clone());
    }
}

/// A reply without its faults.
enum Outcome {
    Answer { text: String, stop: StopReason, usage: Usage },
    Error { code: String, status: u16, message: String },
}
