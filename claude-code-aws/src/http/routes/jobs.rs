//! Jobs: accepted at once, worked on in the background or behind a queue, looked at whenever.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use claude_code_core::state::jobs::Job;
use claude_code_core::{Error, ErrorKind};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::jobs::{recovery, worker};
use crate::http::middleware;
use crate::http::request::extract::Id;
use crate::http::request::generate_body::Work;
use crate::http::request::headers::Asks;
use crate::http::response::idempotent::Answer;
use crate::http::response::inline_or_link;
use crate::http::response::problem::Problem;
use crate::http::response::sse::{self, Frame};

/// How often the log is looked at for a reader that waits.
const LOOK: Duration = Duration::from_millis(250);
/// How often the row is looked at for a job whose end is logged; then its worker died in between.
const LAST_LOOKS: u32 = 8;

/// Writes the job down and hands it to a worker: over the queue where there is one, else in this process.
pub(crate) async fn accept(
    app: App,
    caller: Caller,
    work: Work,
    Asks { prefix, trace, .. }: Asks,
    id: Option<String>,
) -> Result<Answer, Problem> {
    let request = serde_json::to_value(&work).map_err(|_| worker::unreadable())?;
    let id = id.unwrap_or_else(|| caller.client.new_id());
    let accepted = |job: &Job| Answer::accepted(format!("{prefix}/jobs/{}", job.id), view(job));
    let job = match &app.queue {
        Some(queue) => {
            let Some(job) = created(&app, &caller, &id, request).await? else {
                return Ok(accepted(&app.jobs.get(&caller.scope, &id).await?));
            };
            if let Err(error) = queue.send(&caller.scope, &id, trace.as_ref()).await {
                // Whether the message is on its way nobody knows: a job that has ended is not worked on, and one
                // that a worker has is accepted.
                if worker::refuse(&app, &caller, &id, &Problem::from(error.clone())).await? {
                    return Err(error.into());
                }
            }
            job
        }
        None => {
            // Before there is a row: a job that is shed leaves nothing.
            let place = app.job_pool.permit(&caller.scope, &id).ok_or_else(middleware::full)?;
            // Before there is a row: whoever takes over from a server that died finds its jobs by these notes.
            recovery::note(&app, &place).await?;
            let job = created(&app, &caller, &id, request).await?;
            let job = match job {
                Some(job) => job,
                None => app.jobs.get(&caller.scope, &id).await?,
            };
            worker::begin(&app, &caller, &id, trace, place);
            job
        }
    };
    Ok(accepted(&job))
}

/// The new job; none where a request with the same key made it, and died before it could say so.
async fn created(app: &App, caller: &Caller, id: &str, request: Value) -> Result<Option<Job>, Error> {
    match app.jobs.create(&caller.scope, id, request).await {
        Ok(job) => Ok(Some(job)),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(None),
        Err(error) => Err(error),
    }
}

/// GET /jobs/{id}.
pub(crate) async fn job(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    Id(id): Id,
) -> Result<Response<Body>, Problem> {
    let mut job = app.jobs.get(&caller.scope, &id).await?;
    keep_going(&app, &caller, &job);
    if let Some(result) = job.result.take() {
        job.result = Some(inline_or_link::fitted(&app, &asks.host, result).await);
    }
    Ok(Answer::ok(view(&job)).into_response())
}

/// GET /jobs/{id}/events, from behind the last event that the reader has seen, for as long as the host allows: a
/// reader whose connection ends before the job comes back with Last-Event-ID.
pub(crate) async fn events(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    Id(id): Id,
) -> Result<Response<Body>, Problem> {
    let job = app.jobs.get(&caller.scope, &id).await?;
    keep_going(&app, &caller, &job);
    let until = asks.left.map(|left| Instant::now() + left);
    let begin = Some((app.clone(), caller, id, asks.last_event));
    let frames = stream::unfold(begin, move |place| async move {
        let (app, caller, id, seen) = place?;
        let number = seen.saturating_add(1);
        match next(&app, &caller, &id, number, until).await {
            Ok(Some(frame)) if frame.is_last() => Some((frame, None)),
            Ok(Some(frame)) => Some((frame, Some((app, caller, id, number)))),
            Ok(None) => None,
            Err(error) => Some((Frame::error(&Problem::from(error)), None)),
        }
    });
    Ok(sse::response(inline_or_link::frames(&app, &asks.host, frames.boxed())))
}

/// Its worker may have died with its process: whoever asks keeps it going. Behind a queue the queue does.
fn keep_going(app: &App, caller: &Caller, job: &Job) {
    if job.is_ended() || app.queue.is_some() || !app.settings.background {
        return;
    }
    if let Some(place) = app.job_pool.permit(&caller.scope, &job.id) {
        worker::follow(app, caller, &job.id, place);
    }
}

/// The event of this number, as soon as it happens; none if the job has ended before it, or the time has.
async fn next(
    app: &App,
    caller: &Caller,
    id: &str,
    number: u64,
    until: Option<Instant>,
) -> Result<Option<Frame>, Error> {
    let mut looks = 0;
    loop {
        // The row first: what is logged before the end is seen even if the end comes now.
        let ended = app.jobs.get(&caller.scope, id).await?.is_ended();
        if let Some(event) = app.jobs.event(&caller.scope, id, number).await? {
            let name = event["event"].as_str().unwrap_or_default();
            let frame = Frame { id: Some(number), ..Frame::new(name, event["data"].clone()) };
            // The row is written right behind the last event: whoever has seen the end finds it there.
            if ended || !frame.is_last() || looks == LAST_LOOKS {
                return Ok(Some(frame));
            }
            looks += 1;
        }
        if ended || until.is_some_and(|until| Instant::now() + LOOK > until) {
            return Ok(None);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What callers see of a job.
fn view(job: &Job) -> Value {
    json!({
        "id": job.id,
        "state": job.state,
        "progress": job.progress,
        "created_at": job.created_at,
        "result": job.result,
        "problem": job.problem,
    })
}
