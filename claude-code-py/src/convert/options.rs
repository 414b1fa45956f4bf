//! The options of a request: each is listed here and in the signature that all faces show, and nowhere else.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::answer::file::{CodeFile as File, names};
use claude_code_aws::files::read::{distinct, name_of};
use claude_code_aws::model::capability::{CacheTtl, Think};
use claude_code_aws::request::{CacheMode, GenerateRequest, SourceFile};
use claude_code_aws::{Error, Language};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyMapping, PyString, PyTuple};

use crate::client::check::{Own, Raised};
use crate::convert::error::raise;
use crate::convert::money;
use crate::notebook::telemetry::Trace;
use crate::result::generation::{CodeFile, Generation};

/// The options as a signature shows them.
macro_rules! signature {
    () => {
        "language=None, files=None, tier=None, model=None, effort=None, thinking=None, temperature=None, \
         max_tokens=None, max_usd=None, max_sends=None, validate=True, check=None, cache='use', prompt_cache=None, \
         store=True, timeout=None, on_event=None"
    };
}
pub(crate) use signature;

/// A request with what only this side needs.
pub(crate) struct Options {
    pub(crate) request: GenerateRequest,
    pub(crate) on_event: Option<Py<PyAny>>,
    /// What the caller's own check raised.
    pub(crate) raised: Option<Raised>,
    /// Where the call is traced.
    pub(crate) trace: Option<Arc<Trace>>,
    /// The command that checks; it sees the given files too, whichever option came first.
    command: Option<claude_code_aws::checks::Check>,
}

impl Options {
    /// The request with these options. TypeError for an unknown one; the rest as each option says.
    pub(crate) fn read(request: GenerateRequest, given: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut options = Options { request, on_event: None, raised: None, trace: None, command: None };
        for (name, value) in given.into_iter().flatten() {
            let name: String = name.extract()?;
            options.take(&name, &value).map_err(|error| named(error, &name, &value))?;
        }
        if let Some(command) = options.command.take() {
            options.request.check = Some(Arc::new(command.with_files(options.request.files.clone())));
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
            "model" => request.model = value.extract()?,
            "effort" => request.effort = parsed(value)?,
            "thinking" => {
                let wish: Option<bool> = value.extract()?;
                request.thinking = wish.map(|on| if on { Think::On } else { Think::Off });
            }
            "temperature" => request.temperature = value.extract()?,
            "max_tokens" => request.max_tokens = value.extract()?,
            "max_usd" => {
                request.max_usd = some(value).map(|usd| money::from_python(name, usd)).transpose()?
            }
            "max_sends" => request.max_sends = value.extract()?,
            "validate" => request.skip_validation = !value.extract::<bool>()?,
            "check" => {
                if let Ok(line) = value.extract::<String>() {
                    self.command = Some(command_check(&line)?);
                } else if let Some(function) = some(value) {
                    let (check, raised) = Own::of(function)?;
                    (request.check, self.raised) = (Some(check), Some(raised));
                }
            }
            "cache" => request.cache = cache_mode(value)?,
            "prompt_cache" => request.prompt_cache = some(value).map(prompt_cache).transpose()?,
            "store" => request.skip_store = !value.extract::<bool>()?,
            "timeout" => request.timeout = some(value).map(seconds).transpose()?,
            "on_event" => self.on_event = some(value).map(|given| callable("on_event", given)).transpose()?,
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
        let content = text.to_cow()?.into_owned();
        if is_file_name(&content) {
            return Err(raise(
                given.py(),
                Error::invalid(format!(
                    "{content:?} is the name of a file, not code: pass pathlib.Path({content:?}) to send the file"
                )),
            ));
        }
        let language = options.map(|options| options.get_item("language")).transpose()?.flatten();
        let language: Option<String> = language.map(|name| name.extract()).transpose()?.flatten();
        let language = match language {
            Some(name) => Language::known(&name),
            None => Language::from_code(&content),
        };
        // Without an extension nobody is told a language that nobody knows.
        let path = language.map_or_else(|| "main".to_owned(), |l| format!("main.{}", l.extension()));
        return Ok(vec![SourceFile { path, content }]);
    }
    match given.cast::<Generation>() {
        Ok(generation) => Ok(generation.get().value.sources()),
        Err(_) => sources(given),
    }
}

/// Whether a text is a path and no code: one word that ends as a source file does.
fn is_file_name(text: &str) -> bool {
    let is_word = text.chars().all(|c| c.is_alphanumeric() || "/\\._-~".contains(c));
    is_word && text.contains('.') && !text.ends_with('.') && Language::from_path(text).is_some()
}

/// Files as a mapping path → text, as a list of CodeFile, (path, text) or pathlib.Path (read as UTF-8), or as one of
/// these. Two of one name are refused.
fn sources(given: &Bound<'_, PyAny>) -> PyResult<Vec<SourceFile>> {
    let given = match given.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        Err(_) if given.is_instance_of::<CodeFile>() || is_path(given)? => {
            PyTuple::new(given.py(), [given])?.into_any()
        }
        Err(_) => given.clone(),
    };
    let files = given.try_iter()?.map(|file| source(&file?)).collect::<PyResult<Vec<_>>>()?;
    let named = names(&files).into_iter().zip(files);
    let files: Vec<_> = named.map(|(path, file)| SourceFile { path, content: file.content }).collect();
    distinct(&files).map_err(|error| raise(given.py(), error))?;
    Ok(files)
}

