//! Generation: files, the model's text, and the receipt.

use std::path::PathBuf;
use std::sync::Arc;

use claude_code_aws::Config;
use claude_code_aws::files::write::{WriteOptions, write_to};
use claude_code_aws::files::write_journal::WriteJournal;
use claude_code_aws::{Error, ErrorKind, answer::file};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::client::shared::Shared;
use crate::convert::error::raise;
use crate::convert::json;
use crate::convert::options::Options;
use crate::convert::record::{Reduced, record, reduce};
use crate::notebook::card::card;
use crate::notebook::tally;
use crate::result::values::{Attempt, Cached, Diagnostic, Receipt, Usage};
use crate::runtime::call::{awaitable, wait};

record! {
    /// One file, or unnamed code block, of an answer.
    CodeFile(file::CodeFile) {
        /// Where it goes, relative to a root, with `/`; None: it had no name, or a refused one.
        path: Option<&str> = |f| f.path.as_deref();
        /// Its language, by path, info string or content.
        language: &str = |f| f.language.as_str();
        /// The text as the model wrote it.
        content: &str = |f| f.content.as_str();
        /// Whether its end was seen. Half a file is never complete.
        complete: bool = |f| f.complete;
        /// Bytes of content.
        size: usize = file::CodeFile::size;
        /// SHA-256 of the content, lower-case hex.
        sha256: String = file::CodeFile::sha256;
        /// Why the name that the model gave was refused; None: it was not.
        rejected: Option<&str> = |f| f.rejected.as_deref();
    }

    fn __str__(&self) -> &str {
        &self.0.content
    }
}

/// Whose result it is: the client, and the face that its caller uses.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) client: Arc<Shared>,
    pub(crate) is_async: bool,
}

/// A result: files, the model's words, and what it cost. Read-only; pickles, compares and copies by value.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct Generation {
    pub(crate) value: Arc<claude_code_aws::Generation>,
    origin: Option<Origin>,
    files: PyOnceLock<Py<PyAny>>,
}

impl Generation {
    /// A result without a client: from a pickle, a dict, an error.
    pub(crate) fn of(value: claude_code_aws::Generation) -> Self {
        Generation { value: Arc::new(value), origin: None, files: PyOnceLock::new() }
    }

    /// A client's result.
    pub(crate) fn made(value: Arc<claude_code_aws::Generation>, origin: Origin) -> Self {
        Generation { value, origin: Some(origin), files: PyOnceLock::new() }
    }
}

/// Files by their names, read-only, in their order.
pub(crate) fn mapping<'py>(py: Python<'py>, files: &[file::CodeFile]) -> PyResult<Bound<'py, PyAny>> {
    static READ_ONLY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let dict = PyDict::new(py);
    for (name, file) in file::names(files).into_iter().zip(files) {
        dict.set_item(name, CodeFile(file.clone()))?;
    }
    READ_ONLY.import(py, "types", "MappingProxyType")?.call1((dict,))
}

/// Writes files below a directory, as `Generation.write_to` says.
pub(crate) fn write<'py>(
    py: Python<'py>,
    files: &[file::CodeFile],
    dir: PathBuf,
    options: WriteOptions,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let written = py.detach(move || write_to(files, &dir, options)).map_err(|error| raise(py, error))?;
    paths(py, written)
}

/// Where writes of this result are kept; none without a home directory.
pub(crate) fn journal(id: &str) -> Option<WriteJournal> {
    let dir = Config::from_env().and_then(|config| config.local_dir()).ok()?;
    Some(WriteJournal::new(&dir, Some(id)))
}

/// Paths as Python's own.
pub(crate) fn paths(py: Python<'_>, written: Vec<PathBuf>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    static PATH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let path = PATH.import(py, "pathlib", "Path")?;
    written.into_iter().map(|file| path.call1((file,))).collect()
}

#[pymethods]
impl Generation {
    /// UUIDv7: results sort by time.
    #[getter]
    fn id(&self) -> &str {
        &self.value.id
    }

