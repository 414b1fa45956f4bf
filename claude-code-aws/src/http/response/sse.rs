//! Server-sent events of a response, with heartbeats while nothing happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use bytes::Bytes;
use claude_code_core::Event;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::problem::Problem;

/// Proxies close connections that are silent for 30 to 60 seconds; half of the shortest is safe.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Its number, where it can be asked for again.
    pub(crate) id: Option<u64>,
    /// Its name.
    pub(crate) name: String,
    /// What it says.
    pub(crate) data: Value,
    /// The problem of an error, for those who answer with its status.
    pub(crate) problem: Option<Box<Problem>>,
}

impl Frame {
    pub(crate) fn new(name: &str, data: Value) -> Self {
        Frame { id: None, name: name.to_owned(), data, problem: None }
    }

    pub(crate) fn error(problem: &Problem) -> Self {
        let problem = Some(Box::new(problem.clone()));
        let data = json!({ "problem": problem.as_ref().map(|problem| problem.json()) });
        Frame { problem, ..Frame::new("error", data) }
    }

    pub(crate) fn chunk(path: Option<&str>, text: &str, revision: u32, index: usize) -> Self {
        let data = json!({ "path": path, "revision": revision, "text": text, "index": index });
        Frame::new("file.chunk", data)
    }

    /// The frame of an event of the core.
    pub(crate) fn of(event: &Event) -> Self {
        Frame::new(event.name(), event.data())
    }

    /// Whether nothing comes after it.
    pub(crate) fn is_last(&self) -> bool {
        self.name == "finished" || self.name == "error"
    }

    /// As it goes over the wire. JSON has no line breaks, so the data is one line.
    fn bytes(&self) -> Bytes {
        let id = self.id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        Bytes::from(format!("{id}event: {}\ndata: {}\n\n", self.name, self.data))
    }
}

/// The answer that sends these events as they come, and a comment whenever none came for a while.
pub(crate) fn response(frames: BoxStream<'static, Frame>) -> Response<Body> {
    let bytes = stream::unfold(frames, |mut frames| async move {
        match timeout(HEARTBEAT, frames.next()).await {
            Ok(Some(frame)) => Some((Ok::<_, Infallible>(frame.bytes()), frames)),
            Ok(None) => None,
            Err(_) => Some((Ok(Bytes::from_static(b": still here\n\n")), frames)),
        }
    });
    let mut response = Response::new(Body::from_stream(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
