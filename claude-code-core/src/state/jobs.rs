//! Job records: work that goes on in the background, as a row and a log of its events.
//!
//! A worker holds a [lease] on its job. One that dies is followed within seconds, when its lease ends: the
//! follower starts from the beginning, and its files have higher revisions.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::{Clock, IdSource, UtcMillis};
use crate::error::{Error, ErrorKind, Result};
use crate::state::lease::{self, Lease, Leases};
use crate::state::{OnlyIf, PutError, Scope, StateKey, StateKind, StateStore};

/// Row and log are kept so long: a day, as long as bodies of shared state are.
const KEPT: Duration = Duration::from_secs(86_400);
/// Pauses before what ends a job is written again: what came out was paid for.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
];

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum JobState {
    /// Nobody has begun.
    Queued,
    /// A worker is at it.
    Running,
    /// It has a result.
    Done,
    /// It has a problem.
    Failed,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// Files whose end was seen.
    pub files_finished: u32,
    /// Events in the log.
    pub events: u64,
}

/// The row of a job.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Job {
    /// UUIDv7.
    pub id: String,
    /// Where it is.
    pub state: JobState,
    /// How far it is.
    pub progress: Progress,
    /// `2026-11-21T20:46:00.123Z`.
    pub created_at: String,
    /// What came out, as its host writes results.
    pub result: Option<Value>,
    /// Why nothing came out, as its host writes problems.
    pub problem: Option<Value>,
    /// What is to be done, as its host reads requests. Not shown.
    pub request: Value,
    /// How many workers have begun.
    pub workers: u32,
}

// Request and result are the user's: Debug tells neither.
impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({}, {:?}, {:?})", self.id, self.state, self.progress)
    }
}

impl Job {
    /// Whether nothing more will happen.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, JobState::Done | JobState::Failed)
    }
}

/// Result of claiming a job.
#[derive(Debug)]
pub enum Taken {
    /// The job.
    Held(Box<Held>),
    /// It has ended: there is nothing to do.
    Ended,
    /// Another worker is at it and alive: look again after this time.
    Busy(Duration),
}

/// A job in the hands of its worker.
#[derive(Debug)]
pub struct Held {
    /// As it stands.
    pub job: Job,
    scope: Scope,
    fence: u64,
    lease: Arc<Lease>,
}

impl Held {
    /// The lease, which its worker renews while it works.
    pub fn lease(&self) -> Arc<Lease> {
        self.lease.clone()
    }
}

/// The jobs of all scopes.
#[derive(Clone, Debug)]
pub struct Jobs {
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    leases: Leases,
}

impl Jobs {
    /// Jobs in this state.
    pub fn new(state: Arc<dyn StateStore>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Jobs { leases: Leases::new(state.clone(), clock.clone(), ids), state, clock }
    }

    /// A new job that waits for its worker. `Conflict` if there is one with this id.
    pub async fn create(&self, scope: &Scope, id: &str, request: Value) -> Result<Job> {
        let now = self.clock.now();
        let job = Job {
            id: id.to_owned(),
            state: JobState::Queued,
            progress: Progress::default(),
            created_at: now.iso(),
            result: None,
            problem: None,
            request,
            workers: 0,
        };
        self.put(scope, &job, OnlyIf::AbsentAt(now)).await?;
        Ok(job)
    }

    /// The row. `NotFound` outside the scope or after a day.
    pub async fn get(&self, scope: &Scope, id: &str) -> Result<Job> {
        Ok(self.read(scope, id).await?.0)
    }

    /// The job for a worker, which renews its lease while it works.
    pub async fn take(&self, scope: &Scope, id: &str) -> Result<Taken> {
        if self.get(scope, id).await?.is_ended() {
            return Ok(Taken::Ended);
        }
        self.leases.end_dropped().await;
        let key = StateKey::new(StateKind::Lease, scope, format!("job/{id}"));
        let lease = match self.leases.take(key, self.leases.owner().into_bytes()).await? {
            lease::Taken::Held(lease) => Arc::new(lease),
            lease::Taken::Busy(row) => return Ok(Taken::Busy(row.expires_at.since(self.clock.now()))),
        };
        // The worker before may have ended in between.
        let (mut job, version) = self.read(scope, id).await?;
        if job.is_ended() {
            return Ok(Taken::Ended);
        }
        job.state = JobState::Running;
        job.workers += 1;
        // What a dead worker logged beyond its last word in the row stays before what follows.
        while self.event(scope, id, job.progress.events + 1).await?.is_some() {
            job.progress.events += 1;
        }
        match self.put(scope, &job, OnlyIf::Version(version)).await {
            Ok(fence) => Ok(Taken::Held(Box::new(Held { job, scope: scope.clone(), fence, lease }))),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(Taken::Busy(lease::RENEW)),
            Err(error) => Err(error),
        }
    }

    /// The last event of the log; none if nothing happened yet.
    pub async fn last_event(&self, held: &Held) -> Result<Option<Value>> {
        match held.job.progress.events {
            0 => Ok(None),
            number => self.event(&held.scope, &held.job.id, number).await,
        }
    }

