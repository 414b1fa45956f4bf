//! The local twin for tests: scripted answers and faults, and the log of what was sent. See `claude_code.testing`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claude_code_aws::Error;
use claude_code_aws::config::{Config, Store};
use claude_code_aws::local::{self, Brain, Fault, Question, Reply, Samples};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::client::{AsyncClient, Client};
use crate::error::raise;
use crate::link::{Link, with_defaults};
use crate::record::record;
use crate::runtime::Held;
use crate::shared::Shared;

/// What was sent, in a schema.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SentFields {
    model: String,
    system: String,
    prompt: String,
    max_tokens: Option<u64>,
    temperature: Option<f64>,
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
}

/// Answers by script, then by rule, then by the samples.
#[derive(Debug)]
struct Scripted {
    script: Mutex<VecDeque<Turn>>,
    rules: Mutex<Vec<(String, String)>>,
    samples: Samples,
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
    Answer(String),
    Refuse(Reply),
    Faults(Vec<Fault>),
    Panic,
}

impl Scripted {
    fn script(&self) -> MutexGuard<'_, VecDeque<Turn>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rules(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn by_rule(&self, question: &Question) -> Reply {
        let prompt = question.last_user_text();
        let rule = self.rules().iter().rev().find(|(part, _)| prompt.contains(part.as_str())).cloned();
        match rule {
            Some((_, text)) => Reply::text(question, &text),
            None => self.samples.answer(question).await,
        }
    }
}

#[async_trait::async_trait]
impl Brain for Scripted {
    async fn answer(&self, question: &Question) -> Reply {
        let turn = self.script().pop_front();
        match turn {
            Some(Turn::Play(script)) => script.answer(question).await,
            Some(Turn::Answer(text)) => Reply::text(question, &text),
            Some(Turn::Refuse(reply)) => reply,
            Some(Turn::Panic) => bug(),
            Some(Turn::Faults(faults)) => self.by_rule(question).await.with_faults(faults),
            None => self.by_rule(question).await,
        }
    }
}

/// Bedrock inside the process, for tests: it answers as it is told, and remembers what it was asked.
#[pyclass(frozen, module = "claude_code.testing")]
pub(crate) struct Twin {
    brain: Arc<Scripted>,
    engines: Held<local::Twin>,
    dir: Option<PathBuf>,
}

#[pymethods]
impl Twin {
    #[new]
    #[pyo3(signature = (dir=None))]
    fn new(dir: Option<PathBuf>) -> Self {
        let brain = Arc::new(Scripted {
            script: Mutex::default(),
            rules: Mutex::default(),
            samples: Samples::built_in(),
        });
        // Results go to a directory of the client's own: here only Bedrock is asked.
        let engines = local::Twin::lazy(Path::new(""), brain.clone());
        Twin { brain, engines: Held::new(engines), dir }
    }

    /// Answers the next question with this text, as a model would write it; with `prompt`, every question that
    /// contains it, for which no other answer comes first.
    #[pyo3(signature = (text, *, prompt=None, times=1))]
    fn answer(&self, text: String, prompt: Option<String>, times: usize) {
        match prompt {
            Some(prompt) => self.brain.rules().push((prompt, text)),
            None => self.brain.script().extend(std::iter::repeat_n(Turn::Answer(text), times)),
        }
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
        self.brain.script().extend(std::iter::repeat_n(Turn::Refuse(reply), times));
        Ok(())
    }

    /// Plays the steps of a script, as `twin up --answers FILE` takes them, one for each question: its JSON.
    fn play(&self, py: Python<'_>, script: &str) -> PyResult<()> {
        let parsed = local::Scripted::parse(script, Arc::new(Samples::built_in()));
        let script = Arc::new(parsed.map_err(|error| raise(py, error))?);
        let steps = script.len();
        self.brain.script().extend(std::iter::repeat_n(Turn::Play(script), steps));
        Ok(())
    }

    /// Puts faults on the way of the next answer. latency: seconds before its status. pace: seconds before each
    /// further event. stall_at, break_at, cut_at: bytes after which nothing comes any more, the connection breaks,
    /// or the answer ends as if it were whole. damage: the number of an event whose checksum is made wrong.
    #[pyo3(signature = (*, latency=None, pace=None, stall_at=None, break_at=None, cut_at=None, damage=None, times=1))]
    #[expect(clippy::too_many_arguments, reason = "they are Python's keywords")]
    fn fault(
        &self,
        latency: Option<f64>,
        pace: Option<f64>,
        stall_at: Option<usize>,
        break_at: Option<usize>,
        cut_at: Option<usize>,
        damage: Option<usize>,
        times: usize,
    ) {
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let faults = [
            latency.map(time).map(Fault::Latency),
            pace.map(time).map(Fault::Pace),
            stall_at.map(Fault::StallAt),
            break_at.map(Fault::BreakAt),
            cut_at.map(Fault::CutAt),
            damage.map(Fault::Damage),
        ];
        let faults: Vec<Fault> = faults.into_iter().flatten().collect();
        self.brain.script().extend(std::iter::repeat_n(Turn::Faults(faults), times));
    }

    /// The next answer is a bug of ours: a panic in the middle of the call.
    #[pyo3(name = "_panic")]
    fn panic(&self) {
        self.brain.script().push_back(Turn::Panic);
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
        Ok(Shared::new(Link::to(config, twin)))
    }
}

fn sent(question: Question) -> Sent {
    let prompt = question.last_user_text().to_owned();
    let Question { model, system, max_tokens, temperature, .. } = question;
    Sent(SentFields { model, system, prompt, max_tokens, temperature })
}
