//! POST /generate and /refactor: in one piece, as events, or as a job.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use claude_code_core::GenerateRequest;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::jobs;
use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::request::extract::Json;
use crate::http::request::generate_body::{GenerateBody, RefactorBody, Work};
use crate::http::request::headers::{Asks, Mode};
use crate::http::response::idempotent::{self, Answer, Keyed};
use crate::http::response::problem::Problem;
use crate::http::response::sse::Frame;

/// New code from words.
pub(crate) async fn generate(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    body: Json<GenerateBody>,
) -> Result<Response<Body>, Problem> {
    answer(app, caller, asks, Work::Generate(body.value), &format!("generate/{}", body.sha256)).await
}

/// Changes to given code.
pub(crate) async fn refactor(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    body: Json<RefactorBody>,
) -> Result<Response<Body>, Problem> {
    answer(app, caller, asks, Work::Refactor(body.value), &format!("refactor/{}", body.sha256)).await
}

async fn answer(
    app: App,
    caller: Caller,
    asks: Asks,
    work: Work,
    hash: &str,
) -> Result<Response<Body>, Problem> {
    let request = GenerateRequest { trace: asks.trace.clone(), ..work.clone().request(asks.within)? };
    // What is wrong with the request is said with its status, before an answer has begun.
    caller.client.estimate(request.clone())?;
    match asks.mode {
        Mode::Whole => {
            let asker = caller.clone();
            // On the heap: the whole sequence is in this future.
            let done = |keyed| Box::pin(done(asker, request, keyed));
            idempotent::whole(&app, &caller, &asks, hash, done).await
        }
        Mode::Stream => {
            let frames = |keyed| frames(&caller, named(request, keyed));
            idempotent::streamed(&app, &caller, &asks, hash, frames).await
        }
        Mode::Job => {
            let (host, asker, from) = (app.clone(), caller.clone(), asks.clone());
            let accepted = |keyed: Option<Keyed>| {
                Box::pin(jobs::accept(host, asker, work, from, keyed.map(|keyed| keyed.id)))
            };
            idempotent::whole(&app, &caller, &asks, hash, accepted).await
        }
    }
}

/// The answer in one piece: of a leader that died behind its result, or a new one.
async fn done(caller: Caller, request: GenerateRequest, keyed: Option<Keyed>) -> Result<Answer, Problem> {
    if let Some(keyed) = &keyed
        && let Some(answer) = idempotent::stored(&caller, keyed).await?
    {
        return Ok(answer);
    }
    let generation = caller.client.generate(named(request, keyed)).await?;
    Ok(Answer::ok(generation.schema()))
}

fn named(request: GenerateRequest, keyed: Option<Keyed>) -> GenerateRequest {
    GenerateRequest { id: keyed.map(|keyed| keyed.id), ..request }
}

/// What happens, as it happens.
pub(crate) fn frames(caller: &Caller, request: GenerateRequest) -> BoxStream<'static, Frame> {
    let frame = |event| match event {
        Ok(event) => Frame::of(&event),
        Err(error) => Frame::error(&Problem::from(error)),
    };
    caller.client.stream(request).map(frame).boxed()
}
