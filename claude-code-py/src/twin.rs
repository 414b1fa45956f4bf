//! The local twin for tests: scripted answers and faults, and the log of what was sent. See `claude_code.testing`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use claude_code_aws::Error;
use claude_code_aws::connect::config::{Config, Store};
use claude_code_aws::local::{self, Fault, Listening, Question, Reply, Responder, Samples};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::connection::{Link, with_defaults};
use crate::client::recipe::Recipe;
use crate::client::shared::{Shared, closed};
use crate::client::{AsyncClient, Client};
use crate::convert::error::raise;
use crate::convert::json;
use crate::convert::record::record;
use crate::runtime::{self, Attended, Held};

/// What was sent, in a schema.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SentFields {
    model: String,
    system: String,
    prompt: String,
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    body: String,
}

record! {
    /// A question that the twin received.
    Sent(SentFields) {
        /// The model's id, as sent.
        model: &str = |s| s.model.as_str();
        /// The system prompt.
        system: &str = |s| s.system.as_str();
        /// The last message of the user's side.
        prompt: &str = |s| s.prompt.as_str();
        /// The most tokens of the answer.
        max_tokens: Option<u64> = |s| s.max_tokens;
        /// The temperature, if one was sent.
        temperature: Option<f64> = |s| s.temperature;
    }

    /// The whole body of the request, as JSON has it.
    #[getter]
    fn body(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        json::to_python(py, &serde_json::from_str(&self.0.body).unwrap_or_default())
    }
}

/// Answers by script, then by rule, then by the samples.
#[derive(Debug)]
struct Scripted {
    script: Mutex<VecDeque<Turn>>,
    rest: Arc<Rules>,
}

/// Answers by rule, then by the samples.
#[derive(Debug)]
struct Rules {
    /// A part of a prompt, and the script whose only step is its answer.
    rules: Mutex<Vec<(String, String)>>,
    samples: Arc<Samples>,
}

/// A bug of ours, for the test that none crashes Python.
#[expect(clippy::panic, reason = "a test asked for it")]
fn bug() -> Reply {
    panic!("asked for by a test")
}

/// What happens at one question.
#[derive(Clone, Debug)]
enum Turn {
    /// The next step of a script.
    Play(Arc<local::Scripted>),
    Refuse(Reply),
    Faults(Vec<Fault>),
    Panic,
}

impl Scripted {
    fn script(&self) -> MutexGuard<'_, VecDeque<Turn>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays each step of a script.
    fn play(&self, script: &str) -> Result<(), Error> {
        let script = Arc::new(local::Scripted::parse(script, self.rest.clone())?);
        let steps = script.len();
        self.script().extend(std::iter::repeat_n(Turn::Play(script), steps));
        Ok(())
    }
}

impl Rules {
    fn rules(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest rule of a prompt.
    fn of(&self, prompt: &str) -> Option<local::Scripted> {
        let rule = self.rules().iter().rev().find(|(part, _)| prompt.contains(part.as_str())).cloned();
        local::Scripted::parse(&rule?.1, self.samples.clone()).ok()
    }
}

#[async_trait::async_trait]
impl Responder for Rules {
    async fn answer(&self, question: &Question) -> Reply {
        match self.of(question.last_user_text()) {
            Some(rule) => rule.answer(question).await,
            // The fixture stands for a model, whose answers cost something.
            None => self.samples.answer(question).await.unlabelled(),
        }
    }
}

#[async_trait::async_trait]
impl Responder for Scripted {
    async fn answer(&self, question: &Question) -> Reply {
        let turn = self.script().pop_front();
        match turn {
            Some(Turn::Play(script)) => script.answer(question).await,
            Some(Turn::Refuse(reply)) => reply,
            Some(Turn::Panic) => bug(),
            Some(Turn::Faults(faults)) => self.rest.answer(question).await.with_faults(faults),
            None => self.rest.answer(question).await,
        }
    }
}

/// Bedrock inside the process, for tests: it answers as it is told, and remembers what it was asked.
#[pyclass(frozen, module = "claude_code.testing")]
pub(crate) struct Twin {
    responder: Arc<Scripted>,
    engines: Held<local::Twin>,
    dir: Option<PathBuf>,
    listening: Mutex<Option<Held<(Listening, Attended)>>>,
}

#[pymethods]
impl Twin {
    #[new]
    #[pyo3(signature = (dir=None))]
    fn new(dir: Option<PathBuf>) -> Self {
        let rest = Rules { rules: Mutex::default(), samples: Arc::new(Samples::built_in()) };
        let responder = Arc::new(Scripted { script: Mutex::default(), rest: Arc::new(rest) });
        let engines = match &dir {
            Some(dir) => local::Twin::lazy(dir, responder.clone()).sharing(),
            // Without a directory only Bedrock is asked.
            None => local::Twin::lazy(Path::new(""), responder.clone()),
        };
        Twin { responder, engines: Held::new(engines), dir, listening: Mutex::default() }
    }

