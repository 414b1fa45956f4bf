//! How a call crosses: one piece of work, and two faces for it. `wait` blocks with the interpreter released, drives the
//! work and looks for signals; `Awaitable` belongs to an event loop. Neither starts anything before it is waited for.

use std::ffi::CString;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use claude_code_aws::Result;
use futures_util::future::{BoxFuture, Either, select};
use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyRuntimeError, PyRuntimeWarning, PyStopIteration};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3::{IntoPyObject, IntoPyObjectExt};

use crate::client::check::Raised;
use crate::convert::error::raise;
use crate::notebook::telemetry::{Span, Watch};
use crate::runtime::interrupts;
use crate::runtime::{self, Held, Task};

/// What is done by the runtime, up to the next step in the caller's.
pub(crate) struct Work {
    future: BoxFuture<'static, Step>,
    /// Dropped by the one who waits, as soon as he does not wait any more: the future follows in its own time.
    turn: Option<Box<dyn Send>>,
    /// Called in the caller's thread when the work begins; the span that it gives ends with the call.
    begin: Option<Begin>,
}

type Begin = Box<dyn FnOnce(Python<'_>) -> Option<Span> + Send>;

impl Work {
    pub(crate) fn new(future: impl Future<Output = Step> + Send + 'static) -> Self {
        Work { future: Box::pin(future), turn: None, begin: None }
    }

    pub(crate) fn with_watch(self, watch: Option<Watch>) -> Self {
        match watch {
            Some(watch) => self.beginning(move |py| watch.begin(py)),
            None => self,
        }
    }

    pub(crate) fn beginning(self, begin: impl FnOnce(Python<'_>) -> Option<Span> + Send + 'static) -> Self {
        Work { begin: Some(Box::new(begin)), ..self }
    }

    /// The same work, dropped as soon as the caller's own check raises; the exception is what comes of it.
    pub(crate) fn unless(self, raised: Option<Raised>) -> Self {
        let Some(raised) = raised else { return self };
        let Work { future, turn, begin } = self;
        let future = Box::pin(async move {
            match select(future, pin!(raised.heard())).await {
                Either::Left((step, _)) => step,
                Either::Right((error, _)) => failed(error),
            }
        });
        Work { future, turn, begin }
    }

    pub(crate) fn with_turn(self, turn: impl Send + 'static) -> Self {
        Work { turn: Some(Box::new(turn)), ..self }
    }
}

/// What is done in the caller's thread with what came out.
pub(crate) type Step = Box<dyn FnOnce(Python<'_>) -> PyResult<Next> + Send>;

/// The step that raises.
pub(crate) fn failed(error: PyErr) -> Step {
    Box::new(move |_| Err(error))
}

/// How it goes on after a step.
pub(crate) enum Next {
    Done(Py<PyAny>),
    More(Work),
}

/// The work of one future, whose value becomes a Python object.
pub(crate) fn work<T>(future: impl Future<Output = Result<T>> + Send + 'static) -> Work
where
    T: for<'py> IntoPyObject<'py> + Send + 'static,
{
    Work::new(async move {
        let result = future.await;
        let step: Step = Box::new(move |py| match result {
            Ok(value) => Ok(Next::Done(value.into_py_any(py)?)),
            Err(error) => Err(raise(py, error)),
        });
        step
    })
}

/// The sync face. An exception meanwhile, such as KeyboardInterrupt, drops the work.
pub(crate) fn wait(py: Python<'_>, mut work: Work) -> PyResult<Py<PyAny>> {
    let span = work.begin.take().and_then(|begin| begin(py));
    let done = to_the_end(py, work);
    if let Some(span) = span {
        span.end(py, done.as_ref().map(|value| value.bind(py)));
    }
    done
}

fn to_the_end(py: Python<'_>, mut work: Work) -> PyResult<Py<PyAny>> {
    loop {
        let Work { future, turn, .. } = work;
        let next = taken(py, block(py, future)?)?;
        drop(turn);
        match next {
            Next::Done(value) => return Ok(value),
            Next::More(more) => work = more,
        }
    }
}

/// Takes a step. A panic in it is an error of this call too, and no BaseException.
fn taken(py: Python<'_>, step: Step) -> PyResult<Next> {
    catch_unwind(AssertUnwindSafe(|| step(py)))
        .unwrap_or_else(|panic| Err(raise(py, runtime::panicked(&*panic))))
}

/// Work that is left undone goes where the runtime is driven next, which is at once.
fn block(py: Python<'_>, work: BoxFuture<'static, Step>) -> PyResult<Step> {
    let mut work = Held::new(work);
    left_behind(py);
    loop {
        let turn = py.detach(|| waited(&mut work));
        if let Some(error) = interrupts::raised() {
            return Err(error);
        }
        match turn {
            Ok(Some(step)) => {
                left_behind(py);
                drop(work.into_inner());
                return Ok(step);
            }
            Ok(None) => py.check_signals()?,
            Err(error) => return Err(raise(py, error)),
        }
    }
}

/// One wait. A daemon thread that the interpreter leaves behind does not come back from it: to take the lock again would
/// end the thread by unwinding it, with frames of ours below.
fn waited(work: &mut Held<BoxFuture<'static, Step>>) -> Result<Option<Step>> {
    let step = runtime::wait(work);
    if runtime::is_left_behind() {
        work.let_go();
        rest();
    }
    step
}

/// A daemon thread that makes a call while the interpreter goes, or gets an answer then, stays here: what has become of
/// the call would be a traceback that nobody asked for.
fn left_behind(py: Python<'_>) {
    if runtime::is_left_behind() {
        py.detach(rest);
    }
}

/// Only daemon threads are still waiting when the interpreter goes: they are left where they are, without a word.
fn rest() {
    loop {
        std::thread::park();
    }
}

/// The async face: a coroutine in all but its type. Nothing runs before the first await; closing it, dropping it or
/// cancelling its task drops the work.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct Awaitable {
    name: &'static str,
    state: Mutex<State>,
    span: Mutex<Option<Span>>,
}

enum State {
    /// What is there already: a value, or what the first step raises.
    Ready(PyResult<Py<PyAny>>),
    Fresh(Work),
    Waiting {
        future: Py<PyAny>,
        landed: Landing,
        _task: Task,
        turn: Option<Box<dyn Send>>,
    },
    Ended,
}

type Landing = Arc<Mutex<Option<Result<Step>>>>;

/// The async face of a piece of work; `name` is for its repr.
pub(crate) fn awaitable(name: &'static str, work: Work) -> Awaitable {
    Awaitable::of(name, State::Fresh(work))
}

/// The async face of what is there already.
pub(crate) fn ready(name: &'static str, value: Py<PyAny>) -> Awaitable {
    settled(name, Ok(value))
}

/// The same of what may be an error. It is raised where the call is awaited: `anext(stream, None)` of Python 3.11 crashes
/// where `__anext__` itself raises.
pub(crate) fn settled(name: &'static str, result: PyResult<Py<PyAny>>) -> Awaitable {
    Awaitable::of(name, State::Ready(result))
}

#[pymethods]
impl Awaitable {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let work = match self.swap(State::Ended) {
            State::Ready(result) => return Err(PyStopIteration::new_err((result?,))),
            State::Fresh(mut work) => {
                let span = work.begin.take().and_then(|begin| begin(py));
                *self.span.lock().unwrap_or_else(PoisonError::into_inner) = span;
                work
            }
            State::Waiting { future, landed, turn, .. } => {
                let step = landed.lock().unwrap_or_else(PoisonError::into_inner).take();
                // Resumed although nothing came: the future was cancelled, and says so.
                let Some(step) = step else { return future.call_method0(py, "result") };
                left_behind(py);
                let next = step.map_err(|error| raise(py, error)).and_then(|step| taken(py, step));
                drop(turn);
                match next {
                    Ok(Next::More(more)) => more,
                    Ok(Next::Done(value)) => {
                        self.ended(py, Ok(value.bind(py)));
                        return Err(PyStopIteration::new_err((value,)));
                    }
                    Err(error) => {
                        self.ended(py, Err(&error));
                        return Err(error);
                    }
                }
            }
            State::Ended => {
                return Err(PyRuntimeError::new_err(format!("{}() was awaited before", self.name)));
            }
        };
        self.start(py, work).inspect_err(|error| self.ended(py, Err(error)))
    }

    #[pyo3(signature = (value, /))]
    fn send(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        // The event loop sends None: there is nothing to tell.
        let _ = value;
        self.__next__(py)
    }

    #[pyo3(signature = (typ, val=None, tb=None))]
    fn throw(
        &self,
        typ: &Bound<'_, PyAny>,
        val: Option<&Bound<'_, PyAny>>,
        tb: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let _ = tb;
        self.close();
        let value = match (typ.cast::<PyType>(), val) {
            (Ok(class), Some(value)) if value.is_instance(class)? => value.clone(),
            (Ok(class), Some(value)) => class.call1((value,))?,
            (Ok(class), None) => class.call0()?,
            (Err(_), _) => typ.clone(),
        };
        Err(PyErr::from_value(value))
    }

    fn close(&self) {
        drop(self.swap(State::Ended));
        drop(self.span.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// `Awaitable[Generation]` in annotations.
    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        class: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static ALIAS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        ALIAS.import(class.py(), "types", "GenericAlias")?.call1((class, item))
    }

    /// For the names that asyncio gives its tasks.
    #[getter]
    fn __name__(&self) -> &'static str {
        self.name
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        self.name
    }

    fn __repr__(&self) -> String {
        let state = match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Fresh(_) | State::Ready(_) => "not awaited yet",
            State::Waiting { .. } => "under way",
            State::Ended => "ended",
        };
        format!("<{}(), {state}>", self.name)
    }
}

/// As Python's own coroutines do: an `await` that was forgotten is a line on stderr, and nothing was sent.
impl Drop for Awaitable {
    fn drop(&mut self) {
        if !matches!(self.swap(State::Ended), State::Fresh(_)) {
            return;
        }
        let told =
            CString::new(format!("{}() was never awaited: nothing was sent", self.name)).unwrap_or_default();
        Python::try_attach(|py| {
            if let Err(error) = PyErr::warn(py, &PyRuntimeWarning::type_object(py), &told, 1) {
                error.write_unraisable(py, None);
            }
        });
    }
}

impl Awaitable {
    fn of(name: &'static str, state: State) -> Self {
        Awaitable { name, state: Mutex::new(state), span: Mutex::new(None) }
    }

    fn ended(&self, py: Python<'_>, result: Result<&Bound<'_, PyAny>, &PyErr>) {
        if let Some(span) = self.span.lock().unwrap_or_else(PoisonError::into_inner).take() {
            span.end(py, result);
        }
    }

    fn swap(&self, state: State) -> State {
        std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    /// Sends the work to the background thread and gives the event loop a future to wait for.
    fn start(&self, py: Python<'_>, work: Work) -> PyResult<Py<PyAny>> {
        static RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let event_loop = RUNNING_LOOP.import(py, "asyncio", "get_running_loop")?.call0()?;
        let future = event_loop.call_method0("create_future")?;
        // What a future's own iterator does to tell the task that it waits by `await`.
        future.setattr("_asyncio_future_blocking", true)?;
        let landed = Landing::default();
        let (event_loop, waiting) = (event_loop.unbind(), future.clone().unbind());
        let place = landed.clone();
        let done = move |step| {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
            // A closed loop waits for nothing, and an interpreter that is gone neither. What was interrupted may not have
            // come to its end: done twice it does no harm.
            Python::try_attach(|py| {
                let notify = || notify(py, &event_loop, &waiting);
                if interrupts::keep(py, notify()) {
                    interrupts::keep(py, notify());
                }
            });
        };
        let Work { future: work, turn, .. } = work;
        left_behind(py);
        let task = runtime::spawn(work, done).map_err(|error| raise(py, error))?;
        self.swap(State::Waiting { future: future.clone().unbind(), landed, _task: task, turn });
        Ok(future.unbind())
    }
}

fn notify(py: Python<'_>, event_loop: &Py<PyAny>, future: &Py<PyAny>) -> PyResult<()> {
    static WAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let wake = WAKE.import(py, "claude_code._claude_code", "_wake")?;
    event_loop.call_method1(py, "call_soon_threadsafe", (wake, future))?;
    Ok(())
}

/// Ends an event loop's wait, in the loop's thread.
#[pyfunction(name = "_wake")]
pub(crate) fn wake(future: &Bound<'_, PyAny>) -> PyResult<()> {
    if !future.call_method0("done")?.is_truthy()? {
        future.call_method1("set_result", (future.py().None(),))?;
    }
    Ok(())
}
