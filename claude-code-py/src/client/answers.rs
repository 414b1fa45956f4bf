//! Answer source of an offline client: the samples, a script, recorded exchanges, or a server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use claude_code_aws::local::{Samples, Scripted, Twin, answers_of, is_url};
use claude_code_aws::{Error, Result};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde_json::{Value, json};

use crate::convert::error::raise;
use crate::convert::json;

/// What `answers=` says.
pub(crate) enum Answers {
    Samples,
    /// A script, or recorded exchanges.
    Played(Twin),
    /// A model server: its URL, and the name of the model that it is asked for.
    Server(String, Option<String>),
}

impl Answers {
    /// What `answers=` and `answers_model=` say together.
    pub(crate) fn with_model(self, py: Python<'_>, model: Option<String>) -> PyResult<Self> {
        match (self, model) {
            (Answers::Server(url, _), model) => Ok(Answers::Server(url, model)),
            (_, Some(model)) => Err(raise(
                py,
                Error::invalid(format!("answers_model {model:?} is for answers that are a server's URL")),
            )),
            (answers, None) => Ok(answers),
        }
    }

    /// `"samples"`, a URL, a path, or a script as Python values: a list of steps, of which a text is an answer, or a
    /// dict as the file has it.
    pub(crate) fn read(given: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(given) = given else { return Ok(Answers::Samples) };
        let answers = if given.is_instance_of::<PyDict>() || given.is_instance_of::<PyList>() {
            scripted(json::from_python(given)?)
        } else {
            named(given)?
        };
        answers.map_err(|error| raise(given.py(), error))
    }
}

fn scripted(script: Value) -> Result<Answers> {
    let script = match script {
        Value::Array(steps) => json!({ "steps": steps.into_iter().map(step).collect::<Vec<_>>() }),
        script => script,
    };
    let script = script.to_string();
    let responder = Arc::new(Scripted::parse(&script, Arc::new(Samples::built_in()))?);
    Ok(Answers::Played(Twin::lazy(Path::new(""), responder).answering_from(script.as_bytes())))
}

fn step(given: Value) -> Value {
    match given {
        Value::String(text) => json!({ "answer": { "text": text } }),
        step => step,
    }
}

fn named(given: &Bound<'_, PyAny>) -> PyResult<Result<Answers>> {
    let text = given.cast::<PyString>().ok().map(|text| text.extract::<String>()).transpose()?;
    if let Some(text) = &text {
        if text == "samples" {
            return Ok(Ok(Answers::Samples));
        }
        if is_url(text) {
            return Ok(Ok(Answers::Server(text.clone(), None)));
        }
    }
    let Ok(path) = given.extract::<PathBuf>() else {
        return Err(PyTypeError::new_err(
            "answers is \"samples\", a path, a URL, or a script as a list or dict",
        ));
    };
    Ok(answers_of(&path).map(Answers::Played).map_err(|error| explained(error, text.as_deref())))
}

/// A word that is no path was meant as something else.
fn explained(error: Error, given: Option<&str>) -> Error {
    match given.filter(|text| !text.contains(['/', '\\', '.'])) {
        Some(word) => Error::invalid(format!("answers {word:?} is neither \"samples\" nor a file or URL")),
        None => error,
    }
}
