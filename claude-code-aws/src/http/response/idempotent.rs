//! Work under an Idempotency-Key: done once, answered as often as it is asked for.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use claude_code_core::state::idempotency::{Claim, Entry};
use claude_code_core::{Error, ErrorKind};
use futures_util::stream::BoxStream;
use futures_util::{Future, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::inline_or_link;
use super::problem::Problem;
use super::sse::{self, Frame};
use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::request::generate_body::Asks;

/// An answer as it can be given again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    status: u16,
    location: Option<String>,
    body: Value,
}

impl Answer {
    /// 200 with this body.
    pub(crate) fn ok(body: Value) -> Self {
        Answer { status: 200, location: None, body }
    }

    /// 202 with the place where it will be.
    pub(crate) fn accepted(location: String, body: Value) -> Self {
        Answer { status: 202, location: Some(location), body }
    }

    /// A problem that a repeated request would meet again.
    fn of(problem: &Problem) -> Self {
        Answer { status: problem.status().as_u16(), location: None, body: problem.json() }
    }

    /// As it fits into an answer now.
    async fn shown(mut self, app: &App, asks: &Asks) -> Response<Body> {
        self.body = inline_or_link::fitted(app, &asks.host, self.body).await;
        self.into_response()
    }

    fn is_problem(&self) -> bool {
        self.status >= 400
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response<Body> {
        let kind = if self.is_problem() { "application/problem+json" } else { "application/json" };
        let mut response = Response::new(Body::from(self.body.to_string()));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if self.status == 202 {
            headers.insert("preference-applied", HeaderValue::from_static("respond-async"));
        }
        if let Some(location) = self.location.and_then(|at| HeaderValue::from_str(&at).ok()) {
            headers.insert(LOCATION, location);
        }
        response
    }
}

/// Does the work, or answers for it from memory.
pub(crate) async fn whole(
    app: &App,
    caller: &Caller,
    asks: &Asks,
    request: &str,
    work: impl Future<Output = Result<Answer, Problem>> + Send + 'static,
) -> Result<Response<Body>, Problem> {
    let claim = match enter(app, caller, asks, request).await? {
        Admission::Free => return Ok(work.await?.shown(app, asks).await),
        Admission::Done(answer) => return Ok(answer.shown(app, asks).await),
        Admission::First(claim) => claim,
    };
    // A caller that hangs up will come back with its key: what is being paid for goes on.
    let (leader, place) = (app.clone(), asks.place.clone());
    let led = tokio::spawn(async move {
        let led = lead(leader, claim, Box::pin(work)).await;
        drop(place);
        led
    });
    let broken = |_| Problem::from(Error::new(ErrorKind::Unavailable, "the work broke off: repeat it"));
    Ok(led.await.map_err(broken)??.shown(app, asks).await)
}

/// Shows the work as events, or its result at once.
pub(crate) async fn streamed(
    app: &App,
    caller: &Caller,
    asks: &Asks,
    request: &str,
    frames: BoxStream<'static, Frame>,
) -> Result<Response<Body>, Problem> {
    match enter(app, caller, asks, request).await? {
        Admission::Free => Ok(sse::response(inline_or_link::frames(app, &asks.host, frames))),
        Admission::Done(answer) if answer.is_problem() || answer.status == 202 => Ok(answer.into_response()),
        Admission::Done(answer) => {
            let frame = Frame::new("finished", serde_json::json!({ "generation": answer.body }));
            let frames = futures_util::stream::iter([frame]).boxed();
            Ok(sse::response(inline_or_link::frames(app, &asks.host, frames)))
        }
        Admission::First(claim) => {
            let mut open = Open { app: app.clone(), claim: Some(claim) };
            let frames = frames.then(move |frame| {
                let ended = frame.is_last().then(|| (open.app.clone(), open.claim.take()));
                async move {
                    if let Some((app, Some(claim))) = ended {
                        close(&app, claim, &frame).await;
                    }
                    frame
                }
            });
            Ok(sse::response(inline_or_link::frames(app, &asks.host, frames.boxed())))
        }
    }
}

/// What a request finds under its key.
enum Admission {
    Free,
    First(Claim),
    Done(Answer),
}

async fn enter(app: &App, caller: &Caller, asks: &Asks, request: &str) -> Result<Admission, Problem> {
    let Some(key) = &asks.key else { return Ok(Admission::Free) };
    match app.idempotency.enter(&caller.scope, key, request, asks.within).await? {
        Entry::Lead(claim) => Ok(Admission::First(claim)),
        Entry::Replay(value) => serde_json::from_value(value).map(Admission::Done).map_err(|_| {
            Problem::from(Error::new(ErrorKind::Storage, "the kept answer cannot be read: use another key"))
        }),
        Entry::InProgress(wait) => {
            let message = "the request with this key is in progress: repeat it later";
            Err(Problem::from(Error::new(ErrorKind::Conflict, message)).after(wait.as_secs().max(1)))
        }
        Entry::OtherRequest => {
            let message = "the key was used for another request: use a new key for a new request";
            Err(Problem::from(Error::new(ErrorKind::KeyReused, message)).at("Idempotency-Key"))
        }
    }
}

async fn lead(
    app: App,
    claim: Claim,
    work: impl Future<Output = Result<Answer, Problem>>,
) -> Result<Answer, Problem> {
    let done = work.await;
    let kept = match &done {
        Ok(answer) => Some(answer.clone()),
        Err(problem) => problem.is_final().then(|| Answer::of(problem)),
    };
    keep(&app, &claim, kept).await;
    done
}

async fn close(app: &App, claim: Claim, frame: &Frame) {
    let kept = (frame.name == "finished").then(|| Answer::ok(frame.data["generation"].clone()));
    keep(app, &claim, kept).await;
}

/// Keeps the answer, or gives the key back. What cannot be kept is answered all the same.
async fn keep(app: &App, claim: &Claim, answer: Option<Answer>) {
    let value = answer.and_then(|answer| serde_json::to_value(answer).ok());
    let kept = match value {
        Some(value) => app.idempotency.finish(claim, value).await,
        None => app.idempotency.release(claim).await,
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "an idempotency key could not be closed: it ends by itself");
    }
}

/// A stream that leads for a key; dropped before its end, it gives the key back.
struct Open {
    app: App,
    claim: Option<Claim>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let (Some(claim), Ok(runtime)) = (self.claim.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let app = self.app.clone();
        runtime.spawn(async move { keep(&app, &claim, None).await });
    }
}
