//! The service creator: a conversation of seven questions, and from its answers six files that work together.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claude_code_aws::answer::file::names;
use claude_code_aws::files::write::WriteOptions;
use claude_code_aws::service_creator::{Code, Conversation, STEPS, ServiceData, Shown, TOTAL_STEPS};
use claude_code_aws::{CodeFile as File, Error, ErrorKind, Event, Result};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{Instant, timeout_at};

use crate::client::next_batch::{WINDOW, join};
use crate::convert::json;
use crate::convert::options;
use crate::convert::record::record;
use crate::notebook::table::table;
use crate::notebook::tally;
use crate::result::event;
use crate::result::generation::{Origin, journal, mapping, write};
use crate::result::values::{Diagnostic, Receipt};
use crate::runtime;
use crate::runtime::call::{Awaitable, Next, Step, Work, awaitable, wait, work};

/// Events that wait for the caller; the writer waits with them.
const QUEUE: usize = 64;

/// A written service in a schema.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Written {
    #[serde(flatten)]
    code: Code,
    contents: Vec<File>,
}

/// Files by their names.
pub(crate) struct Named(Vec<File>);

impl<'py> IntoPyObject<'py> for Named {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        mapping(py, &self.0)
    }
}

record! {
    /// The six files of a service: backend_service.py, api_routes.py, database_schema.sql, config.yaml,
    /// requirements.txt and README.md.
    ServiceCode(Written) {
        /// The service.
        service_id: &str = |c| c.code.service_id.as_str();
        /// This writing of its files.
        code_id: &str = |c| c.code.code_id.as_str();
        /// All six are there, and no check of them together found an error.
        accepted: bool = |c| c.code.accepted;
        /// Name → CodeFile.
        files: Named = |c| Named(c.contents.clone());
        /// What the checks found.
        diagnostics: Vec<Diagnostic> = |c| c.code.diagnostics.iter().cloned().map(Diagnostic).collect();
        /// The model that wrote last; None where nothing had to be asked.
        model: Option<&str> = |c| c.code.model.as_deref();
        /// What it cost, item by item.
        receipt: Receipt = |c| Receipt(c.code.receipt.clone());
        /// Whether it is the sample that comes with the package, and not a model's answer.
        sample: bool = |c| c.code.sample;
        /// When, in UTC: 2026-11-21T20:46:00.123Z.
        generated_at: &str = |c| c.code.generated_at.as_str();
    }

    fn _repr_html_(&self) -> String {
        let code = &self.0.code;
        let names = names(&self.0.contents).into_iter().zip(&self.0.contents);
        let row = |(name, file): (String, &File)| [name, file.language.to_string(), format!("{} bytes", file.size())];
        let rows: Vec<_> = names.map(row).collect();
        let verdict = if code.accepted { "accepted" } else { "not accepted" };
        let caption = format!("service {}: {verdict}, {}", code.service_id, code.receipt.total());
        table(&caption, ["file", "language", "#size"], &rows)
    }

    /// Writes the files below a directory, as Generation.write_to.
    #[pyo3(signature = (dir, *, overwrite=false))]
    fn write_to<'py>(&self, py: Python<'py>, dir: PathBuf, overwrite: bool) -> PyResult<Vec<Bound<'py, PyAny>>> {
        write(py, &self.0.contents, dir, WriteOptions { overwrite, journal: journal(&self.0.code.code_id), ..WriteOptions::default() })
    }
}

/// A conversation as the caller has it: where it stood when the last answer came back.
pub(crate) struct Talk {
    origin: Origin,
    state: Mutex<Conversation>,
}