    /// Answers the next question with this text, as a model would write it; with `prompt`, every question that
    /// contains it, for which no other answer comes first. stop_reason: any word, such as refusal. usage: figures in
    /// the place of estimated ones: input, output, cache_read, cache_write.
    #[pyo3(signature = (text, *, prompt=None, times=1, stop_reason=None, usage=None))]
    fn answer(
        &self,
        py: Python<'_>,
        text: &str,
        prompt: Option<String>,
        times: usize,
        stop_reason: Option<&str>,
        usage: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let usage = usage.map(|usage| json::from_python(usage)).transpose()?;
        let answer = json!({ "text": text, "stop_reason": stop_reason, "usage": usage });
        let script = json!({ "steps": [{ "times": times, "answer": answer }] }).to_string();
        let Some(prompt) = prompt else {
            return self.responder.play(&script).map_err(|error| raise(py, error));
        };
        let rest = &self.responder.rest;
        local::Scripted::parse(&script, rest.samples.clone()).map_err(|error| raise(py, error))?;
        rest.rules().push((prompt, script));
        Ok(())
    }

    /// Refuses the next questions as Bedrock does: `throttled` (429), `unavailable` (503), `invalid` (400) or
    /// `not_found` (404).
    #[pyo3(signature = (kind, *, message="scripted", times=1))]
    fn refuse(&self, py: Python<'_>, kind: &str, message: &str, times: usize) -> PyResult<()> {
        let reply = match kind {
            "throttled" => Reply::throttled(),
            "unavailable" => Reply::unavailable(),
            "invalid" => Reply::invalid(message),
            "not_found" => Reply::not_found(message),
            _ => {
                let takes = format!("refusal {kind:?} is none of throttled, unavailable, invalid, not_found");
                return Err(raise(py, Error::invalid(takes)));
            }
        };
        self.responder.script().extend(std::iter::repeat_n(Turn::Refuse(reply), times));
        Ok(())
    }

    /// Plays the steps of a script in JSON, one for each question. A step without an answer or error takes that of
    /// `answer(prompt=...)`, else the sample.
    ///
    #[doc = include_str!("../../claude-code-aws/src/local/responder/scripts.md")]
    fn play(&self, py: Python<'_>, script: &str) -> PyResult<()> {
        self.responder.play(script).map_err(|error| raise(py, error))
    }

    /// Puts faults on the way of the next answer. latency: seconds before its status. pace: seconds before each
    /// further event; neither is below 0. stall_at, break_at, cut_at: bytes after which nothing comes any more, the connection breaks,
    /// or the answer ends as if it were whole. damage: the number of an event whose checksum is made wrong.
    #[pyo3(signature = (*, latency=None, pace=None, stall_at=None, break_at=None, cut_at=None, damage=None, times=1))]
    #[expect(clippy::too_many_arguments, reason = "they are Python's keywords")]
    fn fault(
        &self,
        py: Python<'_>,
        latency: Option<f64>,
        pace: Option<f64>,
        stall_at: Option<usize>,
        break_at: Option<usize>,
        cut_at: Option<usize>,
        damage: Option<usize>,
        times: usize,
    ) -> PyResult<()> {
        let time = |name: &str, seconds: Option<f64>| {
            let time = seconds.map(|seconds| {
                let told =
                    |_| Error::invalid(format!("{name} {seconds} is not a number of seconds from 0 on"));
                Duration::try_from_secs_f64(seconds).map_err(told)
            });
            time.transpose().map_err(|error| raise(py, error))
        };
        let faults = [
            time("latency", latency)?.map(Fault::Latency),
            time("pace", pace)?.map(Fault::Pace),
            stall_at.map(Fault::StallAt),
            break_at.map(Fault::BreakAt),
            cut_at.map(Fault::CutAt),
            damage.map(Fault::Damage),
        ];
        let faults: Vec<Fault> = faults.into_iter().flatten().collect();
        self.responder.script().extend(std::iter::repeat_n(Turn::Faults(faults), times));
        Ok(())
    }

