//! Batch: many requests with bounded concurrency, each yielded as it finishes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claude_code_aws::files::batch_journal::Entry;
use claude_code_aws::request::GenerateRequest;
use claude_code_aws::{Client, Error, PicoUsd, Result};
use futures_util::StreamExt;
use pyo3::exceptions::{PyStopAsyncIteration, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::client::batch_item::BatchItem;
use crate::client::batch_plan::BatchPlan;
use crate::convert::error::raise;
use crate::convert::options::{Options, callable};
use crate::notebook::table::table;
use crate::notebook::tally;
use crate::notebook::telemetry::{self, Watch};
use crate::result::generation::{Generation, Origin};
use crate::runtime;
use crate::runtime::call::{Awaitable, Next, Step, Work, awaitable, ready, wait};
use crate::runtime::{Held, forked};

/// What both faces share.
pub(crate) struct Batching {
    origin: Origin,
    given: Vec<Py<PyAny>>,
    concurrency: usize,
    progress: Option<Py<PyAny>>,
    plan: BatchPlan,
    /// Requests that nobody has begun yet.
    requests: Mutex<Option<Vec<GenerateRequest>>>,
    items: AsyncMutex<Option<Held<Receiver<Entry>>>>,
    /// Received and not handed over yet: a waiter that goes away takes none along.
    landed: Mutex<VecDeque<Entry>>,
    /// True once it is closed; gone with the batch.
    closed: watch::Sender<bool>,
    /// What was handed over.
    handed: Mutex<Handed>,
    /// What is noted of each request once it is handed over, and the context in which the batch was begun.
    watches: Mutex<Vec<Option<Watch>>>,
    context: Option<Py<PyAny>>,
}

impl Batching {
    /// The requests, all read now: a text, or a dict of `prompt` and the options of Client.generate.
    pub(crate) fn new(
        origin: Origin,
        requests: &Bound<'_, PyAny>,
        concurrency: i64,
        plan: BatchPlan,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Arc<Self>> {
        if requests.is_instance_of::<PyString>() || requests.is_instance_of::<PyDict>() {
            return Err(PyTypeError::new_err(
                "batch takes a list of requests, got one: put it in brackets, or use generate()",
            ));
        }
        let given: Vec<Bound<'_, PyAny>> = requests.try_iter()?.collect::<PyResult<_>>()?;
        let at_a_time = usize::try_from(concurrency).ok().filter(|count| *count > 0).ok_or_else(|| {
            let message = format!("concurrency {concurrency} is not a number from 1 on");
            raise(requests.py(), Error::invalid(message))
        })?;
        let read = given.iter().enumerate().map(|(index, one)| request(index, one));
        let mut read = read.collect::<PyResult<Vec<_>>>()?;
        let py = requests.py();
        let watches = read.iter().map(|request| telemetry::watch(py, request, &origin.client)).collect();
        let (context, span) = telemetry::current(py).unzip();
        if let Some(span) = span.flatten() {
            read.iter_mut().for_each(|request| request.trace = Some(span.clone()));
        }
        Ok(Arc::new(Batching {
            origin,
            concurrency: at_a_time.min(given.len().max(1)),
            given: given.into_iter().map(Bound::unbind).collect(),
            progress: progress.map(|given| callable("progress", given)).transpose()?,
            plan,
            requests: Mutex::new(Some(read)),
            items: AsyncMutex::new(None),
            landed: Mutex::default(),
            closed: watch::Sender::new(false),
            handed: Mutex::default(),
            watches: Mutex::new(watches),
            context,
        }))
    }

    fn handed(&self) -> MutexGuard<'_, Handed> {
        self.handed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn landed(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.landed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work of the next item; `end` makes what comes after the last.
    fn next(self: Arc<Self>, end: fn(Python<'_>) -> PyResult<Next>) -> Work {
        Work::new(async move {
            let mut closed = self.closed.subscribe();
            let landed = tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed) => Ok(false),
                landed = self.receive() => landed,
            };
            let step: Step = Box::new(move |py| match landed {
                Ok(true) => match self.hand(py)? {
                    Some(item) => Ok(Next::Done(item.into_any())),
                    // Another waiter was faster.
                    None => Ok(Next::More(self.next(end))),
                },
                Ok(false) => end(py),
                Err(error) => Err(raise(py, error)),
            });
            step
        })
    }

    /// Waits until an item is there; false: there is none any more.
    async fn receive(&self) -> Result<bool> {
        let mut items = self.items.lock().await;
        if !self.landed().is_empty() {
            return Ok(true);
        }
        if items.is_none() {
            let client = self.origin.client.core().await?;
            *items = self.begin(&client).await?.map(Held::new);
        }
        let Some(items) = items.as_mut() else { return Ok(false) };
        if items.is_of_parent() {
            return Err(forked("the batch"));
        }
        let Some(items) = items.get_mut() else { return Ok(false) };
        let item = items.recv().await;
        let is_item = item.is_some();
        self.landed().extend(item);
        Ok(is_item)
    }

    /// Answers go on while the caller works on an item; as many as run at a time may wait for it. Only with the
    /// connection made the requests are taken: a first step that was cancelled or failed leaves them for the next.
    async fn begin(&self, client: &Client) -> Result<Option<Receiver<Entry>>> {
        let opened = self.plan.open(&self.origin.client, self.concurrency).await?;
        let fresh = self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(requests) = fresh else { return Ok(None) };
        let mut batch = opened.start(client, requests).await?;
        let (out, items) = channel(self.concurrency);
        let mut closed = self.closed.subscribe();
        tokio::spawn(runtime::attended(async move {
            let answer = async {
                while let Some(item) = batch.next().await {
                    if out.send(item).await.is_err() {
                        return;
                    }
                }
            };
            tokio::select! {
                () = answer => {}
                // Closed, or dropped with all that is under way.
                _ = closed.wait_for(|closed| *closed) => {}
            }
        }));
        Ok(Some(items))
    }

    /// Hands the first item over that has landed. One at which `progress` raises stays for the next step.
    fn hand(&self, py: Python<'_>) -> PyResult<Option<Py<BatchItem>>> {
        let Some(entry) = self.landed().pop_front() else { return Ok(None) };
        let done = self.handed().done + 1;
        if let Some(progress) = &self.progress
            && let Err(error) = progress.call1(py, (done, self.given.len()))
        {
            self.landed().push_front(entry);
            return Err(error);
        }
        let Entry { item: claude_code_aws::BatchItem { index, result }, resumed } = entry;
        self.handed().count(&result, resumed);
        if !resumed {
            let _ =
                result.as_ref().inspect(|made| tally::count(made)).inspect_err(|error| tally::failed(error));
        }
        let (generation, error) = match result {
            Ok(made) => (Some(Py::new(py, Generation::made(Arc::new(made), self.origin.clone()))?), None),
            Err(error) => (None, Some(raise(py, error).into_value(py).into_any())),
        };
        if !resumed {
            self.note(py, index, generation.as_ref(), error.as_ref());
        }
        let request = self.given.get(index).map_or_else(|| py.None(), |given| given.clone_ref(py));
        Py::new(py, BatchItem { index, request, generation, error, resumed }).map(Some)
    }

    /// The span of a request that was answered: its start is known from its result.
    fn note(
        &self,
        py: Python<'_>,
        index: usize,
        generation: Option<&Py<Generation>>,
        error: Option<&Py<PyAny>>,
    ) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = watches.get_mut(index).and_then(Option::take);
        drop(watches);
        let (Some(watch), Some(context)) = (watch, &self.context) else { return };
        let began = generation.map(|made| made.get().value.generated_at.0);
        let Some(span) = watch.within(context.clone_ref(py), began).begin(py) else { return };
        match (generation, error) {
            (Some(made), _) => span.finish(py, made.bind(py)),
            (None, Some(error)) => span.end(py, Err(&PyErr::from_value(error.bind(py).clone()))),
            (None, None) => {}
        }
    }

    fn close(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.landed().clear();
        self.closed.send_replace(true);
    }
}

fn request(index: usize, given: &Bound<'_, PyAny>) -> PyResult<GenerateRequest> {
    let wrong =
        || PyTypeError::new_err(format!("request {index} is neither a text nor a dict with a prompt"));
    if let Ok(prompt) = given.cast::<PyString>() {
        return Ok(GenerateRequest::new(prompt.extract::<String>()?));
    }
    let options = given.cast::<PyDict>().map_err(|_| wrong())?.copy()?;
    let prompt: String = options.get_item("prompt")?.ok_or_else(wrong)?.extract()?;
    options.del_item("prompt")?;
    for option in ["on_event", "check"] {
        if options.contains(option)? {
            return Err(PyTypeError::new_err(format!("request {index}: {option} is not for batches")));
        }
    }
    Ok(Options::read(GenerateRequest::new(prompt), Some(&options))?.request)
}

/// Items that were handed over, and their cost as far as it is known.
#[derive(Clone, Copy, Default)]
struct Handed {
    done: usize,
    failed: usize,
    resumed: usize,
    spent: PicoUsd,
}

impl Handed {
    fn count(&mut self, result: &Result<claude_code_aws::Generation>, resumed: bool) {
        self.done += 1;
        self.failed += usize::from(result.is_err());
        self.resumed += usize::from(resumed);
        let receipt = match result {
            Ok(made) => Some(&made.receipt),
            Err(error) => error.receipt(),
        };
        if let Some(receipt) = receipt.filter(|_| !resumed) {
            self.spent = self.spent.saturating_add(receipt.total().known());
        }
    }
}

/// How far a batch is, in one line and as a table.
fn line(name: &str, batch: &Batching) -> String {
    let Handed { done, failed, resumed, spent } = *batch.handed();
    let all = batch.given.len();
    format!(
        "<{name}, {done} of {all} requests done, {failed} failed, {resumed} from the journal, ${spent} spent>"
    )
}

fn figures(batch: &Batching) -> String {
    let Handed { done, failed, resumed, spent } = *batch.handed();
    let row = [batch.given.len(), done, failed, resumed].map(|figure| figure.to_string());
    let [requests, done, failed, resumed] = row;
    let head = ["#requests", "#done", "#failed", "#from the journal", "#spent"];
    table("batch: items come in a for loop", head, &[[requests, done, failed, resumed, format!("${spent}")]])
}

/// The answers of many requests, in a `for` loop, each as it finishes. A context manager: leaving it closes what is
/// under way.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct Batch(pub(crate) Arc<Batching>);

#[pymethods]
impl Batch {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let item = wait(py, self.0.clone().next(|py| Ok(Next::Done(py.None()))))?;
        Ok((!item.is_none(py)).then_some(item))
    }

    fn __repr__(&self) -> String {
        line("Batch", &self.0)
    }

    fn _repr_html_(&self) -> String {
        figures(&self.0)
    }

    /// How many requests there are.
    fn __len__(&self) -> usize {
        self.0.given.len()
    }

    /// Closes what is under way. What was generated until then is paid for; nothing more is.
    fn close(&self) {
        self.0.close();
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exc))]
    fn __exit__(&self, _exc: &Bound<'_, PyTuple>) {
        self.0.close();
    }
}

/// As Batch, in an `async for` loop.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct AsyncBatch(pub(crate) Arc<Batching>);

#[pymethods]
impl AsyncBatch {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(&self) -> Awaitable {
        awaitable("__anext__", self.0.clone().next(|_| Err(PyStopAsyncIteration::new_err(()))))
    }

    fn __repr__(&self) -> String {
        line("AsyncBatch", &self.0)
    }

    fn _repr_html_(&self) -> String {
        figures(&self.0)
    }

    /// How many requests there are.
    fn __len__(&self) -> usize {
        self.0.given.len()
    }

    /// Closes what is under way. What was generated until then is paid for; nothing more is.
    fn close(&self) {
        self.0.close();
    }

    fn __aenter__(slf: Py<Self>) -> Awaitable {
        ready("__aenter__", slf.into_any())
    }

    #[pyo3(signature = (*_exc))]
    fn __aexit__(&self, py: Python<'_>, _exc: &Bound<'_, PyTuple>) -> Awaitable {
        self.0.close();
        ready("__aexit__", py.None())
    }
}
