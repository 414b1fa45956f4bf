//! The two clients: the same calls, waited for or awaited.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use claude_code_aws::clock::SystemClock;
use claude_code_aws::config::{Config, Provider, Store};
use claude_code_aws::local::{Samples, Twin};
use claude_code_aws::request::GenerateRequest;
use claude_code_aws::{Clock, Error, Kind, Result, Scope, plan};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tokio::sync::OnceCell;

use crate::call::{Awaitable, Work, awaitable, ready, wait, work};
use crate::error::raise;
use crate::generation::{Generation, Origin};
use crate::options::{self, Options, signature};
use crate::runtime::Held;
use crate::store::{AsyncResults, Results};
use crate::stream::{AsyncStream, Stream, follow};
use crate::tally;
use crate::values::{Budget, Estimate};

/// What a client is: settings, the defaults of its requests, and the connection that it shares.
pub(crate) struct Shared {
    link: Mutex<Option<Arc<Link>>>,
    model: Option<String>,
    timeout: Option<Duration>,
}

/// A connection, made by the first call. Clients with equal settings share it, and with it cache, budget and the
/// local engines, whose directory only one connection can have.
pub(crate) struct Link {
    config: Config,
    /// Who plays Bedrock, where it is not AWS.
    twin: Option<Held<Twin>>,
    connected: OnceCell<Held<claude_code_aws::Client>>,
}

static LINKS: Mutex<Vec<(String, Weak<Link>)>> = Mutex::new(Vec::new());

impl Link {
    fn of(config: Config) -> Arc<Link> {
        let key = format!("{config:?}");
        let mut links = LINKS.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|(_, link)| link.strong_count() > 0);
        if let Some(link) = links.iter().find(|(other, _)| *other == key).and_then(|(_, link)| link.upgrade())
        {
            return link;
        }
        let link = Link::to(config, None);
        links.push((key, Arc::downgrade(&link)));
        link
    }

    /// A connection of its own, with a twin's Bedrock if there is one.
    pub(crate) fn to(config: Config, twin: Option<Twin>) -> Arc<Link> {
        Arc::new(Link { config, twin: twin.map(Held::new), connected: OnceCell::new() })
    }

    async fn connect(&self) -> Result<Held<claude_code_aws::Client>> {
        let config = self.config.clone();
        let client = match self.twin.as_ref().and_then(Held::get) {
            Some(twin) => claude_code_aws::connect_with(&twin.sdk_config(), config).await?,
            None => claude_code_aws::connect(config).await?,
        };
        Ok(Held::new(client))
    }
}

impl Shared {
    pub(crate) fn new(link: Arc<Link>, model: Option<String>, timeout: Option<Duration>) -> Arc<Shared> {
        Arc::new(Shared { link: Mutex::new(Some(link)), model, timeout })
    }

