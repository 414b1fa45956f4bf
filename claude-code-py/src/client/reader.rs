//! Reading a stream of events: when the reader asks, and what has arrived meanwhile in one go.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claude_code_aws::request::GenerateRequest;
use claude_code_aws::{Error, ErrorKind, Event, GenerationStream};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::sync::watch;

use crate::client::check::Raised;
use crate::client::next_batch::{next_batch, until_closed};
use crate::convert::error::raise;
use crate::convert::options::Options;
use crate::notebook::tally;
use crate::notebook::telemetry::{Span, Watch};
use crate::result::event;
use crate::result::generation::{Generation, Origin};
use crate::runtime::Held;
use crate::runtime::call::{Next, Step, Work, failed};

/// A stream on this side.
pub(crate) struct Reading {
    pub(crate) origin: Origin,
    /// True from the close on: whoever begins to read later sees it too.
    closed: watch::Sender<bool>,
    raised: Option<Raised>,
    /// Called with each event as it is given out.
    on_event: Option<Py<PyAny>>,
    /// Whether a reader that stops waiting leaves the request open for the next one.
    is_resumable: bool,
    state: Mutex<State>,
}

struct State {
    source: Source,
    /// How many readings there were.
    turns: u64,
    /// Whether a reader waits.
    is_awaited: bool,
    /// Why there is nothing more to read, where that is not the result.
    ended: Option<String>,
    /// Arrived, and not yet asked for.
    queue: VecDeque<Event>,
    /// Raised when the queue is empty.
    failure: Option<Error>,
    result: Option<Arc<claude_code_aws::Generation>>,
    /// The span of the request, before it begins and while it is open.
    watch: Option<Watch>,
    span: Option<Span>,
}

#[allow(clippy::large_enum_variant, reason = "one for each open stream, and moved rarely")]
pub(crate) enum Source {
    /// Nothing was asked for yet.
    Unopened(Box<GenerateRequest>),
    Open(Held<GenerationStream>),
    /// An event is on its way; the reader that waited for it may have given up.
    Reading(Held<Pending>),
    Closed,
}

/// One reading under way, which outlives the reader that began it.
#[derive(Clone)]
pub(crate) struct Pending {
    done: Shared<BoxFuture<'static, ()>>,
    arrived: Arc<Mutex<Option<Batch>>>,
}

/// What one reading gave.
pub(crate) struct Batch {
    pub(crate) source: Source,
    pub(crate) events: VecDeque<Event>,
    pub(crate) failure: Option<Error>,
}

