//! The caller's own acceptance test: a Python function, run beside the background thread.

use std::sync::{Arc, Mutex, PoisonError};

use claude_code_aws::{Check, CodeFile as File, Diagnostic as Found, Severity};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyDict, PyString, PyTuple};
use tokio::sync::{Notify, oneshot};

use crate::result::generation::mapping;
use crate::result::values::Diagnostic;

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
    function: Py<PyAny>,
    raised: Raised,
}

impl Own {
    /// The check, and where to listen for what it raises. Fails on what cannot be called.
    pub(crate) fn of(function: &Bound<'_, PyAny>) -> PyResult<(Arc<dyn Check>, Raised)> {
        if !function.is_callable() {
            return Err(PyTypeError::new_err("check is a function of the files"));
        }
        let raised = Raised::default();
        let own = Own { function: function.clone().unbind(), raised: raised.clone() };
        Ok((Arc::new(own), raised))
    }
}

#[async_trait::async_trait]
impl Check for Own {
    async fn check(&self, files: &[File]) -> Vec<Found> {
        let (tell, told) = oneshot::channel();
        match Python::try_attach(|py| self.begin(py, files, tell)) {
            Some(Ok(())) => {}
            Some(Err(error)) => self.raised.put(error),
            // The interpreter is going: so is the call.
            None => return std::future::pending().await,
        }
        match told.await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                self.raised.put(error);
                std::future::pending().await
            }
            Err(_) => std::future::pending().await,
        }
    }
}

type Told = PyResult<Vec<Found>>;

impl Own {
    /// Calls the function in a thread of its own: a test may take its time, and may make calls of its own. The thread is
    /// Python's from top to bottom (`claude_code._check`): the interpreter, when it goes, ends daemon threads where they
    /// stand, and with frames of ours below them that is a crash.
    fn begin(&self, py: Python<'_>, files: &[File], tell: oneshot::Sender<Told>) -> PyResult<()> {
        static START: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        // A finding without a place belongs to the only file there is.
        let only = if let [only] = files { only.path.clone() } else { None };
        let tell = Mutex::new(Some(tell));
        let done = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
            let (found, error): (Bound<'_, PyAny>, Bound<'_, PyAny>) = args.extract()?;
            let told = match error.is_none() {
                true => read(&found, only.as_deref()),
                false => Err(PyErr::from_value(error)),
            };
            if let Some(tell) = tell.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let _ = tell.send(told);
            }
            Ok::<_, PyErr>(())
        };
        let done = PyCFunction::new_closure(py, None, None, done)?;
        START.import(py, "claude_code._check", "start")?.call1((
            &self.function,
            mapping(py, files)?,
            done,
        ))?;
        Ok(())
    }
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