    fn link(&self) -> Result<Arc<Link>> {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner).clone();
        link.ok_or_else(closed)
    }

    /// The connection, made if need be.
    pub(crate) async fn core(&self) -> Result<claude_code_aws::Client> {
        let link = self.link()?;
        let connected = link.connected.get_or_try_init(|| link.connect()).await?;
        connected.get().cloned().ok_or_else(closed)
    }

    fn close(&self) {
        drop(self.link.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// A request with the client's defaults.
    pub(crate) fn request(&self, mut request: GenerateRequest) -> GenerateRequest {
        request.model = self.model.clone();
        request.timeout = self.timeout;
        request
    }

    /// The one work of generate, refactor and refine.
    pub(crate) fn generate(origin: &Origin, options: Options) -> Work {
        let Options { request, on_event } = options;
        if let Some(on_event) = on_event {
            return follow(origin.clone(), request, on_event);
        }
        let origin = origin.clone();
        work(async move {
            let generation = origin.client.core().await?.generate(request).await?;
            tally::count(&generation.receipt);
            Ok(Generation::made(Arc::new(generation), origin))
        })
    }

    fn budget(self: Arc<Self>) -> Work {
        work(async move { Ok(Budget::from(self.core().await?.budget().await?)) })
    }

    /// What a request would come to: without a connection, so that it needs no credentials.
    fn estimate(&self, request: GenerateRequest) -> Result<Estimate> {
        let link = self.link()?;
        let config = &link.config;
        let provider = match config.provider {
            Provider::Bedrock => "bedrock",
            Provider::Anthropic => "anthropic",
            Provider::Samples => "samples",
        };
        let mut policy = config.policy.clone();
        policy.samples = config.provider == Provider::Samples;
        // No result comes of it: it needs no id.
        let plan = plan::draw(request, &policy, provider, &Scope::local(), String::new(), SystemClock.now())?;
        Ok(plan.estimate().into())
    }

    fn describe(&self, name: &str) -> String {
        let Ok(link) = self.link() else { return format!("<{name}, closed>") };
        let store = link.config.store.unwrap_or(link.config.default_store);
        format!("<{name}, provider {:?}, store {store:?}>", link.config.provider).to_lowercase().replacen(
            &name.to_lowercase(),
            name,
            1,
        )
    }
}

fn closed() -> Error {
    Error::new(Kind::InvalidRequest, "the client is closed: make another one")
}

/// The settings of the environment, changed by what was given.
fn from_env(provider: Option<&str>, region: Option<String>, store: Option<&str>) -> Result<Config> {
    let mut vars: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    for (name, given) in [("CLAUDE_CODE_AWS_PROVIDER", provider), ("CLAUDE_CODE_AWS_STORE", store)] {
        if let Some(given) = given {
            vars.push((name.to_owned(), given.to_owned()));
        }
    }
    let config = Config::from_vars(vars)?;
    Ok(Config { region, default_store: Store::Disk, ..config })
}

/// The settings of a client that needs no account. A store in AWS is none for it.
fn offline(dir: Option<PathBuf>, answers: &str) -> Result<Config> {
    if answers != "samples" {
        return Err(Error::invalid(format!("answers {answers:?} is not \"samples\"")));
    }
    let config = from_env(Some("samples"), None, None)?;
    let store = match dir {
        Some(_) => Some(Store::Disk),
        None => config.store.filter(|store| *store != Store::Aws),
    };
    Ok(Config { store, local_dir: dir.or(config.local_dir.clone()), ..config })
}

fn sample_prompts() -> Vec<String> {
    Samples::built_in().prompts().into_iter().map(str::to_owned).collect()
}

/// Generates code with Claude on AWS. Settings come from the environment (CLAUDE_CODE_AWS_…), credentials and region
/// by AWS's standard chain; what is passed here goes before. Nothing is sent, opened or connected before the first call.
///
/// provider: bedrock, anthropic or samples. region: an AWS region. model: a model id, or haiku, sonnet, opus. store:
/// none, disk or aws; by default results, cache and budgets are kept in ~/.claude-code-aws. timeout: seconds from the
/// first send of a call to its end (900).
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

/// What both clients have, in one way of waiting for it.
macro_rules! client {
    (
        $client:ident, $stream:ident, $results:ident, is_async: $is_async:literal, gives: $gives:ty,
        |$py:ident, $name:ident, $work:ident| $face:expr, $($more:tt)*
    ) => {
        #[pymethods]
        impl $client {
            #[new]
            #[pyo3(signature = (*, provider=None, region=None, model=None, store=None, timeout=None))]
            fn new(
                py: Python<'_>,
                provider: Option<&str>,
                region: Option<String>,
                model: Option<String>,
                store: Option<&str>,
                timeout: Option<&Bound<'_, PyAny>>,
            ) -> PyResult<Self> {
                let timeout = timeout.map(options::seconds).transpose()?;
                let config = from_env(provider, region, store).map_err(|error| raise(py, error))?;
                Ok($client(Shared::new(Link::of(config), model, timeout)))
            }

            /// A client that needs no account and no network: the sample answers that come with the package
            /// (`samples()` lists their prompts), results and cache in `dir` (~/.claude-code-aws).
            #[staticmethod]
            #[pyo3(signature = (dir=None, *, answers="samples"))]
            fn local(py: Python<'_>, dir: Option<PathBuf>, answers: &str) -> PyResult<Self> {
                let config = offline(dir, answers).map_err(|error| raise(py, error))?;
                Ok($client(Shared::new(Link::of(config), None, None)))
            }

            /// The prompts that have an answer offline.
            fn samples(&self) -> Vec<String> {
                sample_prompts()
            }

            #[doc = concat!("generate($self, prompt, *, instructions=None, ", signature!(), ")\n--\n\n")]
            #[doc = include_str!("../docs/generate.md")]
            #[pyo3(signature = (prompt, **options), text_signature = None)]
            fn generate(
                &self,
                $py: Python<'_>,
                prompt: String,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<$gives> {
                let options = Options::read(self.0.request(GenerateRequest::new(prompt)), options)?;
                let ($name, $work) = ("generate", Shared::generate(&self.origin(), options));
                $face
            }

            #[doc = concat!("refactor($self, code_or_files, *, instructions, ", signature!(), ")\n--\n\n")]
            #[doc = include_str!("../docs/refactor.md")]
            #[pyo3(signature = (code_or_files, *, instructions, **options), text_signature = None)]
            fn refactor(
                &self,
                $py: Python<'_>,
                code_or_files: &Bound<'_, PyAny>,
                instructions: String,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<$gives> {
                let files = options::code(code_or_files, options)?;
                let request = self.0.request(GenerateRequest::refactor(files, instructions));
                let options = Options::read(request, options)?;
                let ($name, $work) = ("refactor", Shared::generate(&self.origin(), options));
                $face
            }

            #[doc = concat!("stream($self, prompt, *, instructions=None, ", signature!(), ")\n--\n\n")]
            #[doc = include_str!("../docs/stream.md")]
            #[pyo3(signature = (prompt, **options), text_signature = None)]
            fn stream(&self, prompt: String, options: Option<&Bound<'_, PyDict>>) -> PyResult<$stream> {
                let options = Options::read(self.0.request(GenerateRequest::new(prompt)), options)?;
                Ok($stream::new(self.origin(), options.request))
            }

            #[doc = concat!("estimate($self, prompt, *, instructions=None, ", signature!(), ")\n--\n\n")]
            #[doc = include_str!("../docs/estimate.md")]
            #[pyo3(signature = (prompt, **options), text_signature = None)]
            fn estimate(
                &self,
                py: Python<'_>,
                prompt: String,
                options: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<Estimate> {
                let options = Options::read(self.0.request(GenerateRequest::new(prompt)), options)?;
                self.0.estimate(options.request).map_err(|error| raise(py, error))
            }

            /// The spending of the current UTC day: cap, spent, reserved, in dollars.
            fn budget(&self, $py: Python<'_>) -> PyResult<$gives> {
                let ($name, $work) = ("budget", self.0.clone().budget());
                $face
            }

            /// Stored results: list, get, delete.
            #[getter]
            fn results(&self) -> $results {
                $results(self.origin())
            }

            /// Lets go of connections and local state. Calls after it fail; results that are there stay good.
            fn close(&self) {
                self.0.close();
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
    Client, Stream, Results, is_async: false, gives: Py<PyAny>, |py, _name, work| wait(py, work),

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exc))]
    fn __exit__(&self, _exc: &Bound<'_, PyTuple>) {
        self.0.close();
    }
}

client! {
    AsyncClient, AsyncStream, AsyncResults, is_async: true, gives: Awaitable, |_py, name, work| Ok(awaitable(name, work)),

    fn __aenter__(slf: Py<Self>) -> Awaitable {
        ready("__aenter__", slf.into_any())
    }

    #[pyo3(signature = (*_exc))]
    fn __aexit__(&self, py: Python<'_>, _exc: &Bound<'_, PyTuple>) -> Awaitable {
        self.0.close();
        ready("__aexit__", py.None())
    }
}
