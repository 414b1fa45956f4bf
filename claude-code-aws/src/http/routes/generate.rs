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
use crate::http::request::generate_body::{Asks, GenerateBody, Mode, RefactorBody, Work};
use crate::http::response::idempotent::{self, Answer};
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
    let request = work.clone().request(asks.within)?;
    // What is wrong with the request is said with its status, before an answer has begun.
    caller.client.estimate(request.clone())?;
    match asks.mode {
        Mode::Whole => {
            let client = caller.client.clone();
            // On the heap: the whole sequence is in this future.
            let done = Box::pin(async move {
                let generation = client.generate(request).await?;
                Ok(Answer::ok(generation.schema()))
            });
            idempotent::whole(&app, &caller, &asks, hash, done).await
        }
        Mode::Stream => {
            let frames = frames(&caller, request);
            idempotent::streamed(&app, &caller, &asks, hash, frames).await
        }
        Mode::Job => {
            let accepted = Box::pin(jobs::accept(app.clone(), caller.clone(), work, asks.prefix.clone()));
            idempotent::whole(&app, &caller, &asks, hash, accepted).await
        }
    }
}

/// What happens, as it happens.
pub(crate) fn frames(caller: &Caller, request: GenerateRequest) -> BoxStream<'static, Frame> {
    let frame = |event| match event {
        Ok(event) => Frame::of(&event),
        Err(error) => Frame::error(&Problem::from(error)),
    };
    caller.client.stream(request).map(frame).boxed()
}
