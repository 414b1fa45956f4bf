//! Bedrock on the wire: its runtime and the Messages API, every style of call over one responder, and its control plane.

mod anthropic;
mod batch;
mod catalogue;
mod control;
mod converse;
mod frames;
mod invoke;
mod messages;
mod prompt_cache;
mod recorded;
#[cfg(feature = "cli")]
mod recorder;
mod route;
mod rules;
mod style;
mod target;
mod wire;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use claude_code_core::Result;
use http::request::Parts;
use http::{Request, Response};

use self::control::{Control, Region};
use self::prompt_cache::PromptCache;
pub use self::recorded::Recorded;
#[cfg(feature = "cli")]
pub(crate) use self::recorder::{Recorder, Upstream};
use self::route::Route;
use self::style::Told;
use self::target::{Door, Target};
use super::responder::batch_fault::BatchFault;
use super::responder::fault::{self, Fault};
use super::responder::{Question, Reply, Responder};
use super::server::body::{self, Body};
use super::server::clock;

/// The longest body of a request (Bedrock's own limit, 25,000,000 bytes).
const MAX_REQUEST: usize = 25_000_000;

/// Questions kept for assertions; older ones are forgotten, so that a long-running twin does not grow.
const MAX_SENT: usize = 1000;
/// Bytes of text that they have together; the newest one is always kept.
const MAX_SENT_BYTES: usize = 8 << 20;

/// The endpoint.
#[derive(Debug)]
pub(super) struct Bedrock {
    responder: Arc<dyn Responder>,
    front: Option<Front>,
    control: Control,
    cache: PromptCache,
    sent: Mutex<Sent>,
    /// Held while batch jobs work on files.
    jobs_turn: tokio::sync::Mutex<()>,
}

/// What answers in the place of models.
#[derive(Debug)]
pub(crate) enum Front {
    /// Recorded exchanges.
    Replay(Recorded),
    /// A real service, written down.
    #[cfg(feature = "cli")]
    Record(Box<Recorder>),
}

/// The last questions.
#[derive(Debug, Default)]
struct Sent {
    questions: VecDeque<Arc<Question>>,
    /// Of their texts.
    bytes: usize,
}

impl Bedrock {
    /// An endpoint whose models answer with this responder.
    pub(crate) fn new(responder: Arc<dyn Responder>) -> Self {
        Bedrock {
            responder,
            front: None,
            control: Control::default(),
            cache: PromptCache::default(),
            sent: Mutex::default(),
            jobs_turn: tokio::sync::Mutex::default(),
        }
    }

    /// With this in the place of models.
    pub(crate) fn with_front(self, front: Option<Front>) -> Self {
        Bedrock { front, ..self }
    }

