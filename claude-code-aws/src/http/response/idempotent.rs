//! Idempotency-Key handling: the work is done once; repeated requests get the stored answer.

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
use tokio::task::JoinHandle;

use super::inline_or_link;
use super::problem::Problem;
use super::sse::{self, Frame};
use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::request::headers::Asks;

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

/// Does the work, or answers for it from memory. The work gets the id for its result where it is done under a key.
pub(crate) async fn whole<F>(
    app: &App,
    caller: &Caller,
    asks: &Asks,
    request: &str,
    work: impl FnOnce(Option<Keyed>) -> F,
) -> Result<Response<Body>, Problem>
where
    F: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let leading = match enter(app, caller, asks, request).await? {
        Admission::Free => return Ok(work(None).await?.shown(app, asks).await),
        Admission::Done(answer) => return Ok(answer.shown(app, asks).await),
        Admission::First(leading) => leading,
    };
    let work = Box::pin(work(Some(Keyed::of(&leading.claim))));
    // A caller that hangs up will come back with its key: what is being paid for goes on.
    let (leader, place) = (app.clone(), asks.place.clone());
    let led = tokio::spawn(async move {
        let led = lead(leader, leading, work).await;
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
    work: impl FnOnce(Option<Keyed>) -> BoxStream<'static, Frame>,
) -> Result<Response<Body>, Problem> {
    match enter(app, caller, asks, request).await? {
        Admission::Free => Ok(sse::response(inline_or_link::frames(app, &asks.host, work(None)))),
        Admission::Done(answer) if answer.is_problem() || answer.status == 202 => Ok(answer.into_response()),
        Admission::Done(answer) => Ok(finished(app, asks, answer)),
        Admission::First(leading) => {
            let keyed = Keyed::of(&leading.claim);
            if let Some(answer) = stored(caller, &keyed).await? {
                keep(app, &leading.claim, Some(answer.clone())).await;
                return Ok(finished(app, asks, answer));
            }
            let mut open = Open { app: app.clone(), leading: Some(leading) };
            let frames = work(Some(keyed)).then(move |frame| {
                let ended = frame.is_last().then(|| (open.app.clone(), open.leading.take()));
                async move {
                    if let Some((app, Some(leading))) = ended {
                        close(&app, &leading.claim, &frame).await;
                    }
                    frame
                }
            });
            Ok(sse::response(inline_or_link::frames(app, &asks.host, frames.boxed())))
        }
    }
}

/// An answer that is there, as the stream of its end.
fn finished(app: &App, asks: &Asks, answer: Answer) -> Response<Body> {
    let frame = Frame::new("finished", serde_json::json!({ "generation": answer.body }));
    let frames = futures_util::stream::iter([frame]).boxed();
    sse::response(inline_or_link::frames(app, &asks.host, frames))
}

/// The id for the result of work under a key, and whether a leader died under it.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    pub(crate) id: String,
    follows: bool,
}

impl Keyed {
    fn of(claim: &Claim) -> Self {
        Keyed { id: claim.result_id().to_owned(), follows: claim.follows() }
    }
}

/// The result of a leader that died between storing it and closing its key.
pub(crate) async fn stored(caller: &Caller, keyed: &Keyed) -> Result<Option<Answer>, Problem> {
    let Some(results) = caller.client.results().filter(|_| keyed.follows) else { return Ok(None) };
    match results.get(&caller.scope, &keyed.id).await {
        Ok(found) => Ok(Some(Answer::ok(found.schema()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a request finds under its key.
enum Admission {
    Free,
    First(Leading),
    Done(Answer),
}

/// The right to answer for a key, with its lease renewed until this is dropped.
struct Leading {
    claim: Claim,
    renewal: JoinHandle<()>,
}

impl Leading {
    fn of(claim: Claim) -> Self {
        let renewed = claim.clone();
        let renewal = tokio::spawn(async move { renewed.lost().await });
        Leading { claim, renewal }
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

async fn enter(app: &App, caller: &Caller, asks: &Asks, request: &str) -> Result<Admission, Problem> {
    let Some(key) = &asks.key else { return Ok(Admission::Free) };
    match app.idempotency.enter(&caller.scope, key, request).await? {
        Entry::Lead(claim) => Ok(Admission::First(Leading::of(claim))),
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
    leading: Leading,
    work: impl Future<Output = Result<Answer, Problem>>,
) -> Result<Answer, Problem> {
    let done = work.await;
    let kept = match &done {
        Ok(answer) => Some(answer.clone()),
        Err(problem) => problem.is_final().then(|| Answer::of(problem)),
    };
    keep(&app, &leading.claim, kept).await;
    done
}

async fn close(app: &App, claim: &Claim, frame: &Frame) {
    let kept = (frame.name == "finished").then(|| Answer::ok(frame.data["generation"].clone()));
    keep(app, claim, kept).await;
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
    leading: Option<Leading>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let (Some(leading), Ok(runtime)) = (self.leading.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let app = self.app.clone();
        runtime.spawn(async move { keep(&app, &leading.claim, None).await });
    }
}
