//! The caller's own acceptance test: a Python function, run beside the background thread.

use std::sync::{Arc, Mutex, PoisonError};

use claude_code_aws::{Check, CodeFile as File, Diagnostic as Found, Severity};
use pyo3::exceptions::{PyAssertionError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use tokio::sync::Notify;

use crate::generation::mapping;
use crate::values::Diagnostic;

/// What a check raised. It ends the call.
#[derive(Clone, Default)]
pub(crate) struct Raised(Arc<(Mutex<Option<PyErr>>, Notify)>);

impl Raised {
    fn put(&self, error: PyErr) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.0.1.notify_one();
    }

    /// Waits for an exception, for ever if there is none.
    pub(crate) async fn heard(&self) -> PyErr {
        loop {
            self.0.1.notified().await;
            if let Some(error) = self.0.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return error;
            }
        }
    }
}

/// A function of the files, and where its exception goes.
pub(crate) struct Own {
    function: Arc<Py<PyAny>>,
    raised: Raised,
}

impl Own {
    /// The check, and where to listen for what it raises. Fails on what cannot be called.
    pub(crate) fn of(function: &Bound<'_, PyAny>) -> PyResult<(Arc<dyn Check>, Raised)> {
        if !function.is_callable() {
            return Err(PyTypeError::new_err("check is a function of the files"));
        }
        let raised = Raised::default();
        let own = Own { function: Arc::new(function.clone().unbind()), raised: raised.clone() };
        Ok((Arc::new(own), raised))
    }
}

#[async_trait::async_trait]
impl Check for Own {
    async fn check(&self, files: &[File]) -> Vec<Found> {
        let (function, files) = (self.function.clone(), files.to_vec());
        // A test may take its time, and may make calls of its own: neither may hold up the background thread.
        let asked = move || Python::try_attach(|py| ask(py, &function, &files));
        match tokio::task::spawn_blocking(asked).await {
            Ok(Some(Ok(found))) => return found,
            Ok(Some(Err(error))) => self.raised.put(error),
            // The interpreter is going: so is the call.
            Ok(None) | Err(_) => {}
        }
        std::future::pending().await
    }
}

fn ask(py: Python<'_>, function: &Py<PyAny>, files: &[File]) -> PyResult<Vec<Found>> {
    // A finding without a place belongs to the only file there is.
    let only = if let [only] = files { only.path.as_deref() } else { None };
    match function.bind(py).call1((mapping(py, files)?,)) {
        Ok(found) => read(&found, only),
        Err(error) if error.is_instance_of::<PyAssertionError>(py) => {
            Ok(vec![finding(only, asserted(py, &error)?)])
        }
        Err(error) => Err(error),
    }
}

/// The words of an assertion, or its line where it has none.
fn asserted(py: Python<'_>, error: &PyErr) -> PyResult<String> {
    let words = error.value(py).str()?.extract::<String>()?;
    if !words.is_empty() {
        return Ok(words);
    }
    let frames = py.import("traceback")?.call_method1("extract_tb", (error.traceback(py),))?;
    let line: Option<String> = frames.get_item(-1)?.getattr("line")?.extract()?;
    Ok(line.filter(|line| !line.is_empty()).unwrap_or_else(|| "an assertion does not hold".to_owned()))
}

fn finding(path: Option<&str>, message: String) -> Found {
    Found { path: path.map(str::to_owned), line: 0, column: 0, severity: Severity::Error, message }
}

/// None or True: nothing. False, a text, a Diagnostic, or several of these: findings.
fn read(found: &Bound<'_, PyAny>, only: Option<&str>) -> PyResult<Vec<Found>> {
    if found.is_none() {
        return Ok(Vec::new());
    }
    if let Ok(holds) = found.extract::<bool>() {
        let refused = || finding(only, "the caller's own check refused the files".to_owned());
        return Ok(if holds { Vec::new() } else { vec![refused()] });
    }
    if let Some(one) = single(found, only)? {
        return Ok(vec![one]);
    }
    let several = found.try_iter().map_err(|_| unreadable())?;
    several.map(|item| single(&item?, only)?.ok_or_else(unreadable)).collect()
}

fn single(found: &Bound<'_, PyAny>, only: Option<&str>) -> PyResult<Option<Found>> {
    if let Ok(text) = found.cast::<PyString>() {
        return Ok(Some(finding(only, text.extract()?)));
    }
    Ok(found.cast::<Diagnostic>().ok().map(|diagnostic| diagnostic.get().0.clone()))
}

fn unreadable() -> PyErr {
    PyTypeError::new_err(
        "a check gives None, True, False, a text, a Diagnostic, or a list of texts and Diagnostics",
    )
}
