//! One background thread with a current-thread runtime, for sync and async alike. It starts with the first call and
//! ends with the interpreter; a forked child is told that it has none.

use std::any::Any;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread::ThreadId;
use std::time::Duration;

use claude_code_aws::{Error, Kind, Result};
use futures_util::FutureExt;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// How long the interpreter's exit waits for calls that are under way to close.
const GRACE: Duration = Duration::from_secs(2);

/// The process that started the thread; 0 before.
static OWNER: AtomicU32 = AtomicU32::new(0);
static STOPPED: AtomicBool = AtomicBool::new(false);
/// The thread that runs the interpreter's exit.
static LAST: OnceLock<ThreadId> = OnceLock::new();
static RUNNING: OnceLock<Result<Running>> = OnceLock::new();

struct Running {
    handle: Handle,
    ends: Mutex<Option<Ends>>,
}

/// Tells the thread to end, and hears that it has.
struct Ends {
    stop: oneshot::Sender<()>,
    stopped: mpsc::Receiver<()>,
}

/// Whether this process was forked from one that had started the thread: here it does not exist.
pub(crate) fn is_forked() -> bool {
    let owner = OWNER.load(Ordering::Acquire);
    owner != 0 && owner != std::process::id()
}

/// Whether the interpreter is on its way out.
pub(crate) fn is_stopped() -> bool {
    STOPPED.load(Ordering::Acquire)
}

/// Whether the interpreter goes and leaves this thread behind: only daemon threads are still there by then.
pub(crate) fn is_left_behind() -> bool {
    is_stopped() && !is_forked() && LAST.get().is_some_and(|last| *last != std::thread::current().id())
}

/// The runtime, started if need be. Fails in a forked child and while the interpreter exits.
pub(crate) fn handle() -> Result<&'static Handle> {
    if is_forked() {
        return Err(Error::new(
            Kind::Forked,
            "this process was forked after the first call, and the thread that does the work stayed behind: make \
             the first call after the fork, or start processes with the \"spawn\" method",
        ));
    }
    if is_stopped() {
        return Err(Error::new(
            Kind::Unavailable,
            "the interpreter is exiting: no call can be made any more",
        ));
    }
    OWNER.store(std::process::id(), Ordering::Release);
    RUNNING.get_or_init(start).as_ref().map(|running| &running.handle).map_err(Clone::clone)
}

fn start() -> Result<Running> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Unavailable, format!("the background thread could not be started: {error}"))
    };
    crate::log::install();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let handle = runtime.handle().clone();
    let (stop, told) = oneshot::channel();
    let (say, stopped) = mpsc::channel();
    let body = move || {
        let _ = runtime.block_on(told);
        // Dropping the tasks closes their requests.
        runtime.shutdown_timeout(GRACE / 2);
        let _ = say.send(());
    };
    std::thread::Builder::new().name("claude-code".to_owned()).spawn(body).map_err(failed)?;
    Ok(Running { handle, ends: Mutex::new(Some(Ends { stop, stopped })) })
}

/// Ends the background thread: registered with `atexit`.
#[pyfunction(name = "_stop")]
pub(crate) fn stop(py: Python<'_>) {
    let _ = LAST.set(std::thread::current().id());
    STOPPED.store(true, Ordering::Release);
    if is_forked() {
        return;
    }
    let Some(Ok(running)) = RUNNING.get() else { return };
    let ends = running.ends.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(ends) = ends {
        let _ = ends.stop.send(());
        py.detach(move || {
            let _ = ends.stopped.recv_timeout(GRACE);
        });
    }
}

/// A future under way on the background thread. Dropping this drops the future there.
pub(crate) struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        // In a forked child the runtime's locks may be held for ever.
        if !is_forked() {
            self.0.abort();
        }
    }
}

/// Runs a future on the background thread. A panic in it is an error of this call, and of no other.
pub(crate) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
    done: impl FnOnce(Result<T>) + Send + 'static,
) -> Result<Task> {
    let task = async move {
        let ended = AssertUnwindSafe(future).catch_unwind().await;
        done(ended.map_err(|panic| panicked(&*panic)));
    };
    Ok(Task(handle()?.spawn(task).abort_handle()))
}

/// The error that a panic of ours is to the caller.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let why = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let why = why.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::new(Kind::Protocol, format!("the library failed within this call, please report it: {why}"))
}

/// A value of the runtime's: dropped on its thread, and in a forked child not at all, since its locks and threads
/// stayed behind.
pub(crate) struct Held<T: Send + 'static>(ManuallyDrop<Option<T>>);

impl<T: Send + 'static> Held<T> {
    pub(crate) fn new(value: T) -> Self {
        Held(ManuallyDrop::new(Some(value)))
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    pub(crate) fn into_inner(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T: Send + 'static> Drop for Held<T> {
    fn drop(&mut self) {
        let Some(value) = self.0.take() else { return };
        match RUNNING.get() {
            _ if is_forked() => std::mem::forget(value),
            Some(Ok(running)) if !is_stopped() => {
                running.handle.spawn(async move { drop(value) });
            }
            _ => drop(value),
        }
    }
}
