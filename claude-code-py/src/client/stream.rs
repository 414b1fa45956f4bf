//! Streams of events, for `for` and for `async for`.

use std::sync::Arc;

use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::client::reader::{Reading, one, rest};
use crate::convert::options::Options;
use crate::notebook::telemetry::{self, Watch};
use crate::result::generation::{Generation, Origin};
use crate::runtime::call::{Awaitable, Next, awaitable, ready, settled, wait};

/// The events of one request, in a `for` loop. A context manager: leaving it closes the request.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct Stream(Arc<Reading>);

impl Stream {
    pub(crate) fn new(py: Python<'_>, origin: Origin, mut options: Options) -> Self {
        let watch = telemetry::watch(py, &options.request, &origin.client);
        options.trace = watch.as_ref().map(Watch::trace);
        Stream(Reading::new(origin, options, watch, false))
    }
}

#[pymethods]
impl Stream {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if let Some(event) = self.0.take(py)? {
            return Ok(Some(event));
        }
        match one(self.0.clone(), |py| Ok(Next::Done(py.None())))? {
            Some(work) => wait(py, work).map(|event| (!event.is_none(py)).then_some(event)),
            None => self.0.show(py),
        }
    }

    /// Reads to the end and gives the result.
    fn collect(&self, py: Python<'_>) -> PyResult<Generation> {
        while self.__next__(py)?.is_some() {}
        self.0.generation(py)
    }

    /// The result. InvalidRequestError until the stream was read to its end.
    #[getter]
    fn generation(&self, py: Python<'_>) -> PyResult<Generation> {
        self.0.generation(py)
    }

    /// Closes the request. What was generated until then is paid for; nothing more is.
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

/// The events of one request, in an `async for` loop. A context manager: leaving it closes the request.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct AsyncStream(Arc<Reading>);

impl AsyncStream {
    pub(crate) fn new(py: Python<'_>, origin: Origin, mut options: Options) -> Self {
        let watch = telemetry::watch(py, &options.request, &origin.client);
        options.trace = watch.as_ref().map(Watch::trace);
        AsyncStream(Reading::new(origin, options, watch, true))
    }
}

#[pymethods]
impl AsyncStream {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(&self, py: Python<'_>) -> Awaitable {
        let at_hand = match self.0.take(py) {
            Ok(None) => match one(self.0.clone(), |_| Err(PyStopAsyncIteration::new_err(()))) {
                Ok(Some(work)) => return awaitable("__anext__", work),
                Ok(None) => self.0.show(py),
                Err(error) => Err(error),
            },
            event => event,
        };
        settled("__anext__", at_hand.and_then(|event| event.ok_or_else(|| PyStopAsyncIteration::new_err(()))))
    }

    /// Reads to the end and gives the result.
    fn collect(&self) -> Awaitable {
        match rest(self.0.clone()) {
            Ok(work) => awaitable("collect", work),
            Err(error) => settled("collect", Err(error)),
        }
    }

    /// The result. InvalidRequestError until the stream was read to its end.
    #[getter]
    fn generation(&self, py: Python<'_>) -> PyResult<Generation> {
        self.0.generation(py)
    }

    /// Closes the request. What was generated until then is paid for; nothing more is.
    fn close(&self) {
        self.0.close();
    }

    /// As close, for `contextlib.aclosing`.
    fn aclose(&self, py: Python<'_>) -> Awaitable {
        self.0.close();
        ready("aclose", py.None())
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
