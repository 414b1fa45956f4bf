//! Many requests, some at a time, each answered as it finishes.

use std::sync::{Arc, Mutex, PoisonError};

use claude_code_aws::request::GenerateRequest;
use futures_util::StreamExt;
use pyo3::exceptions::{PyStopAsyncIteration, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::call::{Awaitable, Next, Step, Work, awaitable, ready, wait};
use crate::error::raise;
use crate::generation::{Generation, Origin};
use crate::options::Options;
use crate::tally;

/// One request of a batch, answered.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct BatchItem {
    index: usize,
    request: Py<PyAny>,
    generation: Option<Py<Generation>>,
    error: Option<Py<PyAny>>,
}

#[pymethods]
impl BatchItem {
    /// Its place among the requests, from 0.
    #[getter]
    fn index(&self) -> usize {
        self.index
    }

    /// The request as it was given.
    #[getter]
    fn request(&self, py: Python<'_>) -> Py<PyAny> {
        self.request.clone_ref(py)
    }

    /// The result; None: it failed.
    #[getter]
    fn generation(&self, py: Python<'_>) -> Option<Py<Generation>> {
        self.generation.as_ref().map(|generation| generation.clone_ref(py))
    }

    /// The ClaudeCodeError of one that failed; None: it did not.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.error.as_ref().map(|error| error.clone_ref(py))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let outcome = match (&self.generation, &self.error) {
            (Some(generation), _) => generation.get().__repr__(),
            (None, Some(error)) => error.bind(py).get_type().name()?.extract()?,
            (None, None) => "no outcome".to_owned(),
        };
        Ok(format!("BatchItem({}, {outcome})", self.index))
    }
}

/// What both faces share.
pub(crate) struct Batching {
    origin: Origin,
    given: Vec<Py<PyAny>>,
    concurrency: usize,
    progress: Option<Py<PyAny>>,
    /// Requests that nobody has begun yet.
    requests: Mutex<Option<Vec<GenerateRequest>>>,
    items: AsyncMutex<Option<Receiver<claude_code_aws::BatchItem>>>,
    /// True once it is closed; gone with the batch.
    closed: watch::Sender<bool>,
    /// Items that were handed over.
    handed: Mutex<usize>,
}

impl Batching {
    /// The requests, all read now: a text, or a dict of `prompt` and the options of Client.generate.
    pub(crate) fn new(
        origin: Origin,
        requests: &Bound<'_, PyAny>,
        concurrency: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Arc<Self>> {
        if concurrency == 0 {
            return Err(PyValueError::new_err("concurrency is at least 1"));
        }
        let given: Vec<Bound<'_, PyAny>> = requests.try_iter()?.collect::<PyResult<_>>()?;
        let read = given.iter().enumerate().map(|(index, one)| request(&origin, index, one));
        let requests = read.collect::<PyResult<Vec<_>>>()?;
        Ok(Arc::new(Batching {
            origin,
            given: given.into_iter().map(Bound::unbind).collect(),
            concurrency,
            progress,
            requests: Mutex::new(Some(requests)),
            items: AsyncMutex::new(None),
            closed: watch::Sender::new(false),
            handed: Mutex::new(0),
        }))
    }

    /// The work of the next item; `end` makes what comes after the last.
    fn next(self: Arc<Self>, end: fn(Python<'_>) -> PyResult<Next>) -> Work {
        Work::new(async move {
            let mut closed = self.closed.subscribe();
            let item = tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed) => Ok(None),
                item = self.receive() => item,
            };
            let step: Step = Box::new(move |py| match item {
                Ok(Some(item)) => Ok(Next::Done(self.hand(py, item)?.into_any())),
                Ok(None) => end(py),
                Err(error) => Err(raise(py, error)),
            });
            step
        })
    }

    async fn receive(&self) -> claude_code_aws::Result<Option<claude_code_aws::BatchItem>> {
        let mut items = self.items.lock().await;
        let fresh = self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(requests) = fresh {
            *items = Some(self.begin(requests).await?);
        }
        match items.as_mut() {
            Some(items) => Ok(items.recv().await),
            None => Ok(None),
        }
    }

    /// Answers go on while the caller works on an item; as many as run at a time may wait for it.
    async fn begin(
        &self,
        requests: Vec<GenerateRequest>,
    ) -> claude_code_aws::Result<Receiver<claude_code_aws::BatchItem>> {
        let client = self.origin.client.core().await?;
        let (out, items) = channel(self.concurrency);
        let mut batch = client.batch(requests, self.concurrency);
        let mut closed = self.closed.subscribe();
        tokio::spawn(async move {
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
        });
        Ok(items)
    }

    fn hand(&self, py: Python<'_>, item: claude_code_aws::BatchItem) -> PyResult<Py<BatchItem>> {
        let claude_code_aws::BatchItem { index, result } = item;
        let (generation, error) = match result {
            Ok(generation) => {
                tally::count(&generation.receipt);
                let made = Generation::made(Arc::new(generation), self.origin.clone());
                (Some(Py::new(py, made)?), None)
            }
            Err(error) => (None, Some(raise(py, error).into_value(py).into_any())),
        };
        let done = {
            let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
            *handed = handed.saturating_add(1);
            *handed
        };
        if let Some(progress) = &self.progress {
            progress.call1(py, (done, self.given.len()))?;
        }
        let request = self.given.get(index).map_or_else(|| py.None(), |given| given.clone_ref(py));
        Py::new(py, BatchItem { index, request, generation, error })
    }

    fn close(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.closed.send_replace(true);
    }
}

fn request(origin: &Origin, index: usize, given: &Bound<'_, PyAny>) -> PyResult<GenerateRequest> {
    let wrong =
        || PyTypeError::new_err(format!("request {index} is neither a text nor a dict with a prompt"));
    if let Ok(prompt) = given.cast::<PyString>() {
        return Ok(origin.client.request(GenerateRequest::new(prompt.extract::<String>()?)));
    }
    let options = given.cast::<PyDict>().map_err(|_| wrong())?.copy()?;
    let prompt: String = options.get_item("prompt")?.ok_or_else(wrong)?.extract()?;
    options.del_item("prompt")?;
    for option in ["on_event", "check"] {
        if options.contains(option)? {
            return Err(PyTypeError::new_err(format!("request {index}: {option} is not for batches")));
        }
    }
    Ok(Options::read(origin.client.request(GenerateRequest::new(prompt)), Some(&options))?.request)
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
