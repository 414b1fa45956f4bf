//! What a pickle makes a client from: the arguments of its constructor, never what they were resolved to. Credentials,
//! connections and local state are found anew where it is unpickled.

use claude_code_aws::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

/// A constructor and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    is_local: bool,
    texts: Vec<(&'static str, Option<String>)>,
    timeout: Option<f64>,
    /// Answers that live in this process only.
    in_process: bool,
}

impl Recipe {
    /// `Client(…)` with these arguments.
    pub(crate) fn of(texts: [(&'static str, Option<String>); 5], timeout: Option<f64>) -> Self {
        Recipe { is_local: false, texts: texts.to_vec(), timeout, in_process: false }
    }

    /// `Client.local(…)` with these arguments; answers that are neither a word, a path nor a URL are this process's own.
    pub(crate) fn local(
        dir: Option<String>,
        answers: Option<&Bound<'_, PyAny>>,
        answers_model: Option<String>,
    ) -> Self {
        let named = answers.map(|answers| answers.str().ok().filter(|_| is_name(answers)));
        let text = named.clone().flatten().map(|text| text.to_string());
        Recipe {
            is_local: true,
            texts: vec![("dir", dir), ("answers", text), ("answers_model", answers_model)],
            timeout: None,
            in_process: named.is_some_and(|named| named.is_none()),
        }
    }

    /// A client of this process's own, such as a test's twin.
    pub(crate) fn in_process() -> Self {
        Recipe { is_local: true, texts: Vec::new(), timeout: None, in_process: true }
    }

    /// What `__reduce__` gives: a function and its arguments.
    pub(crate) fn reduced<'py>(&self, class: Bound<'py, PyType>) -> PyResult<Reduced<'py>> {
        let py = class.py();
        let options = PyDict::new(py);
        for (name, text) in &self.texts {
            if let Some(text) = text {
                options.set_item(name, text)?;
            }
        }
        if let Some(timeout) = self.timeout {
            options.set_item("timeout", timeout)?;
        }
        let rebuild = py.import("claude_code._rebuild")?.getattr("rebuild")?;
        Ok((rebuild, (class, self.is_local, options)))
    }

    /// Fails where the client cannot be made anew elsewhere.
    pub(crate) fn checked(self) -> Result<Self> {
        match self.in_process {
            false => Ok(self),
            true => Err(Error::invalid(
                "a client whose answers are in this process cannot be pickled: give answers as a path or a URL, which \
                 other processes can read too",
            )),
        }
    }
}

/// A function and its arguments.
pub(crate) type Reduced<'py> = (Bound<'py, PyAny>, (Bound<'py, PyType>, bool, Bound<'py, PyDict>));

/// Whether answers are named: a word, a path or a URL.
fn is_name(answers: &Bound<'_, PyAny>) -> bool {
    answers.extract::<std::path::PathBuf>().is_ok()
}
