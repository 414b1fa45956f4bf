//! Bedrock's runtime on the wire: Converse and ConverseStream, over one brain.

mod converse;
mod frames;
mod model;
mod route;
mod rules;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;

use self::route::Route;
use super::body::{self, Body, BoxError, Piece, Pieces};
use super::brain::{Brain, Question, Reply};

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
    pub(super) async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let Some(route) = Route::of(request.method(), request.uri().path()) else {
            return Ok(exception("UnknownOperationException", 404, "no such operation at this path"));
        };
        let bytes = body::collect(request.into_body(), MAX_REQUEST).await?;
        Ok(match route {
            Route::Converse { model, streaming } => self.converse(model, streaming, &bytes),
        })
    }

    fn converse(&self, model: String, streaming: bool, bytes: &Bytes) -> Response<Body> {
        let question = match converse::question(model, streaming, bytes) {
            Ok(question) => question,
            Err(message) => return exception("ValidationException", 400, &message),
        };
        match self.ask(question) {
            Reply::Error { code, status, message } => exception(&code, status, &message),
            Reply::Answer { text, stop_reason, usage } if streaming => {
                stream(frames::converse(&text, stop_reason, usage))
            }
            Reply::Answer { text, stop_reason, usage } => {
                json(StatusCode::OK, &converse::answer(&text, stop_reason, usage))
            }
        }
    }

    /// Logs a question, checks it as its model would, and passes it to the brain.
    fn ask(&self, question: Question) -> Reply {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() == MAX_SENT {
            sent.pop_front();
        }
        sent.push_back(question.clone());
        drop(sent);
        rules::check(&question).unwrap_or_else(|| self.brain.answer(&question))
    }
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(body::full(value.to_string()));
    *response.status_mut() = status;
    label(&mut response, "application/json");
    response
}

fn stream(frames: Vec<Bytes>) -> Response<Body> {
    let pieces = Pieces::new(frames.into_iter().map(Piece::Bytes));
    let mut response = Response::new(pieces.boxed());
    label(&mut response, "application/vnd.amazon.eventstream");
    response
}

/// An error as Bedrock writes it: the name in a header, with a URL behind it that clients must cut off.
fn exception(code: &str, status: u16, message: &str) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json(status, &serde_json::json!({ "message": message }));
    let kind = format!("{code}:http://internal.amazon.com/coral/com.amazon.bedrock/");
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        response.headers_mut().insert("x-amzn-errortype", kind);
    }
    response
}

fn label(response: &mut Response<Body>, content_type: &'static str) {
    let id = uuid::Uuid::now_v7().to_string();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
}
