//! The two clients: the same calls, waited for or awaited.

use std::path::PathBuf;
use std::sync::Arc;

use claude_code_aws::local::Samples;
use claude_code_aws::request::{GenerateRequest, Work};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::client::answers::Answers;
use crate::client::batch::{AsyncBatch, Batch, Batching};
use crate::client::batch_plan::BatchPlan;
use crate::client::connection::{self, Link};
use crate::client::recipe::{Recipe, Reduced};
use crate::client::service;
use crate::client::shared::Shared;
use crate::client::stream::{AsyncStream, Stream};
use crate::convert::error::raise;
use crate::convert::options::{self, Options, signature};
use crate::result::generation::Origin;
use crate::result::store::{AsyncResults, Results};
use crate::result::values::Estimate;
use crate::runtime::call::{Awaitable, awaitable, ready, wait};

fn sample_prompts() -> Vec<String> {
    Samples::built_in().prompts().into_iter().map(str::to_owned).collect()
}

/// Generates code with Claude on AWS. Settings come from the environment (CLAUDE_CODE_AWS_…), credentials and region
/// by AWS's standard chain; what is passed here goes before. Nothing is sent, opened or connected before the first call.
///
/// provider: bedrock, anthropic or samples. region: an AWS region. model: a model id, or haiku, sonnet, opus. store:
/// none, disk or aws; by default results, cache and budgets are kept in ~/.claude-code-aws. timeout: seconds from the
/// first send of a call to its end (900). catalogue: models added and prices corrected, as a dict or the path of a JSON file;
/// CLAUDE_CODE_AWS_CATALOGUE otherwise.
///
/// >>> client = Client.local()
/// >>> generation = client.generate("Write a Python function that reverses a string.", store=False)
/// >>> generation.accepted, generation.language
/// (True, 'python')
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct Client(pub(crate) Arc<Shared>);

/// As Client, for asyncio: generate and refactor are awaited, streams are read with `async for`. Works in any number of
/// event loops; nothing runs before the first await, and cancelling a task closes its request.
#[pyclass(frozen, module = "claude_code")]
pub(crate) struct AsyncClient(pub(crate) Arc<Shared>);

