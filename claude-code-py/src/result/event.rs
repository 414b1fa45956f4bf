//! Stream events: what callers see while an answer is written.

use claude_code_aws::Event;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use serde::{Deserialize, Serialize};

use crate::convert::json;
use crate::convert::record::{Reduced, record, reduce};
use crate::result::generation::{Generation, Origin};

/// The fields of `file.started`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Started {
    index: usize,
    path: Option<String>,
    language: String,
    revision: u32,
}

record! {
    /// A file begins, or begins again under a higher revision: what was shown of it before no longer counts.
    FileStarted(Started) {
        /// Its place in the answer.
        index: usize = |e| e.index;
        /// Its name, where it has one.
        path: Option<&str> = |e| e.path.as_deref();
        /// Its language, as far as it is known.
        language: &str = |e| e.language.as_str();
        /// Grows when the file is shown anew.
        revision: u32 = |e| e.revision;
    }
}

/// The fields of `file.chunk`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    index: usize,
    path: Option<String>,
    revision: u32,
    text: String,
}

record! {
    /// More of a file.
    FileChunk(Chunk) {
        /// Its place in the answer.
        index: usize = |e| e.index;
        /// Its name, where it has one.
        path: Option<&str> = |e| e.path.as_deref();
        /// As when it started.
        revision: u32 = |e| e.revision;
        /// What follows.
        text: &str = |e| e.text.as_str();
    }
}

/// The fields of `file.finished`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    index: usize,
    path: Option<String>,
    revision: u32,
    complete: bool,
}

record! {
    /// A file's end.
    FileFinished(End) {
        /// Its place in the answer.
        index: usize = |e| e.index;
        /// Its name, where it has one.
        path: Option<&str> = |e| e.path.as_deref();
        /// As when it started.
        revision: u32 = |e| e.revision;
        /// Whether its end was seen.
        complete: bool = |e| e.complete;
    }
}

/// The fields of `text`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Words {
    text: String,
}

record! {
    /// The model's words outside of files.
    Text(Words) {
        /// The words.
        text: &str = |e| e.text.as_str();
    }
}

/// The fields of `notice`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    why: String,
    model: String,
    wait_seconds: f64,
    cause: Option<String>,
    left_seconds: f64,
}

record! {
    /// A send after the first: why, to whom, and how long it waits.
    Notice(Told) {
        /// retry, fallback, resume, repair, escalate, …
        why: &str = |e| e.why.as_str();
        /// The model.
        model: &str = |e| e.model.as_str();
        /// Seconds until it is sent.
        wait_seconds: f64 = |e| e.wait_seconds;
        /// What the attempt before failed with, in one line.
        cause: Option<&str> = |e| e.cause.as_deref();
        /// Seconds until attempts are given up.
        left_seconds: f64 = |e| e.left_seconds;
    }
}

/// The result: always the last event, and the truth about all files.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct Finished(Py<Generation>);

impl Finished {
    pub(crate) fn of(py: Python<'_>, generation: Generation) -> PyResult<Self> {
        Py::new(py, generation).map(Finished)
    }
}

#[pymethods]
impl Finished {
    /// The result.
    #[getter]
    fn generation(&self, py: Python<'_>) -> Py<Generation> {
        self.0.clone_ref(py)
    }

    /// The value as a dict.
    fn to_dict(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("generation", self.0.get().to_dict(py)?)?;
        Ok(dict.unbind())
    }

    /// The value of such a dict. ValueError names a field that is missing or wrong.
    #[classmethod]
    fn from_dict(cls: &Bound<'_, PyType>, value: &Bound<'_, PyDict>) -> PyResult<Self> {
        let generation = value.as_any().get_item("generation")?;
        Finished::of(cls.py(), Generation::from_dict(cls, generation.cast()?)?)
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<Reduced> {
        reduce(py, "Finished", &json::schema(&*self.0.get().value)?)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: Py<PyAny>) -> Py<Self> {
        slf
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0.get().__eq__(other.0.get())
    }

    fn __hash__(&self) -> u64 {
        self.0.get().__hash__()
    }

    fn __repr__(&self) -> String {
        format!("Finished({})", self.0.get().__repr__())
    }
}

/// An event as Python sees it.
pub(crate) fn to_python(py: Python<'_>, event: Event, origin: &Origin) -> PyResult<Py<PyAny>> {
    match event {
        Event::FileStarted { index, path, language, revision } => {
            FileStarted(Started { index, path, language, revision }).into_py_any(py)
        }
        Event::FileChunk { index, path, revision, text } => {
            FileChunk(Chunk { index, path, revision, text }).into_py_any(py)
        }
        Event::FileFinished { index, path, revision, complete } => {
            FileFinished(End { index, path, revision, complete }).into_py_any(py)
        }
        Event::Text(text) => Text(Words { text }).into_py_any(py),
        Event::Notice { why, model, wait_seconds, cause, left_seconds } => {
            Notice(Told { why, model, wait_seconds, cause, left_seconds }).into_py_any(py)
        }
        Event::Finished(generation) => {
            Finished::of(py, Generation::made(generation, origin.clone()))?.into_py_any(py)
        }
        other => Err(PyRuntimeError::new_err(format!("an event without a Python class: {other:?}"))),
    }
}
