//! The work on a job, in `serve` as a task and in Lambda behind the queue. Whoever holds the job's lease works; a
//! worker that dies is followed: by one that asks anew, unless the end of its answer is in the log already.

use std::collections::HashMap;
use std::time::Duration;

use claude_code_core::state::jobs::{Held, Taken};
use claude_code_core::state::lease;
use claude_code_core::{Error, ErrorKind, Event, GenerateRequest, TraceContext};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::pool::JobPermit;
use super::recovery;
use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::request::generate_body::Work;
use crate::http::response::problem::Problem;
use crate::http::response::sse::Frame;

/// Text that is logged as one event, of a file or beside the files.
const CHUNK: usize = 32 * 1024;
/// Files of a worker that begins anew have revisions above all of its predecessor's.
const REVISIONS: u32 = 1_000_000;
/// A job over which so many workers died would take the next one with it: each may have been paid for.
const MAX_WORKERS: u32 = 3;

/// How a worker left a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It has ended, now or before.
    Ended,
    /// Another worker is at it.
    Busy,
}

/// Works on the job in a task of this process, when its turn comes.
pub(crate) fn begin(app: &App, caller: &Caller, id: &str, trace: Option<TraceContext>, place: JobPermit) {
    let (app, caller, id) = (app.clone(), caller.clone(), id.to_owned());
    tokio::spawn(async move {
        let Some(_turn) = place.turn().await else { return };
        if let Err(error) = work(&app, &caller, &id, trace, app.total).await {
            tracing::warn!(%error, "a job stopped: it goes on when it is asked for");
        }
    });
}

/// As [`begin`], for a job that another worker may have left: noted as this process's, and asked for again until that
/// worker's lease has ended or the job has.
pub(crate) fn follow(app: &App, caller: &Caller, id: &str, place: JobPermit) {
    let (app, caller, id) = (app.clone(), caller.clone(), id.to_owned());
    tokio::spawn(async move {
        if let Err(error) = recovery::note(&app, &place).await {
            tracing::warn!(%error, "a job that was taken up could not be noted");
        }
        while let Some(turn) = place.turn().await {
            match work(&app, &caller, &id, None, app.total).await {
                Ok(Left::Busy) => {}
                Ok(Left::Ended) => return,
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                Err(error) => tracing::warn!(%error, "a job stopped: it is tried again"),
            }
            drop(turn);
            tokio::time::sleep(lease::RENEW).await;
        }
    });
}

/// Ends a job that nobody has begun, and tells whether it was such a one.
pub(crate) async fn refuse(app: &App, caller: &Caller, id: &str, problem: &Problem) -> Result<bool, Error> {
    match app.jobs.take(&caller.scope, id).await? {
        Taken::Held(held) => fail(app, *held, problem).await.map(|()| true),
        Taken::Ended | Taken::Busy(_) => Ok(false),
    }
}

/// From the row to its result, within this time and in the trace of whoever asked for it. Leaves it alone if another
/// worker has it.
pub(crate) async fn work(
    app: &App,
    caller: &Caller,
    id: &str,
    trace: Option<TraceContext>,
    within: Duration,
) -> Result<Left, Error> {
    let held = match app.jobs.take(&caller.scope, id).await? {
        Taken::Held(held) => *held,
        Taken::Ended => return Ok(Left::Ended),
        Taken::Busy(_) => return Ok(Left::Busy),
    };
    let lease = held.lease();
    lease.hold(held_work(app, caller, held, trace, within)).await
}

async fn held_work(
    app: &App,
    caller: &Caller,
    held: Held,
    trace: Option<TraceContext>,
    within: Duration,
) -> Result<Left, Error> {
    if let Some(last) = app.jobs.last_event(&held).await?.filter(is_last) {
        // A worker died between the log and the row: everything is there already.
        let outcome = match last["data"].get("generation") {
            Some(result) => Ok(result.clone()),
            None => Err(last["data"]["problem"].clone()),
        };
        app.jobs.finish(held, None, outcome).await?;
        return Ok(Left::Ended);
    }
    let request = match wanted(&held, within) {
        Ok(request) => GenerateRequest { trace, ..request },
        Err(problem) => return fail(app, held, &problem).await.map(|()| Left::Ended),
    };
    answer(app, held, caller.client.stream(request)).await.map(|()| Left::Ended)
}