impl Talk {
    fn state(&self) -> MutexGuard<'_, Conversation> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn message(self: Arc<Self>, text: String) -> Work {
        work(async move {
            let (id, step) = {
                let state = self.state();
                (state.id.clone(), state.step())
            };
            let answered = self.origin.client.creator().await?.message(&id, step, &text).await?;
            let question = answered.question().map(str::to_owned);
            *self.state() = answered;
            Ok(question)
        })
    }

    fn generate(
        self: Arc<Self>,
        given: Option<ServiceData>,
        timeout: Option<Duration>,
        on_event: Option<Py<PyAny>>,
    ) -> Work {
        let id = self.state().id.clone();
        let origin = self.origin.clone();
        Work::new(async move {
            let begun = begin(&origin, &id, given, timeout).await;
            match begun {
                Ok(shown) => {
                    let step: Step = Box::new(move |_| Ok(Next::More(go_on(origin, shown, on_event))));
                    step
                }
                Err(error) => raised(error),
            }
        })
    }
}

async fn begin(
    origin: &Origin,
    id: &str,
    given: Option<ServiceData>,
    timeout: Option<Duration>,
) -> Result<Receiver<Result<Shown>>> {
    let writing = origin.client.creator().await?.write(id, given, timeout).await?;
    let (out, shown) = channel(QUEUE);
    // It ends by itself as soon as nobody listens, and lets go of its lease.
    tokio::spawn(runtime::attended(writing.run(out)));
    Ok(shown)
}

/// What came within a moment, and the end if it was reached.
#[derive(Default)]
struct Moment {
    events: VecDeque<Event>,
    end: Option<Result<Written>>,
}

/// Shows what comes in the caller's thread, until the files are written.
fn go_on(origin: Origin, mut shown: Receiver<Result<Shown>>, on_event: Option<Py<PyAny>>) -> Work {
    Work::new(async move {
        let Moment { events, end } = moment(&origin, &mut shown).await;
        let step: Step = Box::new(move |py| {
            if let Some(on_event) = &on_event {
                for event in events {
                    on_event.call1(py, (event::to_python(py, event, &origin)?,))?;
                }
            }
            match end {
                None => Ok(Next::More(go_on(origin, shown, on_event))),
                Some(Ok(written)) => {
                    tally::add(&written.code.code_id, &written.code.receipt);
                    Ok(Next::Done(Py::new(py, ServiceCode(written))?.into_any()))
                }
                Some(Err(error)) => {
                    tally::failed(&error);
                    Err(crate::convert::error::raise(py, error))
                }
            }
        });
        step
    })
}

async fn moment(origin: &Origin, shown: &mut Receiver<Result<Shown>>) -> Moment {
    let mut moment = Moment::default();
    let mut next = shown.recv().await;
    let close = Instant::now() + WINDOW;
    loop {
        match next {
            Some(Ok(Shown::Event(event))) => join(&mut moment.events, event),
            Some(Ok(Shown::Written(code))) => {
                moment.end = Some(contents(origin, *code).await);
                return moment;
            }
            Some(Err(error)) => {
                moment.end = Some(Err(error));
                return moment;
            }
            None => {
                moment.end = Some(Err(Error::new(ErrorKind::Unavailable, "the work broke off: repeat it")));
                return moment;
            }
        }
        match timeout_at(close, shown.recv()).await {
            Ok(more) => next = more,
            Err(_) => return moment,
        }
    }
}

async fn contents(origin: &Origin, code: Code) -> Result<Written> {
    let contents = origin.client.creator().await?.files(&code).await?;
    Ok(Written { code, contents })
}

fn raised(error: Error) -> Step {
    Box::new(move |py| Err(crate::convert::error::raise(py, error)))
}

/// The work of a new conversation, or of one that was begun before.
pub(crate) fn open(origin: Origin, id: Option<String>) -> Work {
    Work::new(async move {
        let opened = async {
            let creator = origin.client.creator().await?;
            match id {
                Some(id) => creator.conversation(&id).await,
                None => creator.start().await,
            }
        };
        let opened: Result<Conversation> = opened.await;
        let step: Step = Box::new(move |py| {
            let state = opened.map_err(|error| crate::convert::error::raise(py, error))?;
            let is_async = origin.is_async;
            let talk = Arc::new(Talk { origin, state: Mutex::new(state) });
            let service = match is_async {
                true => Py::new(py, AsyncService(talk))?.into_any(),
                false => Py::new(py, Service(talk))?.into_any(),
            };
            Ok(Next::Done(service))
        });
        step
    })
}

