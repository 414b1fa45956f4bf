//! One current-thread runtime, for sync and async alike, with a background thread for what nobody waits for. It starts
//! with the first call of a process, a forked one included, and ends with the interpreter.

use std::any::Any;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use claude_code_aws::{Error, ErrorKind, Result};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;

use crate::runtime::driver::Counted;
use crate::runtime::process::Process;

/// How long the interpreter's exit waits for calls that are under way to close.
const GRACE: Duration = Duration::from_secs(2);

static STOPPED: AtomicBool = AtomicBool::new(false);
/// The thread that runs the interpreter's exit.
static LAST: OnceLock<ThreadId> = OnceLock::new();

/// The runtime of a process.
pub(crate) struct Running {
    pub(super) handle: Handle,
    ends: Mutex<Option<Ends>>,
}

/// What is there until the end.
struct Ends {
    runtime: Arc<Runtime>,
    /// Hears that the background thread has ended.
    stopped: mpsc::Receiver<()>,
}

/// Whether the interpreter is on its way out.
pub(crate) fn is_stopped() -> bool {
    STOPPED.load(Ordering::SeqCst)
}

/// Whether the interpreter goes and leaves this thread behind: only daemon threads are still there by then.
pub(crate) fn is_left_behind() -> bool {
    is_stopped() && LAST.get().is_some_and(|last| *last != std::thread::current().id())
}

/// The runtime, started if need be. Fails while the interpreter exits.
fn running(process: &'static Process) -> Result<&'static Running> {
    if is_stopped() {
        return Err(exiting());
    }
    process.running.get_or_init(|| start(process)).as_ref().map_err(Clone::clone)
}

fn exiting() -> Error {
    Error::new(ErrorKind::Unavailable, "the interpreter is exiting: no call can be made any more")
}

fn start(process: &'static Process) -> Result<Running> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Unavailable, format!("the background thread could not be started: {error}"))
    };
    crate::runtime::log::install();
    let runtime = Arc::new(Builder::new_current_thread().enable_all().build().map_err(failed)?);
    let (handle, own) = (runtime.handle().clone(), runtime.clone());
    let (say, stopped) = mpsc::channel();
    let body = move || {
        process.driver.attend(&own);
        shut_down(own);
        let _ = say.send(());
    };
    let thread = std::thread::Builder::new().name("claude-code".to_owned()).spawn(body).map_err(failed)?;
    process.driver.set_background(thread.thread());
    Ok(Running { handle, ends: Mutex::new(Some(Ends { runtime, stopped })) })
}

/// Drops the tasks, which closes their requests, as soon as nobody drives them any more.
fn shut_down(mut runtime: Arc<Runtime>) {
    let end = Instant::now() + GRACE / 2;
    while Instant::now() < end {
        match Arc::try_unwrap(runtime) {
            Ok(runtime) => return runtime.shutdown_timeout(GRACE / 2),
            Err(shared) => runtime = shared,
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // Somebody does not come back from a call: what is left ends with the process.
    std::mem::forget(runtime);
}

/// Ends the background thread: registered with `atexit`.
#[pyfunction(name = "_stop")]
pub(crate) fn stop(py: Python<'_>) {
    let _ = LAST.set(std::thread::current().id());
    STOPPED.store(true, Ordering::SeqCst);
    let process = Process::current();
    let Some(Ok(running)) = process.running.get() else { return };
    let ends = running.ends.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Ends { runtime, stopped }) = ends {
        drop(runtime);
        process.driver.stop();
        py.detach(move || {
            let _ = stopped.recv_timeout(GRACE);
        });
    }
}

/// A future under way on the background thread. Dropping this drops the future there.
pub(crate) struct Task(AbortHandle, &'static Process);

impl Drop for Task {
    fn drop(&mut self) {
        // A forked child's copy is of a task that it does not have.
        if self.1.is_current() {
            self.0.abort();
        }
    }
}

/// Runs a future on the background thread. A panic in it is an error of this call, and of no other.
pub(crate) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
    done: impl FnOnce(Result<T>) + Send + 'static,
) -> Result<Task> {
    let process = Process::current();
    let handle = &running(process)?.handle;
    let task = async move {
        let ended = AssertUnwindSafe(future).catch_unwind().await;
        done(ended.map_err(|panic| panicked(&*panic)));
    };
    Ok(Task(handle.spawn(attended(task)).abort_handle(), process))
}

/// The same work, for which the background thread is there from now on, whoever waits.
pub(crate) fn attended<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let attended = Process::current().driver.attended();
    async move {
        let _attended = attended;
        future.await
    }
}

/// What the background thread is there for as long as this is.
pub(crate) struct Attended(#[expect(dead_code, reason = "its end is what counts")] Counted<'static>);

impl Attended {
    pub(crate) fn new() -> Self {
        Attended(Process::current().driver.attended())
    }
}

/// Waits for a future in this thread for a moment, and drives it. None: time to look for signals. A panic in it is an error
/// of this call.
pub(crate) fn wait<T>(future: &mut Held<BoxFuture<'static, T>>) -> Result<Option<T>> {
    let process = Process::current();
    let ends = &running(process)?.ends;
    if Handle::try_current().is_ok() {
        return Err(Error::invalid(
            "a call was made by code that runs within another call, such as a log handler: make it in another thread",
        ));
    }
    let runtime =
        ends.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|ends| ends.runtime.clone());
    let (Some(runtime), Some(future)) = (runtime, future.get_mut()) else { return Err(exiting()) };
    let ended = process.driver.wait(&runtime, AssertUnwindSafe(future).catch_unwind());
    ended.transpose().map_err(|panic| panicked(&*panic))
}

/// The error that a panic of ours is to the caller.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let why = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let why = why.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::new(ErrorKind::Protocol, format!("the library failed within this call, please report it: {why}"))
}

/// A value of a process's runtime: dropped on its thread, and in a forked child not at all, since its locks and threads
/// stayed behind.
pub(crate) struct Held<T: Send + 'static> {
    value: ManuallyDrop<Option<T>>,
    process: &'static Process,
}

impl<T: Send + 'static> Held<T> {
    pub(crate) fn new(value: T) -> Self {
        Held { value: ManuallyDrop::new(Some(value)), process: Process::current() }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// Whether it is what a forked child has of its parent's.
    pub(crate) fn is_of_parent(&self) -> bool {
        !self.process.is_current()
    }

    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    pub(crate) fn into_inner(mut self) -> Option<T> {
        self.value.take()
    }

    /// As dropping it, for a thread that does not come to its end.
    pub(crate) fn let_go(&mut self) {
        let Some(value) = self.value.take() else { return };
        match self.process.running.get() {
            _ if self.is_of_parent() => std::mem::forget(value),
            Some(Ok(running)) if !is_stopped() => {
                running.handle.spawn(attended(async move { drop(value) }));
            }
            Some(Ok(running)) => {
                let _context = running.handle.enter();
                drop(value);
            }
            _ => drop(value),
        }
    }
}

impl<T: Send + 'static> Drop for Held<T> {
    fn drop(&mut self) {
        self.let_go();
    }
}
