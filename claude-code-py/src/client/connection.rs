//! A connection and its settings: what clients with equal settings share.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use claude_code_aws::anthropic::Settings;
use claude_code_aws::connect::catalogue_of;
use claude_code_aws::connect::config::{Config, Provider, Store};
use claude_code_aws::local::{Twin, with_model_server};
use claude_code_aws::service_creator::{Creator, Services};
use claude_code_aws::{Catalogue, Connected, Error, Result};
use pyo3::prelude::*;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::client::answers::Answers;
use crate::client::shared::closed;
use crate::runtime::{Held, Process};

/// A connection, made by the first call. Clients with equal settings share it, and with it cache, budget and the
/// local engines, whose directory only one connection can have.
pub(crate) struct Link {
    pub(crate) config: Config,
    /// By which others find it; it goes with the connection, for keys are in it.
    identity: Option<Identity>,
    /// Who plays Bedrock, where it is not AWS.
    twin: Option<Held<Twin>>,
    connected: Mutex<Cell>,
}

/// A connection of a process, which a forked child makes anew.
struct Cell {
    process: &'static Process,
    open: Arc<OnceCell<Held<Open>>>,
}

impl Cell {
    fn new() -> Self {
        Cell { process: Process::current(), open: Arc::default() }
    }
}

/// A connection that is made.
struct Open {
    connected: Connected,
    services: OnceLock<Services>,
}

/// What two clients must have in common to share a connection: who is asked, with which keys, for what account.
#[derive(PartialEq)]
struct Identity {
    /// The settings, but for what their Debug hides:
    config: String,
    /// keys and servers.
    anthropic: Settings,
    /// What the AWS SDK takes from the environment.
    environment: BTreeMap<OsString, OsString>,
}

impl Identity {
    fn of(config: &Config) -> Self {
        let is_read = |name: &str| name.starts_with("AWS_") || matches!(name, "HOME" | "USERPROFILE");
        let environment =
            std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_read)).collect();
        Identity { config: format!("{config:?}"), anthropic: config.anthropic.clone(), environment }
    }
}

static LINKS: Mutex<Vec<Weak<Link>>> = Mutex::new(Vec::new());

impl Link {
    /// The connection for these settings. Scripted answers are one client's own.
    pub(crate) fn of(config: Config) -> Arc<Link> {
        if config.answers.is_some() {
            return Link::to(config, None);
        }
        let identity = Some(Identity::of(&config));
        let mut links = LINKS.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.strong_count() > 0);
        if let Some(link) = links.iter().filter_map(Weak::upgrade).find(|link| link.identity == identity) {
            return link;
        }
        let link = Arc::new(Link { config, identity, twin: None, connected: Mutex::new(Cell::new()) });
        links.push(Arc::downgrade(&link));
        link
    }

    /// A connection of its own, with a twin's Bedrock if there is one.
    pub(crate) fn to(mut config: Config, twin: Option<Twin>) -> Arc<Link> {
        if let Some(twin) = &twin {
            config.policy.answers_from = twin.answers_from().to_owned();
        }
        Arc::new(Link {
            config,
            identity: None,
            twin: twin.map(Held::new),
            connected: Mutex::new(Cell::new()),
        })
    }

    async fn connect(&self) -> Result<Held<Open>> {
        let connected = match self.twin.as_ref().and_then(Held::get) {
            Some(twin) => Connected::open(&self.config.clone().with_sdk_config(twin.sdk_config())).await?,
            None => Connected::open(&self.config).await?,
        };
        Ok(Held::new(Open { connected, services: OnceLock::new() }))
    }

    /// This process's connection, or its place.
    fn cell(&self) -> Arc<OnceCell<Held<Open>>> {
        let mut cell = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if !cell.process.is_current() {
            *cell = Cell::new();
        }
        cell.open.clone()
    }

    /// Connecting is boxed: it is needed once, and its state would be moved about with every call.
    async fn with<T>(&self, take: impl FnOnce(&Open) -> T) -> Result<T> {
        let cell = self.cell();
        let open = match cell.get() {
            Some(open) => open,
            None => Box::pin(cell.get_or_try_init(|| self.connect())).await?,
        };
        open.get().map(take).ok_or_else(closed)
    }

    /// The client, connected if need be.
    pub(crate) async fn client(&self) -> Result<claude_code_aws::Client> {
        self.with(|open| open.connected.client.clone()).await
    }

    /// The service creator beside the client.
    pub(crate) async fn creator(&self) -> Result<Creator> {
        self.with(|Open { connected, services }| {
            let services =
                services.get_or_init(|| claude_code_aws::storage::services::of(connected, &self.config));
            Creator::new(connected.client.clone(), services.clone())
        })
        .await
    }

    /// Whether there is anything to let go of.
    pub(crate) fn is_open(&self) -> bool {
        self.cell().initialized()
    }

    /// Lets go of connection and local state, if nobody else uses them. Only on the background thread.
    pub(crate) fn release(self: Arc<Self>) {
        if let Some(Link { twin, connected, .. }) = Arc::into_inner(self) {
            let cell = connected.into_inner().unwrap_or_else(PoisonError::into_inner);
            drop(Arc::into_inner(cell.open).and_then(OnceCell::into_inner).and_then(Held::into_inner));
            drop(twin.and_then(Held::into_inner));
        }
    }

    /// The settings as a doctor looks at them: a twin's Bedrock is as good as the samples'.
    pub(crate) fn examined(&self) -> Config {
        match self.twin {
            Some(_) => Config { provider: Provider::Samples, ..self.config.clone() },
            None => self.config.clone(),
        }
    }

    /// The settings as batch jobs need them: a twin runs its own.
    pub(crate) fn submitting(&self) -> Config {
        match self.twin.as_ref().and_then(Held::get) {
            Some(twin) => {
                let answers = Some(twin.clone());
                Config { provider: Provider::Samples, answers, ..self.config.clone() }
            }
            None => self.config.clone(),
        }
    }
}

