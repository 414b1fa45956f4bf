//! Stored results: list, get, download, delete.

use std::path::PathBuf;
use std::sync::Arc;

use claude_code_aws::files::write::{WriteOptions, write_to};
use claude_code_aws::store::{self, Listing};
use claude_code_aws::{Error, ErrorKind, GenerationStore, Language, Result, Scope, UtcMillis};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};
use serde::{Deserialize, Serialize};

use crate::convert::error::raise;
use crate::convert::money::Usd;
use crate::convert::record::record;
use crate::notebook::table::table;
use crate::result::generation::{Generation, Origin, journal, paths};
use crate::runtime::call::{Awaitable, Next, Step, Work, awaitable, wait, work};

/// Characters of a prompt in a table.
const PROMPT: usize = 80;
/// Rows of one page.
const MAX_ROWS: u32 = 100;

record! {
    /// A row about a stored result: everything but its files.
    ResultRow(store::ResultRow) {
        /// The result's id.
        id: &str = |r| r.id.as_str();
        /// The prompt, cut to 2,048 bytes.
        prompt: &str = |r| r.prompt.as_str();
        /// Its language.
        language: &str = |r| r.language.as_str();
        /// When, in UTC: 2026-11-21T20:46:00.123Z.
        generated_at: &str = |r| r.generated_at.as_str();
        /// Bytes of all files.
        code_length: u64 = |r| r.code_length;
        /// The object's key, or the prefix of several.
        s3_key: &str = |r| r.s3_key.as_str();
        /// The model that answered.
        model: &str = |r| r.model.as_str();
        /// Why it ended.
        stop_reason: &str = |r| r.stop_reason.as_str();
        /// What it cost; None where a price is not known.
        total_usd: Option<Usd> = |r| r.total_usd.map(Usd::from);
    }
}

/// A page in a schema.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rows {
    items: Vec<store::ResultRow>,
    next: Option<String>,
}

record! {
    /// A page of stored results, newest first: a sequence of ResultRow.
    Page(Rows) {
        /// The rows.
        items: Vec<ResultRow> = |p| p.items.iter().cloned().map(ResultRow).collect();
        /// The cursor of the next page; None on the last.
        next: Option<&str> = |p| p.next.as_deref();
    }

    fn __len__(&self) -> usize {
        self.0.items.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.items().into_pyobject(py)?.get_item(index)
    }

    fn __iter__(&self, py: Python<'_>) -> PyResult<Py<PyIterator>> {
        Ok(self.items().into_pyobject(py)?.try_iter()?.unbind())
    }

    fn __str__(&self) -> String {
        let line = |row: &store::ResultRow| {
            let size = format!("{} bytes", row.code_length);
            format!("{}  {}  {:<12}{size:>14}  {}", row.id, row.generated_at, row.language.to_string(), row.model)
        };
        let mut lines: Vec<String> = self.0.items.iter().map(line).collect();
        lines.extend(self.0.next.is_some().then(|| "there are more: pass cursor=page.next".to_owned()));
        lines.join("\n")
    }

    fn _repr_html_(&self) -> String {
        let row = |row: &store::ResultRow| {
            let prompt: String = row.prompt.chars().take(PROMPT).collect();
            let size = format!("{} bytes", row.code_length);
            [row.id.clone(), row.generated_at.clone(), row.language.to_string(), row.model.clone(), size, prompt]
        };
        let rows: Vec<_> = self.0.items.iter().map(row).collect();
        let more = if self.0.next.is_some() { "; there are more: pass cursor=page.next" } else { "" };
        let results = if rows.len() == 1 { "result" } else { "results" };
        let caption = format!("{} {results}{more}", rows.len());
        table(&caption, ["id", "time (UTC)", "language", "model", "#size", "prompt"], &rows)
    }

    /// The rows as a pandas DataFrame, their times as dates. ImportError without pandas.
    fn to_dataframe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let rows = PyList::empty(py);
        self.0.items.iter().try_for_each(|row| rows.append(ResultRow(row.clone()).to_dict(py)?))?;
        let pandas = py.import("pandas")?;
        let frame = pandas.call_method1("DataFrame", (rows,))?;
        if !self.0.items.is_empty() {
            let dates = pandas.call_method1("to_datetime", (frame.get_item("generated_at")?,))?;
            frame.set_item("generated_at", dates)?;
        }
        Ok(frame)
    }
}

/// The store of a client's results, and the scope that it reads.
async fn store(origin: &Origin) -> Result<(Arc<dyn GenerationStore>, Scope)> {
    let client = origin.client.core().await?;
    let none = || {
        let message = "this client keeps no results: give it store=\"disk\" or \"aws\", or see .stored_problem of a \
                       result";
        Error::new(ErrorKind::Storage, message)
    };
    Ok((client.results().cloned().ok_or_else(none)?, client.scope().clone()))
}