/// What the job asks for. A job that killed its workers is not given to another one.
fn wanted(held: &Held, within: Duration) -> Result<GenerateRequest, Problem> {
    if held.job.workers > MAX_WORKERS {
        let message =
            format!("{MAX_WORKERS} workers died over this job and may have been paid for: it is given up");
        return Err(Problem::from(Error::new(ErrorKind::Unavailable, message)));
    }
    let work: Work = serde_json::from_value(held.job.request.clone()).map_err(|_| unreadable())?;
    work.request(within)
}

async fn answer(
    app: &App,
    mut held: Held,
    mut events: claude_code_core::GenerationStream,
) -> Result<(), Error> {
    let above = (held.job.workers - 1) * REVISIONS;
    let mut log = Log { waiting: HashMap::new(), text: String::new(), above };
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Finished(generation)) => {
                went_on(log.flush_text(app, &mut held).await)?;
                let frame = Frame::of(&Event::Finished(generation));
                let result = frame.data["generation"].clone();
                return app.jobs.finish(held, Some(&logged(&frame)), Ok(result)).await;
            }
            Ok(event) => went_on(log.take(app, &mut held, &event).await)?,
            Err(error) => {
                went_on(log.flush_text(app, &mut held).await)?;
                return fail(app, held, &Problem::from(error)).await;
            }
        }
    }
    Ok(())
}

/// Who reads the log misses a piece and gets the whole at its end: that is being paid for.
fn went_on(logged: Result<(), Error>) -> Result<(), Error> {
    match logged {
        Err(error) if error.kind() != ErrorKind::Conflict => {
            tracing::warn!(%error, "the progress of a job could not be written");
            Ok(())
        }
        logged => logged,
    }
}

async fn fail(app: &App, held: Held, problem: &Problem) -> Result<(), Error> {
    app.jobs.finish(held, Some(&logged(&Frame::error(problem))), Err(problem.json())).await
}

/// Gathers the chunks of a file and the text between files, so that a log of some kilobytes is not a thousand rows.
struct Log {
    waiting: HashMap<usize, (Option<String>, u32, String)>,
    text: String,
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
            Event::Text(text) => {
                self.text.push_str(text);
                if self.text.len() >= CHUNK {
                    self.flush_text(app, held).await?;
                }
                return Ok(());
            }
            Event::FileStarted { index, .. } => drop(self.waiting.remove(index)),
            Event::FileFinished { index, .. } => self.flush(app, held, *index).await?,
            _ => {}
        }
        self.flush_text(app, held).await?;
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

    async fn flush_text(&mut self, app: &App, held: &mut Held) -> Result<(), Error> {
        if self.text.is_empty() {
            return Ok(());
        }
        let frame = Frame::of(&Event::Text(std::mem::take(&mut self.text)));
        app.jobs.log(held, &logged(&frame)).await
    }

    async fn flush(&mut self, app: &App, held: &mut Held, index: usize) -> Result<(), Error> {
        let Some((path, revision, text)) = self.waiting.remove(&index) else { return Ok(()) };
        let frame = Frame::chunk(path.as_deref(), &text, revision + self.above, index);
        app.jobs.log(held, &logged(&frame)).await
    }
}

/// Whether nothing comes after this event of a log.
fn is_last(event: &Value) -> bool {
    event["event"].as_str().is_some_and(|name| Frame::new(name, Value::Null).is_last())
}

fn logged(frame: &Frame) -> Value {
    json!({ "event": frame.name, "data": frame.data })
}

pub(crate) fn unreadable() -> Problem {
    Problem::from(Error::new(ErrorKind::Storage, "the job's request cannot be read: start it again"))
}
