//! Streams of events, for `for` and for `async for`.

use std::sync::Arc;

use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::{Awaitable, Next, awaitable, ready, wait};
use crate::event;
use crate::generation::{Generation, Origin};
use crate::options::Options;
use crate::reading::{Reading, one, rest};
use crate::telemetry;

/// The events of one request, in a `for` loop. A context manager: leaving it closes the request.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct Stream(Arc<Reading>);

impl Stream {
    pub(crate) fn new(py: Python<'_>, origin: Origin, options: Options) -> Self {
        let Options { request, raised, .. } = options;
        let watch = telemetry::watch(py, &request, origin.client.provider());
        Stream(Reading::new(origin, request, raised, watch))
    }
}

#[pymethods]
impl Stream {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if let Some(event) = self.0.take() {
            return event::to_python(py, event, &self.0.origin).map(Some);
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
    pub(crate) fn new(py: Python<'_>, origin: Origin, options: Options) -> Self {
        let Options { request, raised, .. } = options;
        let watch = telemetry::watch(py, &request, origin.client.provider());
        AsyncStream(Reading::new(origin, request, raised, watch))
    }
}

#[pymethods]
impl AsyncStream {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(&self, py: Python<'_>) -> PyResult<Awaitable> {
        if let Some(event) = self.0.take() {
            return Ok(ready("__anext__", event::to_python(py, event, &self.0.origin)?));
        }
        match one(self.0.clone(), |_| Err(PyStopAsyncIteration::new_err(())))? {
            Some(work) => Ok(awaitable("__anext__", work)),
            None => match self.0.show(py)? {
                Some(event) => Ok(ready("__anext__", event)),
                None => Err(PyStopAsyncIteration::new_err(())),
            },
        }
    }

    /// Reads to the end and gives the result.
    fn collect(&self) -> PyResult<Awaitable> {
        Ok(awaitable("collect", rest(self.0.clone())?))
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
