//! Reading a stream of events: when the reader asks, and what has arrived meanwhile in one go.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claude_code_aws::request::GenerateRequest;
use claude_code_aws::{Error, ErrorKind, Event, GenerationStream, Result};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::sync::watch;

use crate::client::check::Raised;
use crate::client::next_batch::{ended, next_batch, until_closed};
use crate::convert::error::raise;
use crate::convert::options::Options;
use crate::notebook::tally;
use crate::notebook::telemetry::{Span, Trace, Watch};
use crate::result::event;
use crate::result::generation::{Generation, Origin};
use crate::runtime::call::{Next, Step, Work, failed};
use crate::runtime::{Held, forked};

/// A stream on this side.
pub(crate) struct Reading {
    pub(crate) origin: Origin,
    /// True from the close on: whoever begins to read later sees it too.
    closed: watch::Sender<bool>,
    raised: Option<Raised>,
    trace: Option<Arc<Trace>>,
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
    /// Handed out when the queue is empty.
    end: Option<Box<Result<GenerationStream>>>,
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

impl Source {
    /// Whether it is what a forked child has of its parent's.
    fn is_of_parent(&self) -> bool {
        match self {
            Source::Open(stream) => stream.is_of_parent(),
            Source::Reading(pending) => pending.is_of_parent(),
            Source::Unopened(_) | Source::Closed => false,
        }
    }
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
    /// The end, where it was reached: a result that is not handed out yet, or what went wrong before.
    pub(crate) end: Option<Box<Result<GenerationStream>>>,
}

impl Reading {
    /// A stream on this side; `is_resumable`: only closing or dropping it ends the request.
    pub(crate) fn new(
        origin: Origin,
        options: Options,
        watch: Option<Watch>,
        is_resumable: bool,
    ) -> Arc<Self> {
        let Options { request, on_event, raised, trace, .. } = options;
        let state = State {
            source: Source::Unopened(Box::new(request)),
            turns: 0,
            is_awaited: false,
            ended: None,
            queue: VecDeque::new(),
            end: None,
            result: None,
            watch,
            span: None,
        };
        Arc::new(Reading {
            origin,
            closed: watch::Sender::new(false),
            raised,
            trace,
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
        let end = state.end.take();
        state.ended.get_or_insert_with(|| {
            "the stream was closed before its end: what was generated until then is paid for; ask again"
                .to_owned()
        });
        let span = state.span.take();
        drop(state);
        drop((source, end, span));
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
        if state.source.is_of_parent() {
            return Err(Python::attach(|py| raise(py, forked("the stream"))));
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
        let trace = self.trace.clone();
        let done = async move {
            let next = next_batch(&origin, trace.as_deref(), source);
            let batch = Box::pin(until_closed(closed, next)).await;
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
            // Taken where the reader is: one that stops waiting at this moment leaves it to the next.
            let step: Step = Box::new(move |py| {
                let batch = arrived.lock().unwrap_or_else(PoisonError::into_inner).take();
                self.put(batch.unwrap_or_else(Batch::none));
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

    fn put(&self, batch: Batch) {
        let mut state = self.state();
        state.is_awaited = false;
        if matches!(state.source, Source::Closed) {
            return;
        }
        let Batch { source, events, end } = batch;
        state.queue.extend(events);
        state.source = source;
        state.end = end;
        let is_over = state.end.is_none() && matches!(state.source, Source::Closed);
        let span = if is_over { state.span.take() } else { None };
        drop(state);
        drop(span);
    }

    /// The event at hand, or the end when there is none.
    pub(crate) fn show(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.take(py)? {
            Some(event) => Ok(Some(event)),
            None => self.hand_out(py),
        }
    }

    /// The end as the caller takes it, behind all that was shown: only now is he charged.
    fn hand_out(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let mut state = self.state();
        let Some(end) = state.end.take() else { return Ok(None) };
        let span = state.span.take();
        let result = (*end).and_then(|mut stream| handed_out(&mut stream, self.trace.as_deref()));
        match &result {
            Ok(result) => state.result = Some(result.clone()),
            Err(error) => {
                let kind = error.kind();
                state.ended =
                    Some(format!("the stream ended with an error and has no result ({kind}): {error}"));
            }
        }
        drop(state);
        let result = result.inspect(|made| tally::count(made)).inspect_err(tally::failed);
        match (span, &result) {
            (Some(span), Ok(result)) => {
                if let Ok(value) = Bound::new(py, Generation::made(result.clone(), self.origin.clone())) {
                    span.finish(py, &value);
                }
            }
            (Some(span), Err(error)) => span.fail(py, error),
            (None, _) => {}
        }
        let result = result.map_err(|error| raise(py, error))?;
        self.give(py, Event::Finished(result)).map(Some)
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

/// The result of a stream that was read to its end, as its caller takes it: from then on he is charged.
pub(crate) fn handed_out(
    stream: &mut GenerationStream,
    trace: Option<&Trace>,
) -> Result<Arc<claude_code_aws::Generation>> {
    let result = stream.deliver().unwrap_or_else(|| Err(ended()));
    if let Some(trace) = trace {
        trace.keep(stream);
    }
    result
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