    /// Listens on loopback until the twin is gone, and gives the environment variables with which boto3, the anthropic
    /// package and other programs reach it: its script is theirs, and `sent()` has what they ask. S3 and DynamoDB are
    /// there for a Twin that was given a directory.
    ///
    /// >>> for name, value in claude_twin.listen().items():
    /// ...     monkeypatch.setenv(name, value)
    /// >>> boto3.client("bedrock-runtime").converse(...)
    fn listen<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let variables = py.detach(|| self.variables()).map_err(|error| raise(py, error))?;
        let without =
            |name: &str| self.dir.is_none() && (name.ends_with("_S3") || name.ends_with("_DYNAMODB"));
        variables.into_iter().filter(|(name, _)| !without(name)).into_py_dict(py)
    }

    /// The next answer is a bug of ours: a panic in the middle of the call. Only in builds for tests.
    #[cfg(debug_assertions)]
    #[pyo3(name = "_panic")]
    fn panic(&self) {
        self.responder.script().push_back(Turn::Panic);
    }

    /// Every question so far, oldest first.
    fn sent(&self) -> Vec<Sent> {
        let asked = self.engines.get().map(local::Twin::sent).unwrap_or_default();
        asked.into_iter().map(sent).collect()
    }

    /// A client of this twin. store: none, or disk (in the twin's directory). The environment has no say.
    #[pyo3(signature = (*, store="none", model=None, timeout=None))]
    fn client(
        &self,
        py: Python<'_>,
        store: &str,
        model: Option<String>,
        timeout: Option<f64>,
    ) -> PyResult<Client> {
        Ok(Client(self.shared(py, store, model, timeout)?))
    }

    /// The same for asyncio.
    #[pyo3(signature = (*, store="none", model=None, timeout=None))]
    fn async_client(
        &self,
        py: Python<'_>,
        store: &str,
        model: Option<String>,
        timeout: Option<f64>,
    ) -> PyResult<AsyncClient> {
        Ok(AsyncClient(self.shared(py, store, model, timeout)?))
    }
}

impl Twin {
    /// Listens, if it does not yet.
    fn variables(&self) -> Result<Vec<(&'static str, String)>, Error> {
        let mut slot = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((listening, _)) = slot.as_ref().and_then(Held::get) {
            return Ok(listening.variables(|_| None));
        }
        let twin = self.engines.get().cloned().ok_or_else(closed)?;
        let dir = self.dir.clone();
        let (say, hear) = mpsc::channel();
        let work = async move {
            match dir {
                Some(dir) => {
                    let config = Config { local_dir: Some(dir), ..Config::default() };
                    local::listen_with_stores(&twin, &config, 0, false).await
                }
                None => local::listen(&twin, 0, false).await,
            }
        };
        let told =
            move |done: Result<Result<Listening, Error>, Error>| drop(say.send(done.and_then(|it| it)));
        let _task = runtime::spawn(work, told)?;
        let listening = hear.recv().map_err(|_| closed())??;
        let variables = listening.variables(|_| None);
        *slot = Some(Held::new((listening, Attended::new())));
        Ok(variables)
    }

    fn shared(
        &self,
        py: Python<'_>,
        store: &str,
        model: Option<String>,
        timeout: Option<f64>,
    ) -> PyResult<Arc<Shared>> {
        let store = match (store, &self.dir) {
            ("none", _) => Store::None,
            ("disk", Some(_)) => Store::Disk,
            _ => {
                let message = "store is none, or disk for a Twin that was given a directory";
                return Err(raise(py, Error::invalid(message)));
            }
        };
        let timeout = timeout.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default());
        let config = Config { store: Some(store), local_dir: self.dir.clone(), ..Config::default() };
        let config = with_defaults(config, model, timeout);
        let twin = self.engines.get().cloned();
        Ok(Shared::new(Link::to(config, twin), Recipe::in_process()))
    }
}

fn sent(question: Question) -> Sent {
    let prompt = question.last_user_text().to_owned();
    let Question { model, system, max_tokens, temperature, body, .. } = question;
    Sent(SentFields { model, system, prompt, max_tokens, temperature, body })
}