    /// The questions received, oldest first, at most [`MAX_SENT`].
    pub(crate) fn sent(&self) -> Vec<Question> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.questions.iter().map(|question| Question::clone(question)).collect()
    }

    /// The next calls of an operation of the control plane are answered with this refusal.
    pub(crate) fn script_control(&self, operation: &str, times: usize, reply: &Reply) {
        self.control.script(operation, times, reply);
    }

    /// Moves the clock of the batch jobs on.
    pub(crate) fn advance_jobs(&self, millis: i64) {
        self.control.jobs().advance(millis);
    }

    /// The next batch job that is created meets this.
    pub(crate) fn script_job(&self, fault: BatchFault) {
        self.control.jobs().script(fault);
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, request: Request<Body>) -> Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let body = body::collect(body, MAX_REQUEST).await?;
        let Some(route) = Route::of(&head.method, head.uri.path()) else {
            let controlled = self.control.handle(&head, &body, &clock::today());
            return Ok(controlled.unwrap_or_else(|| catalogue::handle(&head)));
        };
        match &self.front {
            Some(Front::Replay(recorded)) => return Ok(self.replay(recorded, &route, &head, &body)),
            #[cfg(feature = "cli")]
            Some(Front::Record(recorder)) => return Ok(recorder.pass(&route, &head, body).await),
            None => {}
        }
        let region = Region::signed(&head.headers);
        let version = head.headers.get("anthropic-version").and_then(|version| version.to_str().ok());
        let call = |door| Call { door, region: region.as_ref(), version, body: &body };
        Ok(match route {
            Route::Converse { model, streaming } => {
                converse::respond(self, model, streaming, &call(Door::Runtime)).await
            }
            Route::Invoke { model, streaming } => {
                invoke::respond(self, model, streaming, &call(Door::Runtime)).await
            }
            Route::CountTokens { model } => invoke::count(self, model, &call(Door::Count)),
            Route::Messages => messages::respond(self, &call(Door::Messages)).await,
            Route::CountMessages => messages::count(self, &call(Door::Messages)),
        })
    }

    fn replay(&self, recorded: &Recorded, route: &Route, head: &Parts, body: &[u8]) -> Response<Body> {
        if let Some(question) = recorded::question(route, body) {
            let body = String::from_utf8_lossy(body).into_owned();
            self.log(Arc::new(Question { body, ..question }));
        }
        recorded.answer(route, head.uri.path(), body).unwrap_or_else(|| {
            let why = format!("none of the {} recorded exchanges answers this request", recorded.len());
            match route.is_messages() {
                true => wire::message_error("ValidationException", 400, &why),
                false => wire::exception("ValidationException", 400, &why),
            }
        })
    }

    /// Logs a question, checks it as its model would, and passes it to the responder. Waits where the reply is
    /// to be late; the faults that come back are those of its body.
    async fn ask(&self, question: Question, call: &Call<'_>) -> (Outcome, Vec<Fault>) {
        let version = question.version.or(call.version.map(str::to_owned));
        let mut question = Question { body: call.text(), version, ..question };
        let target = target::resolve(&question.model, call, &self.control);
        let refused = match target {
            Ok(target) => rules::check(&question, target),
            Err(ref refusal) => Some(refusal.clone()),
        };
        if let (Ok(Target::Model(card)), None) = (&target, &refused) {
            question.cache = self.cache.pass(card, &question.body);
        }
        let question = Arc::new(question);
        self.log(Arc::clone(&question));
        let mut reply = match refused {
            Some(refusal) => refusal,
            None => unfit(&question, self.responder.answer(&question).await),
        };
        let mut faults = Vec::new();
        while let Reply::Faulty { reply: inner, faults: more } = reply {
            faults.extend(more);
            reply = *inner;
        }
        fault::wait(&faults).await;
        let outcome = match Outcome::of(reply) {
            Outcome::Answer(told) if question.streaming => Outcome::Answer(told),
            outcome => outcome.instead(fault::take_exception(&mut faults)),
        };
        (outcome, faults)
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

/// The answer, or a refusal where it is not of the form that the request forces: a client would take it for none at all.
fn unfit(question: &Question, reply: Reply) -> Reply {
    match &reply {
        Reply::Faulty { reply: inner, faults } => {
            Reply::Faulty { reply: Box::new(unfit(question, (**inner).clone())), faults: faults.clone() }
        }
        Reply::Answer { end, .. } if question.forced_tool && end.tool_use.is_none() => Reply::invalid(
            "tool_choice forces a tool, and the twin's answer calls none: script it with \
             {\"answer\": {\"tool_use\": {\"input\": {…}}}}",
        ),
        Reply::Answer { text, end }
            if question.wants_json()
                && end.tool_use.is_none()
                && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() =>
        {
            Reply::invalid(
                "a JSON schema is asked for, and the twin's answer is no JSON: script it with {\"answer\": {\"text\": \"{…}\"}}",
            )
        }
        _ => reply,
    }
}

/// A request, beside what is asked.
struct Call<'c> {
    /// The API that it came to.
    door: Door,
    /// The region that it was signed for.
    region: Option<&'c Region>,
    /// Of Anthropic's API, where a header says it.
    version: Option<&'c str>,
    body: &'c [u8],
}

impl Call<'_> {
    fn text(&self) -> String {
        String::from_utf8_lossy(self.body).into_owned()
    }
}

/// A reply without its faults.
enum Outcome {
    Answer(Told),
    Error(Refused),
}

/// An exception with its status.
struct Refused {
    code: String,
    status: u16,
    message: String,
}

impl Refused {
    fn new(code: &str, status: u16, message: &str) -> Self {
        Refused { code: code.to_owned(), status, message: message.to_owned() }
    }

    /// What a call without a stream gets where a stream would break off with the exception of this name.
    fn instead_of(name: &str, message: &str) -> Self {
        let (code, status) = match name {
            "throttlingException" => ("ThrottlingException", 429),
            "serviceUnavailableException" => ("ServiceUnavailableException", 503),
            "validationException" => ("ValidationException", 400),
            "modelTimeoutException" => ("ModelTimeoutException", 408),
            "internalServerException" => ("InternalServerException", 500),
            "modelStreamErrorException" => ("ModelErrorException", 424),
            other => (other, 500),
        };
        Refused::new(code, status, message)
    }
}

impl Outcome {
    fn of(reply: Reply) -> Self {
        match reply {
            Reply::Error { code, status, message } => Outcome::Error(Refused { code, status, message }),
            Reply::Answer { text, end } => Outcome::Answer(Told::Whole { text, end: Box::new(end) }),
            Reply::Streamed(answer) => Outcome::Answer(Told::Written(answer.take())),
            Reply::Faulty { reply, .. } => Outcome::of(*reply),
        }
    }

    /// An exception in the place of an answer without a stream; a refusal stays what it is.
    fn instead(self, exception: Option<(String, String)>) -> Self {
        match (self, exception) {
            (Outcome::Answer(_), Some((name, message))) => {
                Outcome::Error(Refused::instead_of(&name, &message))
            }
            (outcome, _) => outcome,
        }
    }
}