fn source(given: &Bound<'_, PyAny>) -> PyResult<File> {
    if let Ok(file) = given.cast::<CodeFile>() {
        return Ok(file.get().0.clone());
    }
    if is_path(given)? {
        return Ok(file(name(given)?, text_of(given)?));
    }
    let (path, content) =
        given.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>().map_err(|_| unreadable())?;
    match content.cast::<CodeFile>() {
        Ok(content) => Ok(file(name(&path)?, content.get().0.content.clone())),
        Err(_) => Ok(file(name(&path)?, content.extract()?)),
    }
}

fn unreadable() -> PyErr {
    PyTypeError::new_err(
        "files are a mapping path → text, or CodeFile, (path, text) or pathlib.Path, or a list of these",
    )
}

fn file(path: String, content: String) -> File {
    let language = Language::from_path(&path).unwrap_or_else(Language::text);
    File { path: Some(path), language, content, complete: true, rejected: None }
}

fn is_path(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    given.hasattr("__fspath__")
}

/// A name as it was given, or the one that the model sees for a path of this machine.
fn name(given: &Bound<'_, PyAny>) -> PyResult<String> {
    match is_path(given)? {
        true => name_of(&given.extract::<PathBuf>()?).map_err(|error| raise(given.py(), error)),
        false => given.extract().map_err(|_| unreadable()),
    }
}

/// The text of a file. OSError as Python's own `open` raises it, with the path.
fn text_of(path: &Bound<'_, PyAny>) -> PyResult<String> {
    static OPEN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let bytes = OPEN.import(path.py(), "builtins", "open")?.call1((path, "rb"))?;
    let text: Vec<u8> = bytes.call_method0("read")?.extract()?;
    bytes.call_method0("close")?;
    String::from_utf8(text).map_err(|_| {
        PyValueError::new_err(format!(
            "{} is not UTF-8 text",
            path.repr().map(|r| r.to_string()).unwrap_or_default()
        ))
    })
}

/// A function of the caller's, given as the argument of this name.
pub(crate) fn callable(name: &str, function: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    if function.is_callable() {
        return Ok(function.clone().unbind());
    }
    Err(PyTypeError::new_err(format!("{name} must be callable, got {}", function.get_type().name()?)))
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

fn prompt_cache(value: &Bound<'_, PyAny>) -> PyResult<CacheTtl> {
    match value.extract::<String>()?.as_str() {
        "5m" => Ok(CacheTtl::FiveMinutes),
        "1h" => Ok(CacheTtl::OneHour),
        other => Err(invalid(value, format!("prompt_cache {other:?} is none of 5m, 1h"))),
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

/// A line for the shell, or the name of a preset, as a check in the sandbox.
fn command_check(line: &str) -> PyResult<claude_code_aws::checks::Check> {
    let check = match claude_code_aws::checks::preset(line) {
        Some(Ok(check)) => check,
        Some(Err(missing)) => return Err(pyo3::exceptions::PyValueError::new_err(missing)),
        None => claude_code_aws::checks::Check::shell(line),
    };
    Ok(check)
}