fn list(origin: Origin, listing: Listing) -> Work {
    work(async move {
        let (store, scope) = store(&origin).await?;
        let store::Page { items, next } = store.list(&scope, &listing).await?;
        Ok(Page(Rows { items, next }))
    })
}

fn get(origin: Origin, id: String) -> Work {
    work(async move {
        let (store, scope) = store(&origin).await?;
        let generation = store.get(&scope, &id).await?;
        Ok(Generation::made(Arc::new(generation), origin))
    })
}

fn download(origin: Origin, id: String, dir: PathBuf, options: WriteOptions) -> Work {
    Work::new(async move {
        let written = async {
            let (store, scope) = store(&origin).await?;
            let generation = store.get(&scope, &id).await?;
            let writing = tokio::task::spawn_blocking(move || write_to(&generation.files, &dir, options));
            writing.await.map_err(|error| Error::new(ErrorKind::Storage, error.to_string()))?
        };
        let written: Result<Vec<PathBuf>> = written.await;
        let step: Step = Box::new(move |py| {
            let written = written.map_err(|error| raise(py, error))?;
            Ok(Next::Done(paths(py, written)?.into_py_any(py)?))
        });
        step
    })
}

fn delete(origin: Origin, id: String) -> Work {
    work(async move {
        store(&origin).await?;
        origin.client.core().await?.erase(&id).await
    })
}

fn listing(
    py: Python<'_>,
    language: &str,
    since: Option<&str>,
    until: Option<&str>,
    cursor: Option<String>,
    limit: i64,
) -> PyResult<Listing> {
    let moment = |text: &str| {
        let wrong = || Error::invalid(format!("{text:?} is not a UTC time such as 2026-11-21T20:46:00.123Z"));
        UtcMillis::from_iso(text).ok_or_else(wrong)
    };
    let read = || -> Result<Listing> {
        let most = u32::try_from(limit).ok().filter(|limit| (1..=MAX_ROWS).contains(limit));
        let limit = most.ok_or_else(|| Error::invalid(format!("limit {limit} is not 1 to {MAX_ROWS}")))?;
        let (from, to) = (since.map(moment).transpose()?, until.map(moment).transpose()?);
        Ok(Listing { language: Language::new(language)?, from, to, batch: None, cursor, limit })
    };
    read().map_err(|error| raise(py, error))
}

/// Stored results of a Client.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct Results(pub(crate) Origin);

/// Stored results of an AsyncClient: each call is awaited.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct AsyncResults(pub(crate) Origin);

/// The calls, in one way of waiting for them.
macro_rules! results {
    ($results:ident, gives: $gives:ty, |$py:ident, $name:ident, $work:ident| $face:expr) => {
        #[pymethods]
        impl $results {
            /// A page of rows of one language, newest first, from `since` to before `until` (UTC times as in
            /// generated_at). `limit` is 1 to 100; `cursor` is the `next` of the page before.
            #[pyo3(signature = (*, language, since=None, until=None, cursor=None, limit=20))]
            fn list(
                &self,
                $py: Python<'_>,
                language: &str,
                since: Option<&str>,
                until: Option<&str>,
                cursor: Option<String>,
                limit: i64,
            ) -> PyResult<$gives> {
                let listing = listing($py, language, since, until, cursor, limit)?;
                let ($name, $work) = ("list", list(self.0.clone(), listing));
                $face
            }

            /// A stored result with its files. NotFoundError where there is none of this id, or it has expired.
            fn get(&self, $py: Python<'_>, id: String) -> PyResult<$gives> {
                let ($name, $work) = ("get", get(self.0.clone(), id));
                $face
            }

            /// Writes the files of a stored result below a directory, as Generation.write_to, and gives their paths.
            #[pyo3(signature = (id, dir, *, overwrite=false))]
            fn download(
                &self,
                $py: Python<'_>,
                id: String,
                dir: PathBuf,
                overwrite: bool,
            ) -> PyResult<$gives> {
                let options = WriteOptions { overwrite, journal: journal(&id), ..WriteOptions::default() };
                let ($name, $work) = ("download", download(self.0.clone(), id, dir, options));
                $face
            }

            /// Erases a stored result: its row and its objects. NotFoundError as for get.
            fn delete(&self, $py: Python<'_>, id: String) -> PyResult<$gives> {
                let ($name, $work) = ("delete", delete(self.0.clone(), id));
                $face
            }
        }
    };
}

results! { Results, gives: Py<PyAny>, |py, _name, work| wait(py, work) }
results! { AsyncResults, gives: Awaitable, |_py, name, work| Ok(awaitable(name, work)) }