/// A task over given code.
fn task(
    work: Work,
    code: &Bound<'_, PyAny>,
    instructions: Option<String>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Options> {
    let files = options::code(code, options)?;
    let words = instructions.unwrap_or_else(|| work.usual_words().to_owned());
    Options::read(GenerateRequest { files, ..GenerateRequest::new(words).with_work(work) }, options)
}

/// What both clients have, in one way of waiting for it.
macro_rules! client {
    (
        $client:ident, $stream:ident, $batch:ident, $results:ident, is_async: $is_async:literal, gives: $gives:ty,
        |$py:ident, $name:ident, $work:ident| $face:expr, $($more:tt)*
    ) => {
        #[pymethods]
        impl $client {
            #[new]
            #[pyo3(signature = (*, provider=None, region=None, model=None, store=None, timeout=None, catalogue=None))]
            fn new(
                py: Python<'_>,
                provider: Option<&str>,
                region: Option<String>,
                model: Option<String>,
                store: Option<&str>,
                timeout: Option<&Bound<'_, PyAny>>,
                catalogue: Option<&Bound<'_, PyAny>>,
            ) -> PyResult<Self> {
                let timeout = timeout.map(options::seconds).transpose()?;
                let catalogue = catalogue.map(connection::catalogue_text).transpose()?;
                let texts = [
                    ("provider", provider.map(str::to_owned)),
                    ("region", region.clone()),
                    ("model", model.clone()),
                    ("store", store.map(str::to_owned)),
                    ("catalogue", catalogue.clone()),
                ];
                let recipe = Recipe::of(texts, timeout.map(|time| time.as_secs_f64()));
                let config = connection::from_env(provider, region, store)
                    .and_then(|config| connection::with_catalogue(config, catalogue.as_deref()))
                    .map_err(|error| raise(py, error))?;
                Ok($client(Shared::new(Link::of(connection::with_defaults(config, model, timeout)), recipe)))
            }

            /// A client that needs no account and no network: the sample answers that come with the package
            /// (`samples()` lists their prompts), results and cache in `dir` (~/.claude-code-aws).
            ///
            /// answers: who answers instead. A list is a script, one step for each question: a text is an answer, a
            /// dict has `answer` or `error`, `faults` and `times`, as `claude_code.testing.Twin.play` tells; after the
            /// last step sample answers follow. A path is such a script as a JSON file, {"steps": [...]}, a directory of
            /// recorded exchanges, or one of Markdown files with sample answers. A URL is a model server: one that ends in
            /// /v1 or /chat/completions is asked by OpenAI's API (Ollama, llama.cpp, vLLM), any other by the Messages API;
            /// `answers_model` is the name of its model. Answers of a script are labelled as samples and cost nothing.
            ///
            /// >>> client = Client.local(answers=["```python hello.py\nprint('hello')\n```"])
            /// >>> client.generate("a greeting", store=False).code
            /// "print('hello')\n"
            #[staticmethod]
            #[pyo3(
                signature = (dir=None, *, answers=None, answers_model=None),
                text_signature = "(dir=None, *, answers='samples', answers_model=None)"
            )]
            fn local(
                py: Python<'_>,
                dir: Option<PathBuf>,
                answers: Option<&Bound<'_, PyAny>>,
                answers_model: Option<String>,
            ) -> PyResult<Self> {
                let place = dir.as_ref().map(|dir| dir.to_string_lossy().into_owned());
                let recipe = Recipe::local(place, answers, answers_model.clone());
                let who = Answers::read(answers)?.with_model(py, answers_model)?;
                let config = connection::offline(dir, who).map_err(|error| raise(py, error))?;
                Ok($client(Shared::new(Link::of(config), recipe)))
            }

            /// The prompts that have an answer offline.
            fn samples(&self) -> Vec<String> {
                sample_prompts()
            }

            /// The models of this client's catalogue, each a dict: name, id (as it is asked for; None where it cannot be
            /// reached), family, context_window, max_output_tokens, end_of_life, successor.
            fn models(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
                let models = self.0.models().map_err(|error| raise(py, error))?;
                crate::convert::json::to_python(py, &models)
            }

            #[doc = concat!("generate($self, prompt, *, instructions=None, ", signature!(), ")\n--\n\n")]
            #[doc = include_str!("../../docs/generate.md")]
            #[pyo3(signature = (prompt, **options), text_signature = None)]
            fn generate(
                &self,
                $py: Python<'_>,
                prompt: String,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<$gives> {
                let options = Options::read(GenerateRequest::new(prompt), options)?;
                let ($name, $work) = ("generate", Shared::generate($py, &self.origin(), options));
                $face
            }

            #[doc = concat!("refactor($self, code_or_files, *, instructions, ", signature!(), ")\n--\n\n")]
            #[doc = include_str!("../../docs/refactor.md")]
            #[pyo3(signature = (code_or_files, *, instructions, **options), text_signature = None)]
            fn refactor(
                &self,
                $py: Python<'_>,
                code_or_files: &Bound<'_, PyAny>,
                instructions: String,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<$gives> {
                let files = options::code(code_or_files, options)?;
                let options = Options::read(GenerateRequest::refactor(files, instructions), options)?;
                let ($name, $work) = ("refactor", Shared::generate($py, &self.origin(), options));
                $face
            }

            #[doc = concat!("explain($self, code_or_files, *, instructions=None, ", signature!(), ")\n--\n\n")]
            /// Says what code is for and how it works: words in .text, or a Markdown file. Takes code and options as refactor.
            #[pyo3(signature = (code_or_files, *, instructions=None, **options), text_signature = None)]
            fn explain(
                &self,
                $py: Python<'_>,
                code_or_files: &Bound<'_, PyAny>,
                instructions: Option<String>,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<$gives> {
                let options = task(Work::Explain, code_or_files, instructions, options)?;
                let ($name, $work) = ("explain", Shared::generate($py, &self.origin(), options));
                $face
            }

            #[doc = concat!("review($self, code_or_files, *, instructions=None, ", signature!(), ")\n--\n\n")]
            /// Says what is wrong or risky in code: words in .text, or a Markdown file. Takes code and options as refactor.
            #[pyo3(signature = (code_or_files, *, instructions=None, **options), text_signature = None)]
            fn review(
                &self,
                $py: Python<'_>,
                code_or_files: &Bound<'_, PyAny>,
                instructions: Option<String>,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<$gives> {
                let options = task(Work::Review, code_or_files, instructions, options)?;
                let ($name, $work) = ("review", Shared::generate($py, &self.origin(), options));
                $face
            }

            #[doc = concat!("test($self, code_or_files, *, instructions=None, ", signature!(), ")\n--\n\n")]
            /// Writes tests for code. Takes code and options as refactor.
            #[pyo3(signature = (code_or_files, *, instructions=None, **options), text_signature = None)]
            fn test(
                &self,
                $py: Python<'_>,
                code_or_files: &Bound<'_, PyAny>,
                instructions: Option<String>,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<$gives> {
                let options = task(Work::Test, code_or_files, instructions, options)?;
                let ($name, $work) = ("test", Shared::generate($py, &self.origin(), options));
                $face
            }

            #[doc = concat!("document($self, code_or_files, *, instructions=None, ", signature!(), ")\n--\n\n")]
            /// Writes the documentation of code into it; .diff says what changed. Takes code and options as refactor.
            #[pyo3(signature = (code_or_files, *, instructions=None, **options), text_signature = None)]
            fn document(
                &self,
                $py: Python<'_>,
                code_or_files: &Bound<'_, PyAny>,
                instructions: Option<String>,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<$gives> {
                let options = task(Work::Document, code_or_files, instructions, options)?;
                let ($name, $work) = ("document", Shared::generate($py, &self.origin(), options));
                $face
            }

            #[doc = concat!("stream($self, prompt, *, instructions=None, ", signature!(), ")\n--\n\n")]
            #[doc = include_str!("../../docs/stream.md")]
            #[pyo3(signature = (prompt, **options), text_signature = None)]
            fn stream(
                &self,
                py: Python<'_>,
                prompt: String,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<$stream> {
                let options = Options::read(GenerateRequest::new(prompt), options)?;
                Ok($stream::new(py, self.origin(), options))
            }

            #[doc = include_str!("../../docs/batch.md")]
            #[pyo3(signature = (
                requests, *, concurrency=16, journal=None, progress=None, max_usd=None, tokens_per_minute=None,
                lane="auto", deadline=None
            ))]
            #[allow(clippy::too_many_arguments, reason = "Python's own arguments")]
            fn batch(
                &self,
                requests: &Bound<'_, PyAny>,
                concurrency: i64,
                journal: Option<PathBuf>,
                progress: Option<&Bound<'_, PyAny>>,
                max_usd: Option<&Bound<'_, PyAny>>,
                tokens_per_minute: Option<u64>,
                lane: &str,
                deadline: Option<f64>,
            ) -> PyResult<$batch> {
                let py = requests.py();
                let plan = BatchPlan::read(py, journal, max_usd, tokens_per_minute, lane, deadline)?;
                Batching::new(self.origin(), requests, concurrency, plan, progress).map($batch)
            }

            #[doc = concat!("estimate($self, prompt, *, instructions=None, ", signature!(), ")\n--\n\n")]
            #[doc = include_str!("../../docs/estimate.md")]
            #[pyo3(signature = (prompt, **options), text_signature = None)]
            fn estimate(
                &self,
                py: Python<'_>,
                prompt: String,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<Estimate> {
                let options = Options::read(GenerateRequest::new(prompt), options)?;
                self.0.estimate(options.request).map_err(|error| raise(py, error))
            }

            /// The spending of the current UTC day, in dollars, and whether sending was stopped.
            fn budget(&self, $py: Python<'_>) -> PyResult<$gives> {
                let ($name, $work) = ("budget", self.0.clone().budget());
                $face
            }

            /// From now on nothing is sent: every client over the same state refuses with BudgetExceededError within
            /// two seconds. What is under way runs to its end.
            fn stop_budget(&self, $py: Python<'_>) -> PyResult<$gives> {
                let ($name, $work) = ("stop_budget", self.0.clone().stop_budget());
                $face
            }

            /// Ends a stop, within two seconds for every client.
            fn resume_budget(&self, $py: Python<'_>) -> PyResult<$gives> {
                let ($name, $work) = ("resume_budget", self.0.clone().resume_budget());
                $face
            }

            /// Looks at everything that this client needs and gives a list of Finding; what is not `ok` says in `fix` what to
            /// do. Sends nothing to a model.
            fn doctor(&self, $py: Python<'_>) -> PyResult<$gives> {
                let ($name, $work) = ("doctor", self.0.clone().doctor());
                $face
            }

            /// A conversation that describes a cloud service in seven answers and then writes its six files; with the
            /// `id` of one that was begun before, that one.
            #[pyo3(signature = (id=None))]
            fn service(&self, $py: Python<'_>, id: Option<String>) -> PyResult<$gives> {
                let ($name, $work) = ("service", service::open(self.origin(), id));
                $face
            }

            /// Stored results: list, get, download, delete.
            #[getter]
            fn results(&self) -> $results {
                $results(self.origin())
            }

            /// Lets go of connections and local state. Calls after it fail; results that are there stay good.
            fn close(&self, py: Python<'_>) -> PyResult<()> {
                self.0.close().map_or(Ok(()), |work| wait(py, work).map(drop))
            }

            fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
                let recipe = slf.get().0.recipe().map_err(|error| raise(slf.py(), error))?;
                recipe.reduced(slf.get_type())
            }

            fn __repr__(&self) -> String {
                self.0.describe(stringify!($client))
            }

            $($more)*
        }

        impl $client {
            fn origin(&self) -> Origin {
                Origin { client: self.0.clone(), is_async: $is_async }
            }
        }
    };
}

client! {
    Client, Stream, Batch, Results, is_async: false, gives: Py<PyAny>, |py, _name, work| wait(py, work),

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exc))]
    fn __exit__(&self, py: Python<'_>, _exc: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }
}

client! {
    AsyncClient, AsyncStream, AsyncBatch, AsyncResults, is_async: true, gives: Awaitable, |_py, name, work| Ok(awaitable(name, work)),

    /// As close, without blocking the event loop.
    fn aclose(&self, py: Python<'_>) -> Awaitable {
        match self.0.close() {
            Some(work) => awaitable("aclose", work),
            None => ready("aclose", py.None()),
        }
    }

    fn __aenter__(slf: Py<Self>) -> Awaitable {
        ready("__aenter__", slf.into_any())
    }

    #[pyo3(signature = (*_exc))]
    fn __aexit__(&self, py: Python<'_>, _exc: &Bound<'_, PyTuple>) -> Awaitable {
        self.aclose(py)
    }
}
