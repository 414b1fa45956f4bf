//! Reading a stream of events: when the reader asks, and what has arrived meanwhile in one go.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claude_code_aws::request::GenerateRequest;
use claude_code_aws::{Error, ErrorKind, Event, GenerationStream, Result};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::client::check::Raised;
use crate::convert::error::raise;
use crate::convert::options::Options;
use crate::notebook::tally;
use crate::notebook::telemetry::{Span, Watch};
use crate::result::event;
use crate::result::generation::{Generation, Origin};
use crate::runtime::Held;
use crate::runtime::call::{Next, Step, Work, failed};

/// What arrives within this after the first event crosses together with it: a screen shows no more.
pub(crate) const WINDOW: Duration = Duration::from_millis(20);

/// A stream on this side.
pub(crate) struct Reading {
    pub(crate) origin: Origin,
    /// True from the close on: whoever begins to read later sees it too.
    closed: watch::Sender<bool>,
    raised: Option<Raised>,
    /// Called with each event as it is given out.
    on_event: Option<Py<PyAny>>,
    state: Mutex<State>,
}

struct State {
    source: Source,
    /// How many readings there were.
    turns: u64,
    /// Arrived, and not yet asked for.
    queue: VecDeque<Event>,
    /// Raised when the queue is empty.
    failure: Option<Error>,
    result: Option<Arc<claude_code_aws::Generation>>,
    /// The span of the request, before it begins and while it is open.
    watch: Option<Watch>,
    span: Option<Span>,
}

enum Source {
    /// Nothing was asked for yet.
    Unopened(Box<GenerateRequest>),
    Open(Held<GenerationStream>),
    /// A reader is waiting.
    Busy,
    Closed,
}

/// What one reading gave.
struct Batch {
    source: Source,
    events: VecDeque<Event>,
    failure: Option<Error>,
}

impl Reading {
    pub(crate) fn new(origin: Origin, options: Options, watch: Option<Watch>) -> Arc<Self> {
        let Options { request, on_event, raised } = options;
        let state = State {
            source: Source::Unopened(Box::new(request)),
            turns: 0,
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
        match std::mem::replace(&mut state.source, Source::Busy) {
            Source::Busy => Err(PyRuntimeError::new_err("the stream is being read elsewhere")),
            Source::Closed => {
                state.source = Source::Closed;
                Ok(None)
            }
            source => {
                state.turns += 1;
                let turn = Turn { reading: self.clone(), number: state.turns };
                let watch = state.watch.take();
                drop(state);
                let work = self.clone().work(source, watch, then);
                Ok(Some(work.unless(self.raised.clone()).with_turn(turn)))
            }
        }
    }

    fn work<F>(self: Arc<Self>, source: Source, watch: Option<Watch>, then: F) -> Work
    where
        F: FnOnce(Python<'_>) -> PyResult<Next> + Send + 'static,
    {
        let reading = self.clone();
        let work = Work::new(async move {
            let batch = Box::pin(self.until_closed(next_batch(&self.origin, source))).await;
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

    async fn until_closed(&self, batch: impl Future<Output = Batch>) -> Batch {
        let mut closed = self.closed.subscribe();
        match select(pin!(closed.wait_for(|closed| *closed)), pin!(batch)).await {
            Either::Left(_) => Batch { source: Source::Closed, events: VecDeque::new(), failure: None },
            Either::Right((batch, _)) => batch,
        }
    }

    fn put(&self, py: Python<'_>, batch: Batch) {
        let mut state = self.state();
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
        let result = self.state().result.clone();
        let unread = || {
            let message = "the stream was not read to its end: read it first, or collect() it";
            raise(py, Error::new(ErrorKind::InvalidRequest, message))
        };
        result.map(|result| Generation::made(result, self.origin.clone())).ok_or_else(unread)
    }
}

/// One reader's turn. If he stops waiting without a result, the request goes: its source is in the dropped future.
struct Turn {
    reading: Arc<Reading>,
    number: u64,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.reading.state();
        if matches!(state.source, Source::Busy) && state.turns == self.number {
            state.source = Source::Closed;
            let span = state.span.take();
            drop(state);
            drop(span);
        }
    }
}

/// Opens the stream if need be, waits for an event, and takes what comes within the window.
async fn next_batch(origin: &Origin, source: Source) -> Batch {
    let mut events = VecDeque::new();
    let opened = match source {
        Source::Unopened(request) => origin.client.core().await.map(|client| client.stream(*request)),
        Source::Open(stream) => stream.into_inner().ok_or_else(ended),
        Source::Busy | Source::Closed => Err(ended()),
    };
    let mut stream = match opened {
        Ok(stream) => Box::new(stream),
        Err(error) => return Batch { source: Source::Closed, events, failure: Some(error) },
    };
    let mut arrived: Option<Result<Event>> = stream.next().await;
    let close = Instant::now() + WINDOW;
    loop {
        match arrived {
            None => return Batch { source: Source::Closed, events, failure: None },
            Some(Err(error)) => return Batch { source: Source::Closed, events, failure: Some(error) },
            Some(Ok(event)) => {
                let is_last = matches!(event, Event::Finished(_));
                join(&mut events, event);
                if is_last {
                    return Batch { source: Source::Closed, events, failure: None };
                }
            }
        }
        match timeout_at(close, stream.next()).await {
            Ok(next) if Instant::now() < close => arrived = next,
            Ok(Some(Ok(event))) if !matches!(event, Event::Finished(_)) => {
                join(&mut events, event);
                return Batch { source: Source::Open(Held::new(*stream)), events, failure: None };
            }
            Ok(next) => arrived = next,
            Err(_) => return Batch { source: Source::Open(Held::new(*stream)), events, failure: None },
        }
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::InvalidRequest, "the stream is at its end")
}

/// Adds an event; text that goes on where the last event stopped becomes part of it.
pub(crate) fn join(events: &mut VecDeque<Event>, event: Event) {
    match (events.back_mut(), &event) {
        (Some(Event::Text(text)), Event::Text(more)) => text.push_str(more),
        (
            Some(Event::FileChunk { index: a, revision: r, text, .. }),
            Event::FileChunk { index: b, revision: s, text: more, .. },
        ) if a == b && r == s => text.push_str(more),
        _ => events.push_back(event),
    }
}

/// The work of a call with `on_event`: every event is shown in the caller's thread, then the result is given.
pub(crate) fn follow(origin: Origin, options: Options) -> Work {
    go_on(Reading::new(origin, options, None)).unwrap_or_else(|error| Work::new(async move { failed(error) }))
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