    /// Adds an event to the log. `Conflict` if another worker has taken over.
    pub async fn log(&self, held: &mut Held, event: &Value) -> Result<()> {
        let bytes = encode(event)?;
        loop {
            let now = self.clock.now();
            let number = held.job.progress.events + 1;
            let key = event_key(&held.scope, &held.job.id, number);
            match self.state.put(&key, bytes.clone(), now.plus(KEPT), OnlyIf::AbsentAt(now)).await {
                Err(PutError::Conflict) => {
                    // Its own, written although the store said otherwise; perhaps just this one.
                    self.own_version(held).await?;
                    held.job.progress.events = number;
                    if self.event(&held.scope, &held.job.id, number).await?.as_ref() == Some(event) {
                        return Ok(());
                    }
                }
                put => {
                    put.map_err(from_put)?;
                    held.job.progress.events = number;
                    return Ok(());
                }
            }
        }
    }

    /// Writes down how far it is. `Conflict` if another worker has taken over.
    pub async fn save(&self, held: &mut Held) -> Result<()> {
        let put = self.put(&held.scope, &held.job, OnlyIf::Version(held.fence)).await;
        held.fence = match put {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let version = self.own_version(held).await?;
                self.put(&held.scope, &held.job, OnlyIf::Version(version)).await?
            }
            put => put?,
        };
        Ok(())
    }

    /// The row's version while no other worker has begun; each one that begins is counted in the row.
    async fn own_version(&self, held: &Held) -> Result<u64> {
        let (job, version) = self.read(&held.scope, &held.job.id).await?;
        if job.workers == held.job.workers { Ok(version) } else { Err(from_put(PutError::Conflict)) }
    }

    /// Ends the job, after a last event where it is not in the log yet. `Conflict` if another worker has taken over;
    /// then nothing was written. A store that fails is tried again for three seconds.
    pub async fn finish(
        &self,
        mut held: Held,
        last: Option<&Value>,
        outcome: Result<Value, Value>,
    ) -> Result<()> {
        match outcome {
            Ok(result) => (held.job.state, held.job.result) = (JobState::Done, Some(result)),
            Err(problem) => (held.job.state, held.job.problem) = (JobState::Failed, Some(problem)),
        }
        let (mut last, mut pauses) = (last, PAUSES.iter());
        loop {
            match (self.end(&mut held, &mut last).await, pauses.next()) {
                (Err(error), Some(pause)) if error.kind() != ErrorKind::Conflict => {
                    tracing::warn!(%error, "the end of a job could not be written: trying again");
                    tokio::time::sleep(*pause).await;
                }
                (ended, _) => {
                    self.release(&held).await;
                    return ended;
                }
            }
        }
    }

    async fn release(&self, held: &Held) {
        if let Err(error) = held.lease.release().await {
            tracing::warn!(%error, "a job's lease could not be released: it ends by itself");
        }
    }

    async fn end(&self, held: &mut Held, last: &mut Option<&Value>) -> Result<()> {
        if let Some(event) = *last {
            self.log(held, event).await?;
            *last = None;
        }
        self.save(held).await
    }

    /// The event of this number, from 1; none if it has not happened yet.
    pub async fn event(&self, scope: &Scope, id: &str, number: u64) -> Result<Option<Value>> {
        let found = self.state.get(&event_key(scope, id, number)).await?;
        Ok(found.and_then(|found| serde_json::from_slice(&found.value).ok()))
    }

    async fn read(&self, scope: &Scope, id: &str) -> Result<(Job, u64)> {
        let found = self.state.get(&key(scope, id)).await?;
        let found = found.filter(|found| self.clock.now() < found.expires_at).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "no such job: its row and its log are kept for a day")
        })?;
        let job = serde_json::from_slice(&found.value)
            .map_err(|_| Error::new(ErrorKind::Storage, "the job's row cannot be read: start it again"))?;
        Ok((job, found.version))
    }

    async fn put(&self, scope: &Scope, job: &Job, only_if: OnlyIf) -> Result<u64> {
        let created = UtcMillis::from_iso(&job.created_at).unwrap_or_else(|| self.clock.now());
        let put = self.state.put(&key(scope, &job.id), encode(job)?, created.plus(KEPT), only_if).await;
        put.map_err(from_put)
    }
}

fn key(scope: &Scope, id: &str) -> StateKey {
    StateKey::new(StateKind::Job, scope, id)
}

fn event_key(scope: &Scope, id: &str, number: u64) -> StateKey {
    StateKey::new(StateKind::Job, scope, format!("{id}/{number}"))
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|_| Error::new(ErrorKind::Storage, "the job cannot be written as JSON"))
}

fn from_put(error: PutError) -> Error {
    match error {
        PutError::Conflict => Error::new(ErrorKind::Conflict, "another worker has taken the job over"),
        PutError::Store(error) => error,
    }
}
