//! Jobs: accepted at once, worked on in the background, looked at whenever.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use claude_code_core::jobs::{Held, Job};
use claude_code_core::{Error, Event, Kind};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::app::App;
use super::auth::Caller;
use super::body::Id;
use super::error::Problem;
use super::event::{self, Frame};
use super::input::{Asks, Work};
use super::once::Answer;

/// Text of a file that is logged as one event.
const CHUNK: usize = 32 * 1024;
/// How often the log is looked at for a reader that waits.
const LOOK: Duration = Duration::from_millis(250);
/// A worker is not followed before its own deadline and this.
const GRACE: Duration = Duration::from_secs(5);
/// Files of a worker that begins anew have revisions above all of its predecessor's.
const REVISIONS: u32 = 1_000_000;

/// Writes the job down and begins with it.
pub(super) async fn accept(app: App, caller: Caller, work: Work) -> Result<Answer, Problem> {
    let request = serde_json::to_value(&work).map_err(|_| unreadable())?;
    let job = app.jobs.create(&caller.scope, &caller.client.new_id(), request).await?;
    begin(&app, &caller, &job.id);
    Ok(Answer::accepted(format!("/jobs/{}", job.id), view(&job)))
}

/// GET /jobs/{id}.
pub(super) async fn job(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response<Body>, Problem> {
    let job = app.jobs.get(&caller.scope, &id).await?;
    if !job.is_ended() && app.settings.background {
        // Its worker may have died with its process: whoever asks keeps it going.
        begin(&app, &caller, &job.id);
    }
    Ok(Answer::ok(view(&job)).into_response())
}

/// GET /jobs/{id}/events, from behind the last event that the reader has seen.
pub(super) async fn events(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    Id(id): Id,
) -> Result<Response<Body>, Problem> {
    let job = app.jobs.get(&caller.scope, &id).await?;
    if !job.is_ended() && app.settings.background {
        begin(&app, &caller, &id);
    }
    let begin = Some((app, caller, id, asks.last_event));
    let frames = stream::unfold(begin, |place| async move {
        let (app, caller, id, seen) = place?;
        match next(&app, &caller, &id, seen + 1).await {
            Ok(Some(frame)) if frame.is_last() => Some((frame, None)),
            Ok(Some(frame)) => Some((frame, Some((app, caller, id, seen + 1)))),
            Ok(None) => None,
            Err(error) => Some((Frame::error(&Problem::from(error)), None)),
        }
    });
    Ok(event::response(frames.boxed()))
}

/// The event of this number, as soon as it happens; none if the job has ended before it.
async fn next(app: &App, caller: &Caller, id: &str, number: u64) -> Result<Option<Frame>, Error> {
    loop {
        // The row first: what is logged before the end is seen even if the end comes now.
        let ended = app.jobs.get(&caller.scope, id).await?.is_ended();
        if let Some(event) = app.jobs.event(&caller.scope, id, number).await? {
            let name = event["event"].as_str().unwrap_or_default();
            return Ok(Some(Frame { id: Some(number), ..Frame::new(name, event["data"].clone()) }));
        }
        if ended {
            return Ok(None);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn begin(app: &App, caller: &Caller, id: &str) {
    let (app, caller, id) = (app.clone(), caller.clone(), id.to_owned());
    tokio::spawn(async move {
        if let Err(error) = work(&app, &caller, &id).await {
            tracing::warn!(%error, "a job stopped: it goes on when it is asked for");
        }
    });
}

/// From the row to its result. Leaves it alone if another worker has it.
async fn work(app: &App, caller: &Caller, id: &str) -> Result<(), Error> {
    let total = app.settings.total;
    let Some(mut held) = app.jobs.take(&caller.scope, id, total + GRACE).await? else { return Ok(()) };
    let request = serde_json::from_value::<Work>(held.job.request.clone())
        .map_err(|_| unreadable())
        .and_then(|work| work.request(total));
    let request = match request {
        Ok(request) => request,
        Err(problem) => return fail(app, held, &problem).await,
    };
    let mut log = Log { waiting: HashMap::new(), above: (held.job.workers - 1) * REVISIONS };
    let mut events = caller.client.stream(request);
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Finished(generation)) => {
                let frame = Frame::of(&Event::Finished(generation));
                app.jobs.log(&mut held, &logged(&frame)).await?;
                let result = frame.data["generation"].clone();
                return app.jobs.finish(held, Ok(result)).await;
            }
            Ok(event) => log.take(app, &mut held, &event).await?,
            Err(error) => return fail(app, held, &Problem::from(error)).await,
        }
    }
    Ok(())
}

async fn fail(app: &App, mut held: Held, problem: &Problem) -> Result<(), Error> {
    app.jobs.log(&mut held, &logged(&Frame::error(problem))).await?;
    app.jobs.finish(held, Err(problem.json())).await
}

/// Gathers the chunks of a file, so that a log of some kilobytes is not a thousand rows.
struct Log {
    waiting: HashMap<usize, (Option<String>, u32, String)>,
    above: u32,
}

impl Log {
    async fn take(&mut self, app: &App, held: &mut Held, event: &Event) -> Result<(), Error> {
        match event {
            Event::FileChunk { index, path, revision, text } => {
                let waiting = self.waiting.entry(*index).or_insert((path.clone(), *revision, String::new()));
                waiting.2.push_str(text);
                if waiting.2.len() >= CHUNK {
                    self.flush(app, held, *index).await?;
                }
                return Ok(());
            }
            Event::FileStarted { index, .. } => drop(self.waiting.remove(index)),
            Event::FileFinished { index, .. } => self.flush(app, held, *index).await?,
            _ => {}
        }
        let mut frame = Frame::of(event);
        if let Some(revision) = frame.data["revision"].as_u64() {
            frame.data["revision"] = (revision + u64::from(self.above)).into();
        }
        app.jobs.log(held, &logged(&frame)).await?;
        if matches!(event, Event::FileFinished { complete: true, .. }) {
            held.job.progress.files_finished += 1;
            app.jobs.save(held).await?;
        }
        Ok(())
    }

    async fn flush(&mut self, app: &App, held: &mut Held, index: usize) -> Result<(), Error> {
        let Some((path, revision, text)) = self.waiting.remove(&index) else { return Ok(()) };
        let frame = Frame::chunk(path.as_deref(), &text, revision + self.above, index);
        app.jobs.log(held, &logged(&frame)).await
    }
}

fn logged(frame: &Frame) -> Value {
    json!({ "event": frame.name, "data": frame.data })
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

fn unreadable() -> Problem {
    Problem::from(Error::new(Kind::Storage, "the job's request cannot be read: start it again"))
}