/// Before a fork: closes the connections to local databases that no call uses. The next call opens them again.
pub(crate) fn close_idle(runtime: &Handle) {
    let links = LINKS.lock().unwrap_or_else(PoisonError::into_inner);
    for link in links.iter().filter_map(Weak::upgrade) {
        if link.config.store.unwrap_or(link.config.default_store) != Store::Disk {
            continue;
        }
        let cell = std::mem::replace(
            &mut *link.connected.lock().unwrap_or_else(PoisonError::into_inner),
            Cell::new(),
        );
        let _context = runtime.enter();
        drop(Arc::into_inner(cell.open).and_then(OnceCell::into_inner).and_then(Held::into_inner));
    }
}

/// The settings of the environment, changed by what was given.
pub(crate) fn from_env(
    provider: Option<&str>,
    region: Option<String>,
    store: Option<&str>,
) -> Result<Config> {
    let mut vars: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    for (name, given) in [("CLAUDE_CODE_AWS_PROVIDER", provider), ("CLAUDE_CODE_AWS_STORE", store)] {
        if let Some(given) = given {
            vars.push((name.to_owned(), given.to_owned()));
        }
    }
    let config = Config::from_vars(vars)?;
    // A Python program's spans are its own OpenTelemetry's: two exporters would tell each call twice.
    Ok(Config { region, default_store: Store::Disk, otlp: None, ..config })
}

/// The settings with the model and the time of requests that name none.
pub(crate) fn with_defaults(mut config: Config, model: Option<String>, timeout: Option<Duration>) -> Config {
    config.policy.model = model.or(config.policy.model);
    config.policy.total = timeout.unwrap_or(config.policy.total);
    config
}

/// What names a catalogue: the JSON of a dict, else a path.
pub(crate) fn catalogue_text(given: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = given.extract::<String>() {
        return Ok(text);
    }
    if let Ok(path) = given.extract::<PathBuf>() {
        return Ok(path.to_string_lossy().into_owned());
    }
    let fields = given.py().import("builtins")?.call_method1("dict", (given,))?;
    given.py().import("json")?.call_method1("dumps", (fields,))?.extract()
}

/// The settings with models and prices of one's own.
pub(crate) fn with_catalogue(mut config: Config, given: Option<&str>) -> Result<Config> {
    let Some(given) = given else { return Ok(config) };
    config.policy.catalogue = match given.trim_start().starts_with('{') {
        true => Catalogue::with_changes(given)
            .map_err(|error| Error::invalid(format!("catalogue: {}", error.message())))?,
        false => catalogue_of(Path::new(given), "catalogue")?,
    };
    Ok(config)
}

/// The settings of a client that needs no account. A store in AWS is none for it.
pub(crate) fn offline(dir: Option<PathBuf>, answers: Answers) -> Result<Config> {
    let mut config = from_env(Some("samples"), None, None)?;
    match answers {
        Answers::Samples => {}
        Answers::Played(twin) => config.answers = Some(twin),
        Answers::Server(url, model) => {
            config = with_model_server(config, Some(Path::new("")), &url, model.as_deref())?;
        }
    }
    config.store = match dir {
        Some(_) => Some(Store::Disk),
        None => config.store.filter(|store| *store != Store::Aws),
    };
    Ok(Config { local_dir: dir.or(config.local_dir.clone()), ..config })
}
