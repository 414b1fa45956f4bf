//! Job pool: jobs that this process runs itself, up to a concurrency limit. Others wait as rows with the state
//! `queued`.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claude_code_core::Scope;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Jobs that may wait for each one that is worked on. At a minute a job the last of them has its turn after minutes;
/// who comes beyond is told to come back.
const WAITING: usize = 4;

type Known = (Scope, String);

/// The workers of this process, and who waits for them.
#[derive(Clone, Debug)]
pub(crate) struct JobPool {
    /// The name of this process among those that share its state.
    id: Arc<str>,
    jobs: usize,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// Each job's slot: the lowest that no other has.
    known: Arc<Mutex<HashMap<Known, usize>>>,
}

/// A job's place among those that are worked on or wait; dropped, it is free.
#[derive(Debug)]
pub(crate) struct JobPermit {
    job_pool: JobPool,
    job: Known,
    slot: usize,
    _permit: OwnedSemaphorePermit,
}

impl JobPool {
    /// A job_pool of this name that works on so many jobs at the same time.
    pub(crate) fn new(id: &str, jobs: usize) -> Self {
        JobPool {
            id: id.into(),
            jobs,
            turns: Arc::new(Semaphore::new(jobs)),
            places: Arc::new(Semaphore::new(places(jobs))),
            known: Arc::default(),
        }
    }

    /// A place for this job; none where it has one, or where too many wait.
    pub(crate) fn permit(&self, scope: &Scope, job: &str) -> Option<JobPermit> {
        let job = (scope.clone(), job.to_owned());
        let permit = self.places.clone().try_acquire_owned().ok()?;
        let mut known = self.known();
        if known.contains_key(&job) {
            return None;
        }
        let taken: HashSet<usize> = known.values().copied().collect();
        let slot = (0..).find(|slot| !taken.contains(slot))?;
        known.insert(job.clone(), slot);
        Some(JobPermit { job_pool: self.clone(), job, slot, _permit: permit })
    }

    /// Whether this job is one of its own already.
    pub(crate) fn has(&self, scope: &Scope, job: &str) -> bool {
        self.known().contains_key(&(scope.clone(), job.to_owned()))
    }

    /// The name of this process.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// How many slots its jobs can have.
    pub(crate) fn slots(&self) -> usize {
        places(self.jobs)
    }

    /// Begins no job any more.
    pub(crate) fn close(&self) {
        self.turns.close();
    }

    /// Whether a job is being worked on.
    pub(crate) fn is_working(&self) -> bool {
        self.turns.available_permits() < self.jobs
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Known, usize>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Jobs that are worked on or wait, where so many are worked on at a time.
fn places(jobs: usize) -> usize {
    jobs.saturating_mul(1 + WAITING).min(Semaphore::MAX_PERMITS)
}

impl JobPermit {
    /// Whose job it is, and its id.
    pub(crate) fn job(&self) -> (&Scope, &str) {
        (&self.job.0, &self.job.1)
    }

    /// Its number among the jobs of this process.
    pub(crate) fn slot(&self) -> usize {
        self.slot
    }

    /// The right to work, when its turn has come; none where the job_pool goes home.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.job_pool.turns.clone().acquire_owned().await.ok()
    }
}

impl Drop for JobPermit {
    fn drop(&mut self) {
        self.job_pool.known().remove(&self.job);
    }
}