/// A conversation about a service: seven questions, then six files. `message` answers the waiting question and gives the
/// next one, None after the seventh.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct Service(Arc<Talk>);

/// As Service, for asyncio: message and generate are awaited.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct AsyncService(Arc<Talk>);

/// Both faces, in one way of waiting.
macro_rules! service {
    ($service:ident, gives: $gives:ty, |$py:ident, $name:ident, $work:ident| $face:expr) => {
        #[pymethods]
        impl $service {
            /// The conversation's id: `client.service(id)` goes on with it.
            #[getter]
            fn id(&self) -> String {
                self.0.state().id.clone()
            }

            /// The question that waits for an answer; None: all are answered.
            #[getter]
            fn question(&self) -> Option<String> {
                self.0.state().question().map(str::to_owned)
            }

            /// The number of that question, from 1; None: all are answered.
            #[getter]
            fn step(&self) -> Option<usize> {
                self.0.state().step()
            }

            /// How many questions there are.
            #[getter]
            fn total_steps(&self) -> usize {
                TOTAL_STEPS
            }

            /// What the waiting question is about, in a word or two.
            #[getter]
            fn title(&self) -> Option<&'static str> {
                self.0.state().step().map(|step| STEPS[step - 1].title)
            }

            /// An answer that people may begin from. All seven together are the offline sample.
            #[getter]
            fn example(&self) -> Option<&'static str> {
                self.0.state().step().map(|step| STEPS[step - 1].example)
            }

            /// Whether all questions are answered.
            #[getter]
            fn done(&self) -> bool {
                self.0.state().step().is_none()
            }

            /// What the answers say so far.
            #[getter]
            fn data(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
                let schema = json::schema(&self.0.state().data)?;
                json::to_python(py, &schema)
            }

            /// Answers the waiting question and gives the next one; None after the last. ConflictError where all are
            /// answered, or somebody else answered meanwhile.
            #[pyo3(signature = (text, /))]
            fn message(&self, $py: Python<'_>, text: String) -> PyResult<$gives> {
                let ($name, $work) = ("message", self.0.clone().message(text));
                $face
            }

            /// Writes the six files: from the answers, or from `service_data`, a dict as `data` gives it. A call that
            /// was cut off goes on with the files that are missing; nothing is paid for twice. timeout and on_event
            /// as for Client.generate. ConflictError while questions are open or another writer is at work.
            #[pyo3(signature = (service_data=None, *, timeout=None, on_event=None))]
            fn generate(
                &self,
                $py: Python<'_>,
                service_data: Option<&Bound<'_, PyDict>>,
                timeout: Option<&Bound<'_, PyAny>>,
                on_event: Option<Py<PyAny>>,
            ) -> PyResult<$gives> {
                let given = service_data.map(|data| json::value(json::from_python(data)?)).transpose()?;
                let timeout = timeout.map(options::seconds).transpose()?;
                let ($name, $work) = ("generate", self.0.clone().generate(given, timeout, on_event));
                $face
            }

            fn __repr__(&self) -> String {
                let state = self.0.state();
                let step =
                    state.step().map_or_else(|| "done".to_owned(), |s| format!("step {s} of {TOTAL_STEPS}"));
                format!("<{} {}, {step}>", stringify!($service), state.id)
            }
        }
    };
}

service! { Service, gives: Py<PyAny>, |py, _name, work| wait(py, work) }
service! { AsyncService, gives: Awaitable, |_py, name, work| Ok(awaitable(name, work)) }