    /// Complete, and no check found an error.
    #[getter]
    fn accepted(&self) -> bool {
        self.value.accepted
    }

    /// The language of the whole result.
    #[getter]
    fn language(&self) -> &str {
        self.value.language.as_str()
    }

    /// Path → CodeFile, in the order of the answer. An unnamed file is main.{ext} or snippet-{n}.{ext}.
    #[getter]
    fn files(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.files
            .get_or_try_init(py, || mapping(py, &self.value.files).map(Bound::unbind))
            .map(|files| files.clone_ref(py))
    }

    /// The only file's text. ValueError where there are several, naming them, or none.
    #[getter]
    fn code(&self) -> PyResult<&str> {
        match self.value.files.as_slice() {
            [only] => Ok(&only.content),
            [] => Err(PyValueError::new_err("the answer has no file; the model's words are in .text")),
            several => Err(PyValueError::new_err(format!(
                "the answer has {} files ({}): read .files instead of .code",
                several.len(),
                file::names(several).join(", ")
            ))),
        }
    }

    /// The model's whole answer as received, files included.
    #[getter]
    fn text(&self) -> &str {
        &self.value.text
    }

    /// The model that answered last, as sent.
    #[getter]
    fn model(&self) -> &str {
        &self.value.model
    }

    /// simple, medium or complex.
    #[getter]
    fn tier(&self) -> &str {
        self.value.tier.as_str()
    }

    /// Why this tier.
    #[getter]
    fn tier_reason(&self) -> &str {
        &self.value.tier_reason
    }

    /// Why the model ended its turn: end_turn, stop_sequence, max_tokens, …; None if it never did.
    #[getter]
    fn stop_reason(&self) -> Option<String> {
        self.value.stop_reason.as_ref().map(ToString::to_string)
    }

    /// Tokens of all sends together.
    #[getter]
    fn usage(&self) -> Usage {
        Usage(self.value.usage)
    }

    /// What it cost, item by item.
    #[getter]
    fn receipt(&self) -> Receipt {
        Receipt(self.value.receipt.clone())
    }

    /// Every send.
    #[getter]
    fn attempts(&self) -> Vec<Attempt> {
        self.value.attempts.iter().cloned().map(Attempt).collect()
    }