impl Reading {
    /// A stream on this side; `is_resumable`: only closing or dropping it ends the request.
    pub(crate) fn new(
        origin: Origin,
        options: Options,
        watch: Option<Watch>,
        is_resumable: bool,
    ) -> Arc<Self> {
        let Options { request, on_event, raised } = options;
        let state = State {
            source: Source::Unopened(Box::new(request)),
            turns: 0,
            is_awaited: false,
            ended: None,
            queue: VecDeque::new(),
            failure: None,
            result: None,
            watch,
            span: None,
        };
        Arc::new(Reading {
            origin,
            closed: watch::Sender::new(false),
            raised,
            on_event,
            is_resumable,
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next event that is there already; None: one must be waited for, or there is none any more.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let event = self.state().queue.pop_front();
        event.map(|event| self.give(py, event)).transpose()
    }

    /// An event for the caller. What `on_event` raises closes the request.
    fn give(&self, py: Python<'_>, event: Event) -> PyResult<Py<PyAny>> {
        let event = event::to_python(py, event, &self.origin)?;
        if let Some(on_event) = &self.on_event {
            on_event.call1(py, (event.clone_ref(py),)).inspect_err(|_| self.close())?;
        }
        Ok(event)
    }

    pub(crate) fn close(&self) {
        let mut state = self.state();
        let source = std::mem::replace(&mut state.source, Source::Closed);
        state.queue.clear();
        state.failure = None;
        state.ended.get_or_insert_with(|| {
            "the stream was closed before its end: what was generated until then is paid for; ask again"
                .to_owned()
        });
        let span = state.span.take();
        drop(state);
        drop((source, span));
        self.closed.send_replace(true);
    }

    /// Reads on; `then` is called with the events at hand, in the caller's thread. None: the stream is at its end.
    fn read<F>(self: &Arc<Self>, then: F) -> PyResult<Option<Work>>
    where
        F: FnOnce(Python<'_>) -> PyResult<Next> + Send + 'static,
    {
        let mut state = self.state();
        if state.is_awaited {
            return Err(PyRuntimeError::new_err("the stream is being read elsewhere"));
        }
        let pending = match std::mem::replace(&mut state.source, Source::Closed) {
            Source::Closed => return Ok(None),
            // What an earlier reader did not wait for.
            Source::Reading(pending) => pending.into_inner(),
            source => Some(self.begin(source)),
        };
        let Some(pending) = pending else { return Ok(None) };
        state.source = Source::Reading(Held::new(pending.clone()));
        state.is_awaited = true;
        state.turns += 1;
        let turn = Turn { reading: self.clone(), number: state.turns };
        let watch = state.watch.take();
        drop(state);
        let work = self.clone().work(pending, watch, then);
        Ok(Some(work.unless(self.raised.clone()).with_turn(turn)))
    }

    /// Begins a reading. It holds nothing of this stream, which holds it.
    fn begin(&self, source: Source) -> Pending {
        let arrived = Arc::<Mutex<Option<Batch>>>::default();
        let (origin, closed, place) = (self.origin.clone(), self.closed.subscribe(), arrived.clone());
        let done = async move {
            let batch = Box::pin(until_closed(closed, next_batch(&origin, source))).await;
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
        };
        Pending { done: done.boxed().shared(), arrived }
    }

    fn work<F>(self: Arc<Self>, pending: Pending, watch: Option<Watch>, then: F) -> Work
    where
        F: FnOnce(Python<'_>) -> PyResult<Next> + Send + 'static,
    {
        let reading = self.clone();
        let work = Work::new(async move {
            let Pending { done, arrived } = pending;
            done.await;
            let batch = arrived.lock().unwrap_or_else(PoisonError::into_inner).take();
            let batch = batch.unwrap_or_else(Batch::none);
            let step: Step = Box::new(move |py| {
                self.put(py, batch);
                then(py)
            });
            step
        });
        let Some(watch) = watch else { return work };
        // The first reading begins the span of the whole request; it ends with the last.
        work.beginning(move |py| {
            let span = watch.begin(py);
            reading.state().span = span;
            None
        })
    }

    fn put(&self, py: Python<'_>, batch: Batch) {
        let mut state = self.state();
        state.is_awaited = false;
        if matches!(state.source, Source::Closed) {
            return;
        }
        let finished = match batch.events.back() {
            Some(Event::Finished(result)) => Some(result.clone()),
            _ => None,
        };
        if let Some(result) = &finished {
            tally::count(result);
            state.result = Some(result.clone());
        }
        state.queue.extend(batch.events);
        state.source = batch.source;
        let span = if matches!(state.source, Source::Closed) { state.span.take() } else { None };
        let failure = batch.failure.as_ref().map(|error| error.kind);
        batch.failure.iter().for_each(tally::failed);
        state.ended = batch.failure.as_ref().map(|error| {
            format!("the stream ended with an error and has no result ({}): {error}", error.kind)
        });
        state.failure = batch.failure;
        drop(state);
        let Some(span) = span else { return };
        match (finished, failure) {
            (Some(result), _) => {
                if let Ok(value) = Bound::new(py, Generation::made(result, self.origin.clone())) {
                    span.end(py, Ok(value.as_any()));
                }
            }
            (None, Some(kind)) => span.fail(py, kind),
            (None, None) => drop(span),
        }
    }

    /// The event at hand, or the error that is left when there is none.
    pub(crate) fn show(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let mut state = self.state();
        let Some(event) = state.queue.pop_front() else {
            let failure = state.failure.take();
            return failure.map_or(Ok(None), |error| Err(raise(py, error)));
        };
        drop(state);
        self.give(py, event).map(Some)
    }

    pub(crate) fn generation(&self, py: Python<'_>) -> PyResult<Generation> {
        let state = self.state();
        let (result, ended) = (state.result.clone(), state.ended.clone());
        drop(state);
        let unread = || {
            let open = || "the stream was not read to its end: read it first, or collect() it".to_owned();
            let message = ended.unwrap_or_else(open);
            raise(py, Error::new(ErrorKind::InvalidRequest, message))
        };
        result.map(|result| Generation::made(result, self.origin.clone())).ok_or_else(unread)
    }
}

/// One reader's turn. If it stops waiting without a result, the request goes, unless the next reader may go on.
struct Turn {
    reading: Arc<Reading>,
    number: u64,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.reading.state();
        if state.turns != self.number || !std::mem::take(&mut state.is_awaited) {
            return;
        }
        if self.reading.is_resumable || !matches!(state.source, Source::Reading(_)) {
            return;
        }
        let source = std::mem::replace(&mut state.source, Source::Closed);
        let span = state.span.take();
        drop(state);
        drop((source, span));
    }
}

/// The work of a call with `on_event`: every event is shown in the caller's thread, then the result is given.
pub(crate) fn follow(origin: Origin, options: Options) -> Work {
    go_on(Reading::new(origin, options, None, false))
        .unwrap_or_else(|error| Work::new(async move { failed(error) }))
}

fn go_on(reading: Arc<Reading>) -> PyResult<Work> {
    let after = reading.clone();
    let show = move |py: Python<'_>| {
        while after.show(py)?.is_some() {}
        let result = after.state().result.is_some();
        if result {
            return Ok(Next::Done(Py::new(py, after.generation(py)?)?.into_any()));
        }
        go_on(after).map(Next::More)
    };
    let work = reading.read(show)?;
    work.ok_or_else(|| PyRuntimeError::new_err("the stream ended without a result"))
}

/// The work of reading on until there is an event or the end, which `end` makes.
pub(crate) fn one(reading: Arc<Reading>, end: fn(Python<'_>) -> PyResult<Next>) -> PyResult<Option<Work>> {
    let after = reading.clone();
    reading.read(move |py| match after.show(py)? {
        Some(event) => Ok(Next::Done(event)),
        None => end(py),
    })
}

/// The work of reading what is left.
pub(crate) fn rest(reading: Arc<Reading>) -> PyResult<Work> {
    let after = reading.clone();
    let then = move |py: Python<'_>| {
        while after.show(py)?.is_some() {}
        let is_open = !matches!(after.state().source, Source::Closed);
        if is_open {
            return rest(after.clone()).map(Next::More);
        }
        Ok(Next::Done(Py::new(py, after.generation(py)?)?.into_any()))
    };
    match reading.read(then)? {
        Some(work) => Ok(work),
        None => {
            let done: Step = Box::new(move |py| {
                while reading.show(py)?.is_some() {}
                Ok(Next::Done(Py::new(py, reading.generation(py)?)?.into_any()))
            });
            Ok(Work::new(async move { done }))
        }
    }
}
