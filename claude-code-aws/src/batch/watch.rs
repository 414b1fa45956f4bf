//! A job from its submission to its end: asked again while the engine is busy or its answer is lost, looked at with growing
//! pauses, stopped when the deadline wants it.

use std::time::Duration;

use claude_code_core::{Error, Result};
use tokio::time::sleep;

use super::lane::{BatchLane, JobName, JobSpec, JobView, LaneError};
use super::run::Run;

/// Looks for a job whose answer was lost before it counts as not made: the engine's list may lag behind.
const LOOKS: usize = 3;
/// Tries of a request to the engine that is not answered, or refused although it was taken before.
const TRIES: usize = 8;

/// Pauses that grow by half, up to the longest.
struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    fn of(run: &Run) -> Self {
        let (next, longest) = run.options.poll;
        Pauses { next, longest }
    }

    async fn pause(&mut self) {
        sleep(self.next).await;
        self.next = (self.next * 3 / 2).min(self.longest);
    }
}

fn lane(run: &Run) -> Result<&dyn BatchLane> {
    run.options.lane.as_deref().ok_or_else(|| {
        let why = run.options.wish.no_jobs.as_deref().unwrap_or("no lane of jobs is set up");
        Error::invalid(format!("the batch has a job under way that cannot be looked at: {why}"))
    })
}

/// What became of a submission.
pub(super) enum Submitted {
    /// The engine has it, under this id.
    Yes(String),
    /// It will not be: why.
    No(String),
}

/// Submits a job. Fails where nobody can tell whether it was made: then nothing may be sent in its place.
pub(super) async fn submit(run: &Run, job: &JobSpec) -> Result<Submitted> {
    let (lane, mut pauses, mut tries) = (lane(run)?, Pauses::of(run), 0);
    let mut told = false;
    loop {
        match lane.submit(job).await {
            Ok(id) => return Ok(Submitted::Yes(id)),
            Err(LaneError::Refused(error)) => return Ok(Submitted::No(error.to_string())),
            Err(LaneError::Busy(error)) if run.is_late() => {
                return Ok(Submitted::No(format!("the deadline is near and no job could be made: {error}")));
            }
            Err(LaneError::Busy(error)) => {
                if !std::mem::replace(&mut told, true) {
                    run.note(&format!("job {} waits: {error}", job.name.name));
                }
            }
            Err(LaneError::Unknown(error)) => {
                tries += 1;
                if tries >= TRIES {
                    return Err(unknown(&job.name, &error));
                }
            }
        }
        pauses.pause().await;
    }
}

/// The job of this name and token, where it was made.
pub(super) async fn find(run: &Run, job: &JobName) -> Result<Option<JobView>> {
    let (lane, mut pauses) = (lane(run)?, Pauses::of(run));
    let (mut tries, mut absent) = (0, 0);
    loop {
        match lane.look(job, None).await {
            Ok(Some(view)) => return Ok(Some(view)),
            Ok(None) => {
                absent += 1;
                if absent >= LOOKS {
                    return Ok(None);
                }
            }
            Err(error) => {
                tries += 1;
                if tries >= TRIES {
                    return Err(unknown(job, &error.into_error()));
                }
            }
        }
        pauses.pause().await;
    }
}

/// Waits for a job's end. At the cutoff it is stopped.
pub(super) async fn end(run: &Run, job: &JobName, id: &str) -> Result<JobView> {
    let (lane, mut pauses, mut refused) = (lane(run)?, Pauses::of(run), 0);
    let mut stopped = false;
    loop {
        match lane.look(job, Some(id)).await {
            Ok(Some(view)) if view.status.is_final() => return Ok(view),
            Ok(Some(_)) => refused = 0,
            Ok(None) | Err(LaneError::Refused(_)) if refused + 1 >= TRIES => return Err(gone(job, id)),
            Ok(None) | Err(LaneError::Refused(_)) => refused += 1,
            // Throttled, or no answer: the job does not mind.
            Err(LaneError::Busy(_) | LaneError::Unknown(_)) => {}
        }
        if run.is_late() && !stopped {
            stopped = lane.stop(id).await.is_ok();
            if stopped {
                run.note(&format!("job {} is stopped: the deadline is near", job.name));
                pauses = Pauses::of(run);
            }
        }
        pauses.pause().await;
    }
}

/// The lines of a job's outputs, each taken once: a reading that breaks off begins anew.
pub(super) async fn outputs<A: Send>(
    run: &Run,
    job: &JobName,
    id: &str,
    begin: impl Fn() -> Result<A>,
    take: impl Fn(&mut A, &[u8]) -> Result<()> + Send + Sync,
) -> Result<A> {
    let (lane, mut pauses, mut tries) = (lane(run)?, Pauses::of(run), 0);
    loop {
        let mut into = begin()?;
        let mut sink = |line: &[u8]| take(&mut into, line);
        let read = lane.outputs(job, id, &mut sink).await;
        match read {
            Ok(()) => return Ok(into),
            Err(error) => {
                tries += 1;
                if tries >= TRIES {
                    return Err(error.into_error());
                }
            }
        }
        pauses.pause().await;
    }
}

fn unknown(job: &JobName, error: &Error) -> Error {
    Error::new(
        error.kind(),
        format!(
            "nobody can tell whether batch job {} was made ({error}): nothing is sent in its place; --resume looks again",
            job.name
        ),
    )
}

fn gone(job: &JobName, id: &str) -> Error {
    Error::new(
        claude_code_core::ErrorKind::NotFound,
        format!(
            "batch job {} ({id}) cannot be looked at: check account, region and permissions, then --resume",
            job.name
        ),
    )
}
