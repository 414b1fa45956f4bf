//! One request of a batch, answered.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::result::generation::Generation;

/// One request of a batch, answered.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct BatchItem {
    pub(super) index: usize,
    pub(super) request: Py<PyAny>,
    pub(super) generation: Option<Py<Generation>>,
    pub(super) error: Option<Py<PyAny>>,
    pub(super) resumed: bool,
}

/// What a pickle makes an item from.
type Fields = (usize, Py<PyAny>, Option<Py<Generation>>, Option<Py<PyAny>>, bool);

#[pymethods]
impl BatchItem {
    #[new]
    #[pyo3(signature = (index, request, generation=None, error=None, resumed=false))]
    fn new(
        index: usize,
        request: Py<PyAny>,
        generation: Option<Py<Generation>>,
        error: Option<Py<PyAny>>,
        resumed: bool,
    ) -> Self {
        BatchItem { index, request, generation, error, resumed }
    }

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

    /// Whether an earlier run answered it: it comes from the journal, and nothing was sent for it now.
    #[getter]
    fn resumed(&self) -> bool {
        self.resumed
    }

    /// The item as a dict: the result in its schema, of an error its kind and message.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let error = self.error.as_ref().map(|error| {
            let error = error.bind(py);
            let told = PyDict::new(py);
            told.set_item("kind", error.getattr("kind")?)?;
            told.set_item("message", error.str()?)?;
            Ok::<_, PyErr>(told)
        });
        let item = PyDict::new(py);
        item.set_item("index", self.index)?;
        item.set_item("request", &self.request)?;
        item.set_item(
            "generation",
            self.generation.as_ref().map(|made| made.get().to_dict(py)).transpose()?,
        )?;
        item.set_item("error", error.transpose()?)?;
        item.set_item("resumed", self.resumed)?;
        Ok(item)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, Fields) {
        let (py, item) = (slf.py(), slf.get());
        let request = item.request.clone_ref(py);
        (slf.get_type(), (item.index, request, item.generation(py), item.error(py), item.resumed))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: Py<PyAny>) -> Py<Self> {
        slf
    }

    fn __eq__(&self, other: &Self, py: Python<'_>) -> PyResult<bool> {
        let generations = match (&self.generation, &other.generation) {
            (Some(one), Some(two)) => one.get().__eq__(two.get()),
            (one, two) => one.is_none() && two.is_none(),
        };
        Ok(generations
            && (self.index, self.resumed) == (other.index, other.resumed)
            && self.request.bind(py).eq(&other.request)?
            && told(py, self.error.as_ref())?.eq(told(py, other.error.as_ref())?)?)
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

/// What an exception says: two that say the same are equal here, for Python compares them by identity.
fn told<'py>(py: Python<'py>, error: Option<&Py<PyAny>>) -> PyResult<Bound<'py, PyAny>> {
    let Some(error) = error.map(|error| error.bind(py)) else { return Ok(py.None().into_bound(py)) };
    (error.get_type(), error.getattr("args")?, error.getattr("__dict__")?).into_bound_py_any(py)
}