    /// What the checks found.
    #[getter]
    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.value.diagnostics.iter().cloned().map(Diagnostic).collect()
    }

    /// What the caller should know, in plain sentences.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.value.warnings.clone()
    }

    /// What a refactoring changed, as a unified diff; None for new code.
    #[getter]
    fn diff(&self) -> Option<&str> {
        self.value.diff.as_deref()
    }

    /// Set if it came from the response cache.
    #[getter]
    fn cached(&self) -> Option<Cached> {
        self.value.cached.map(Cached)
    }

    /// Whether it is in the store.
    #[getter]
    fn stored(&self) -> bool {
        self.value.stored
    }

    /// Why it is not in the store, if it was meant to be.
    #[getter]
    fn stored_problem(&self) -> Option<&str> {
        self.value.stored_problem.as_deref()
    }

    /// Where it is stored: the file's key, or the prefix of several with its final slash.
    #[getter]
    fn s3_key(&self) -> Option<&str> {
        self.value.s3_key.as_deref()
    }

    /// When, in UTC: 2026-11-21T20:46:00.123Z.
    #[getter]
    fn generated_at(&self) -> String {
        self.value.generated_at.iso()
    }

    /// Whether it is one of the samples that come with the package, and not a model's answer.
    #[getter]
    fn sample(&self) -> bool {
        self.value.sample
    }

    /// Itself if accepted; else RejectedAnswerError with the first finding, and this result as .partial.
    fn raise_for_rejected(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        match (*slf.get().value).clone().raise_for_rejected() {
            Ok(_) => Ok(slf),
            Err(error) => Err(raise(slf.py(), error)),
        }
    }

    /// Writes the files below a directory, which is made if it is missing: all of them or none, and nothing outside
    /// it. What it replaces is kept for undo(). ConflictError for a file that exists, or that would lose more than half of
    /// its lines; InvalidRequestError for a refused or incomplete one.
    #[pyo3(signature = (dir, *, overwrite=false, allow_auto_exec=false, skip_refused=false, allow_shrink=false))]
    fn write_to<'py>(
        &self,
        py: Python<'py>,
        dir: PathBuf,
        overwrite: bool,
        allow_auto_exec: bool,
        skip_refused: bool,
        allow_shrink: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let options = WriteOptions {
            overwrite,
            allow_auto_exec,
            skip_refused,
            allow_shrink,
            asked: self.value.prompt.clone(),
            journal: journal(&self.value.id),
        };
        write(py, &self.value.files, dir, options)
    }

    /// Undoes the last write_to of this result and gives the paths: files that are still as it left them become what they
    /// were before, new ones go. ConflictError names those that were changed since and stay; NotFoundError if there is
    /// nothing to undo.
    fn undo<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let undone = py.detach(|| match journal(&self.value.id) {
            Some(journal) => journal.undo(),
            None => Err(Error::new(ErrorKind::NotFound, "there is no local directory, so no write is kept")),
        });
        let undone = undone.map_err(|error| raise(py, error))?;
        if let Some((path, why)) = undone.left.first() {
            let message = format!(
                "{} is left as it is: {why}; {} others are undone",
                path.display(),
                undone.restored.len()
            );
            return Err(raise(py, Error::new(ErrorKind::Conflict, message)));
        }
        paths(py, undone.restored)
    }

    /// Asks for changes to these files: a refactoring of this result, with its diff. Takes the options of
    /// Client.generate. The result of an AsyncClient is refined with `await`.
    #[pyo3(signature = (instructions, **options))]
    fn refine(
        &self,
        py: Python<'_>,
        instructions: String,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let Some(origin) = self.origin.clone() else {
            let message = "this result has no client (it was unpickled, or comes from an error): give its files to \
                           client.refactor";
            return Err(raise(py, Error::new(ErrorKind::InvalidRequest, message)));
        };
        let request = self.value.refine_request(instructions);
        let work = Shared::generate(py, &origin, Options::read(request, options)?);
        if origin.is_async {
            return Ok(Py::new(py, awaitable("refine", work))?.into_any());
        }
        wait(py, work)
    }

    /// How a notebook shows it: files, changes, model, tokens, cost, findings, and the session's running total.
    fn _repr_html_(&self, py: Python<'_>) -> String {
        card(py, &self.value, tally::so_far())
    }

    /// The value as a dict: the one result schema, as HTTP and the command line give it.
    pub(crate) fn to_dict(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        json::to_python(py, &self.value.schema())
    }

    /// The result of such a dict. ValueError names a field that is missing or wrong.
    #[classmethod]
    pub(crate) fn from_dict(_cls: &Bound<'_, PyType>, value: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(Generation::of(json::value(json::from_python(value)?)?))
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<Reduced> {
        reduce(py, "Generation", &json::schema(&*self.value)?)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: Py<PyAny>) -> Py<Self> {
        slf
    }

    /// By what the schema shows: the prompt and the batch, which the row alone keeps, are no part of it.
    pub(crate) fn __eq__(&self, other: &Self) -> bool {
        let (one, two) = (&self.value, &other.value);
        one == two || one.id == two.id && one.schema() == two.schema()
    }

    pub(crate) fn __hash__(&self) -> u64 {
        // Ids are unique; a cached answer has the original's.
        self.value.id.bytes().fold(0, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
    }

    pub(crate) fn __repr__(&self) -> String {
        let value = &self.value;
        format!(
            "Generation(id={:?}, accepted={}, language={:?}, files={}, model={:?}, cost={}, stored={})",
            value.id,
            if value.accepted { "True" } else { "False" },
            value.language.as_str(),
            value.files.len(),
            value.model,
            value.receipt.total(),
            if value.stored { "True" } else { "False" },
        )
    }
}
