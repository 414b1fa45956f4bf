//! Jobs that this process works on by itself: so many at a time. The others wait, as rows that say `queued`.

use std::collections::HashSet;
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
    jobs: usize,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    known: Arc<Mutex<HashSet<Known>>>,
}

/// A job's place among those that are worked on or wait; dropped, it is free.
#[derive(Debug)]
pub(crate) struct JobPermit {
    job_pool: JobPool,
    job: Known,
    _permit: OwnedSemaphorePermit,
}

impl JobPool {
    /// A job_pool that works on so many jobs at the same time.
    pub(crate) fn new(jobs: usize) -> Self {
        JobPool {
            jobs,
            turns: Arc::new(Semaphore::new(jobs)),
            places: Arc::new(Semaphore::new(jobs.saturating_mul(1 + WAITING).min(Semaphore::MAX_PERMITS))),
            known: Arc::default(),
        }
    }

    /// A place for this job; none where it has one, or where too many wait.
    pub(crate) fn permit(&self, scope: &Scope, job: &str) -> Option<JobPermit> {
        let job = (scope.clone(), job.to_owned());
        let permit = self.places.clone().try_acquire_owned().ok()?;
        let is_new = self.known().insert(job.clone());
        is_new.then(|| JobPermit { job_pool: self.clone(), job, _permit: permit })
    }

    /// Begins no job any more.
    pub(crate) fn close(&self) {
        self.turns.close();
    }

    /// Whether a job is being worked on.
    pub(crate) fn is_working(&self) -> bool {
        self.turns.available_permits() < self.jobs
    }

    fn known(&self) -> MutexGuard<'_, HashSet<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JobPermit {
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
