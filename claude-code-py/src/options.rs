//! The options of a request: each is listed here and in the signature that all faces show, and nowhere else.

use std::time::Duration;

use claude_code_aws::request::{CacheMode, GenerateRequest, SourceFile};
use claude_code_aws::{Error, Language};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};

use crate::check::{Own, Raised};
use crate::error::raise;
use crate::generation::{CodeFile, Generation};
use crate::money;

/// The options as a signature shows them.
macro_rules! signature {
    () => {
        "language=None, files=None, tier=None, model=None, effort=None, temperature=None, \
         max_tokens=None, max_usd=None, max_sends=None, validate=True, check=None, cache='use', store=True, timeout=None, \
         on_event=None"
    };
}
pub(crate) use signature;

/// A request with what only this side needs.
pub(crate) struct Options {
    pub(crate) request: GenerateRequest,
    pub(crate) on_event: Option<Py<PyAny>>,
    /// What the caller's own check raised.
    pub(crate) raised: Option<Raised>,
}

impl Options {
    /// The request with these options. TypeError for an unknown one; the rest as each option says.
    pub(crate) fn read(request: GenerateRequest, given: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut options = Options { request, on_event: None, raised: None };
        for (name, value) in given.into_iter().flatten() {
            let name: String = name.extract()?;
            options.take(&name, &value).map_err(|error| named(error, &name, &value))?;
        }
        Ok(options)
    }

    fn take(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let request = &mut self.request;
        match name {
            "language" => request.language = value.extract()?,
            "files" => {
                if !value.is_none() {
                    request.files.extend(sources(value)?);
                }
            }
            "instructions" => request.instructions = value.extract()?,
            "tier" => request.tier = parsed(value)?,
            "model" => request.model = value.extract::<Option<String>>()?.or(request.model.take()),
            "effort" => request.effort = parsed(value)?,
            "temperature" => request.temperature = value.extract()?,
            "max_tokens" => request.max_tokens = value.extract()?,
            "max_usd" => request.max_usd = some(value).map(money::from_python).transpose()?,
            "max_sends" => request.max_sends = value.extract()?,
            "validate" => request.skip_validation = !value.is_truthy()?,
            "check" => {
                if let Some(function) = some(value) {
                    let (check, raised) = Own::of(function)?;
                    (request.check, self.raised) = (Some(check), Some(raised));
                }
            }
            "cache" => request.cache = cache_mode(value)?,
            "store" => request.skip_store = !value.is_truthy()?,
            "timeout" => request.timeout = some(value).map(seconds).transpose()?.or(request.timeout),
            "on_event" => self.on_event = some(value).map(|function| function.clone().unbind()),
            _ => return Err(PyTypeError::new_err(unknown(name))),
        }
        Ok(())
    }
}

/// The files of a refactoring: one text, or files as `files=` takes them, or a result.
pub(crate) fn code(
    given: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<SourceFile>> {
    if let Ok(text) = given.cast::<PyString>() {
        let language = options.map(|options| options.get_item("language")).transpose()?.flatten();
        let language: Option<String> = language.map(|name| name.extract()).transpose()?.flatten();
        let extension = language.as_deref().and_then(Language::known).map_or("txt", |l| l.extension());
        let path = format!("main.{extension}");
        return Ok(vec![SourceFile { path, content: text.to_cow()?.into_owned() }]);
    }
    match given.cast::<Generation>() {
        Ok(generation) => Ok(generation.get().value.sources()),
        Err(_) => sources(given),
    }
}

/// Files as a mapping path → text, or as a list of CodeFile, (path, text) or pathlib.Path (read as UTF-8).
fn sources(given: &Bound<'_, PyAny>) -> PyResult<Vec<SourceFile>> {
    let pairs = match given.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        Err(_) => given.clone(),
    };
    pairs.try_iter()?.map(|file| source(&file?)).collect()
}

fn source(file: &Bound<'_, PyAny>) -> PyResult<SourceFile> {
    if let Ok(file) = file.cast::<CodeFile>() {
        let file = &file.get().0;
        let path = file.path.clone().unwrap_or_else(|| format!("main.{}", file.language.extension()));
        return Ok(SourceFile { path, content: file.content.clone() });
    }
    if file.hasattr("__fspath__")? {
        let path: String = file.call_method0("__fspath__")?.extract()?;
        let content = std::fs::read_to_string(&path)?;
        return Ok(SourceFile { path, content });
    }
    let (path, content) = file.extract::<(String, Bound<'_, PyAny>)>().map_err(|_| {
        PyTypeError::new_err(
            "files are a mapping path → text, or a list of CodeFile, (path, text) or pathlib.Path",
        )
    })?;
    match content.cast::<CodeFile>() {
        Ok(file) => Ok(SourceFile { path, content: file.get().0.content.clone() }),
        Err(_) => Ok(SourceFile { path, content: content.extract()? }),
    }
}

fn some<'a, 'py>(value: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, PyAny>> {
    (!value.is_none()).then_some(value)
}

/// A name that the core parses; its error lists what there is.
fn parsed<T: std::str::FromStr<Err = Error>>(value: &Bound<'_, PyAny>) -> PyResult<Option<T>> {
    let name: Option<String> = value.extract()?;
    name.map(|name| name.parse()).transpose().map_err(|error| raise(value.py(), error))
}

fn cache_mode(value: &Bound<'_, PyAny>) -> PyResult<CacheMode> {
    match value.extract::<String>()?.as_str() {
        "use" => Ok(CacheMode::Use),
        "refresh" => Ok(CacheMode::Refresh),
        "off" => Ok(CacheMode::Off),
        other => Err(invalid(value, format!("cache {other:?} is none of use, refresh, off"))),
    }
}

/// A time in seconds, or a timedelta.
pub(crate) fn seconds(value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let number: f64 = match value.call_method0("total_seconds") {
        Ok(number) => number.extract()?,
        Err(_) => value.extract()?,
    };
    let time = Duration::try_from_secs_f64(number).ok().filter(|time| !time.is_zero());
    time.ok_or_else(|| invalid(value, format!("timeout {number} is not a number of seconds above 0")))
}

fn invalid(value: &Bound<'_, PyAny>, message: String) -> PyErr {
    raise(value.py(), Error::invalid(message))
}

/// A wrong type is told with the option's name: the conversion does not know it.
fn named(error: PyErr, name: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let py = value.py();
    let is_type = error.get_type(py).is(py.get_type::<PyTypeError>());
    let is_range = error.get_type(py).is(py.get_type::<pyo3::exceptions::PyOverflowError>());
    if is_range {
        return PyValueError::new_err(format!("{name} is out of range: {}", error.value(py)));
    }
    if is_type && !error.value(py).to_string().contains("unexpected keyword") {
        return PyTypeError::new_err(format!("{name}: {}", error.value(py)));
    }
    error
}

fn unknown(name: &str) -> String {
    let known = signature!()
        .split(", ")
        .chain(["instructions="])
        .filter_map(|option| option.trim().split_once('='))
        .map(|(name, _)| name);
    let near =
        known.max_by_key(|option| alike(option, name)).filter(|option| alike(option, name) * 2 > name.len());
    let tip = near.map_or_else(String::new, |option| format!(": did you mean {option}?"));
    format!("got an unexpected keyword argument '{name}'{tip}")
}

/// How many letters two names share at both ends.
fn alike(a: &str, b: &str) -> usize {
    let front = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let back = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    (front + back).min(a.len()).min(b.len())
}
