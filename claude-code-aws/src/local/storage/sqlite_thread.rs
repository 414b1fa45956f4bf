//! SQLite thread: one per engine. Its connection is used there and nowhere else, so the runtime never waits for a disk.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread::JoinHandle;

use claude_code_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// A value that lives on a thread of its own, and the queue of jobs for it.
///
/// Dropping the worker lets the queued jobs finish, closes the value and waits for its thread.
pub(crate) struct Worker<T> {
    name: &'static str,
    jobs: Option<mpsc::Sender<Job<T>>>,
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread: a forked child has a copy of this and no thread.
    process: u32,
}

impl<T> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<T: 'static> Worker<T> {
    /// Starts the thread and opens the value on it. Fails as `open` fails.
    pub(crate) async fn start<F>(name: &'static str, open: F) -> Result<Self>
    where
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let (jobs, queue) = mpsc::channel::<Job<T>>();
        let (opened, ready) = oneshot::channel();
        let body = move || match open() {
            Ok(mut value) => {
                let _ = opened.send(Ok(()));
                while let Ok(job) = queue.recv() {
                    job(&mut value);
                }
            }
            Err(error) => {
                let _ = opened.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(|error| {
            Error::new(ErrorKind::Storage, format!("cannot start the thread {name}: {error}"))
        })?;
        let process = std::process::id();
        let worker = Worker { name, jobs: Some(jobs), thread: Some(thread), process };
        ready.await.unwrap_or_else(|_| Err(worker.stopped()))?;
        Ok(worker)
    }

    /// Queues a job whose end nobody waits for. False: the thread is gone.
    pub(crate) fn post(&self, job: impl FnOnce(&mut T) + Send + 'static) -> bool {
        let guarded: Job<T> = Box::new(move |value| {
            // A panic drops what the job's callers wait on: they learn that the engine has stopped.
            let _ = catch_unwind(AssertUnwindSafe(|| job(value)));
        });
        !self.is_forked() && self.jobs.as_ref().is_some_and(|jobs| jobs.send(guarded).is_ok())
    }

    /// Runs one job on the thread. It runs to its end even if the caller stops waiting, as on a real server.
    /// Fails only if the job panicked or the thread is gone.
    pub(crate) async fn run<R, F>(&self, job: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&mut T) -> R + Send + 'static,
    {
        let (answer, done) = oneshot::channel();
        let boxed: Job<T> = Box::new(move |value| {
            // A job that panics must not take the engine with it: its transaction rolls back when dropped.
            let _ = answer.send(catch_unwind(AssertUnwindSafe(|| job(value))));
        });
        let sent = !self.is_forked() && self.jobs.as_ref().is_some_and(|jobs| jobs.send(boxed).is_ok());
        if !sent {
            return Err(self.stopped());
        }
        match done.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(panic)) => Err(self.panicked(&*panic)),
            Err(_) => Err(self.stopped()),
        }
    }

    /// Whether its thread is the parent's, and not here.
    pub(crate) fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// Why it does nothing any more.
    pub(crate) fn stopped(&self) -> Error {
        if self.is_forked() {
            return forked(&format!("the local {} engine", self.name));
        }
        Error::new(
            ErrorKind::Storage,
            format!("the local {} engine has stopped; open the store again", self.name),
        )
    }

    fn panicked(&self, panic: &(dyn Any + Send)) -> Error {
        let why = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let why = why.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Error::new(
            ErrorKind::Storage,
            format!("the local {} engine failed within a request: {why}", self.name),
        )
    }
}

/// The error of a forked child that uses what its parent opened.
pub(crate) fn forked(what: &str) -> Error {
    Error::new(
        ErrorKind::Forked,
        format!(
            "{what} was opened before this process was forked and is its parent's: fork while no call is under way, or \
             start processes with the \"spawn\" method"
        ),
    )
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
