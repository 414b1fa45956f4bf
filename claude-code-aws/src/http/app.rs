//! Application state that the handlers share, and the settings of the HTTP API.

#[cfg(feature = "local")]
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::service_creator::Services;
use claude_code_core::state::idempotency::Idempotency;
use claude_code_core::state::jobs::Jobs;
use claude_code_core::state::{OnlyIf, PutError, StateKey, StateKind};
use claude_code_core::{Client, Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::auth::credentials::Authentication;
use super::jobs::pool::JobPool;
use super::jobs::queue::Queue;
use super::request::receive::Receivers;
use super::response::links::Links;
use crate::connect::Connected;
use crate::connect::config::{Config, Store};
use crate::metrics::Observers;
use crate::storage::services;
#[cfg(feature = "local")]
use crate::{connect::connected_to, local::Twin};

/// How often a server that ends looks whether all is done.
const LOOK: Duration = Duration::from_millis(20);

/// Settings of the HTTP API beside those of the client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who may come in.
    pub(super) authentication: Authentication,
    /// Origins that browsers may call from, as `https://app.example`; others get no CORS header.
    pub(super) origins: Vec<String>,
    /// Requests that are worked on at the same time, and jobs beside them; what comes beyond is shed.
    pub(super) concurrency: usize,
    /// Answers over so many bytes have URLs in place of content, where the result is stored.
    pub(super) inline_bytes: usize,
    /// Whether jobs may go on after an answer: not where the host is frozen then.
    pub(super) background: bool,
    /// The longest time for one request; none: the client's.
    pub(super) total: Option<Duration>,
    /// How long a caller may take to send the head of a request, and again its body.
    pub(super) timeouts: Duration,
    /// How long what has begun may take to its end once the server is told to end.
    pub(super) last_answers: Duration,
    /// Whether Lambda streams answers.
    pub(super) streams: bool,
    /// Threads that requests are worked on by; none: those that take the connections.
    pub(super) workers: Option<Handle>,
    /// The member of a custom authorizer's context that tells who calls.
    pub(super) authorizer_claim: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            authentication: Authentication::Open,
            origins: Vec::new(),
            concurrency: 64,
            inline_bytes: usize::MAX,
            background: true,
            total: None,
            // A megabyte over a slow mobile line; who is slower than that holds places for others.
            timeouts: Duration::from_secs(30),
            last_answers: Duration::from_secs(30),
            streams: false,
            workers: None,
            authorizer_claim: "principalId".to_owned(),
        }
    }
}

impl Settings {
    /// With these bearer tokens, each a scope of its own. Without any, everybody who reaches the address is let in.
    pub fn with_tokens(mut self, tokens: impl IntoIterator<Item = String>) -> Self {
        let tokens: Vec<String> = tokens.into_iter().filter(|token| !token.is_empty()).collect();
        self.authentication =
            if tokens.is_empty() { Authentication::Open } else { Authentication::tokens(&tokens) };
        self
    }

    /// With this bearer token for everybody on this machine: other users' processes reach loopback too. Who has it is the
    /// machine's own user.
    pub fn with_local_token(mut self, token: &str) -> Self {
        self.authentication = Authentication::local(token);
        self
    }

    /// With these origins, which browsers may call from.
    pub fn with_origins(mut self, origins: Vec<String>) -> Self {
        self.origins = origins;
        self
    }

    /// With room for so many requests at the same time. Jobs are worked on apart from them, as many at a time; four
    /// times as many may wait.
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// With URLs in place of content in answers over so many bytes, where the result is stored.
    pub fn with_inline_bytes(mut self, bytes: usize) -> Self {
        self.inline_bytes = bytes;
        self
    }

    /// With at most this time for a request; else the client's own limit counts.
    pub fn with_total(mut self, total: Duration) -> Self {
        self.total = Some(total);
        self
    }

    /// With this time for a caller to send the head of a request, and again for its body.
    pub fn with_patience(mut self, timeouts: Duration) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// With this time for answers and jobs that have begun, once the server is told to end.
    pub fn with_last_answers(mut self, time: Duration) -> Self {
        self.last_answers = time;
        self
    }

    /// With answers that Lambda streams.
    pub fn with_response_streaming(mut self, streams: bool) -> Self {
        self.streams = streams;
        self
    }

    /// With requests worked on by this runtime's threads: those that take the connections and tell the server's health
    /// never wait for a file to be checked.
    pub fn with_workers(mut self, workers: Handle) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Without work that goes on after an answer: `Prefer: respond-async` is honoured over a queue only.
    pub fn without_background(mut self) -> Self {
        self.background = false;
        self
    }

    /// Behind API Gateway or a function URL with IAM: whom the gateway vouches for comes in. A load balancer vouches for
    /// nobody: with these tokens, each a scope of its own, its callers come in too.
    pub fn behind_gateway(mut self, tokens: impl IntoIterator<Item = String>) -> Self {
        let tokens: Vec<String> = tokens.into_iter().filter(|token| !token.is_empty()).collect();
        self.authentication = Authentication::gateway(&tokens);
        self
    }

    /// With this member of a custom authorizer's context as the one that tells who calls.
    pub fn with_authorizer_claim(mut self, claim: impl Into<String>) -> Self {
        self.authorizer_claim = claim.into();
        self
    }
}

/// The application behind the router. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct App {
    pub(super) client: Client,
    pub(super) services: Services,
    pub(super) jobs: Jobs,
    pub(super) idempotency: Idempotency,
    pub(super) links: Option<Arc<Links>>,
    pub(super) queue: Option<Arc<Queue>>,
    pub(super) settings: Arc<Settings>,
    /// The longest time for one request.
    pub(super) total: Duration,
    pub(super) room: Arc<Semaphore>,
    pub(super) receivers: Receivers,
    pub(super) job_pool: JobPool,
    pub(super) observers: Observers,
    /// Where results go, for /health.
    store: Arc<Mutex<&'static str>>,
}

impl App {
    /// The application over a client of the caller's own. Conversations are kept in memory, and results have no
    /// download URLs: [`connect`](Self::connect) gives both.
    pub fn new(client: Client, settings: Settings) -> Self {
        App::over(
            Connected { client, places: None, observers: Observers::default() },
            &Config::default(),
            settings,
        )
    }

    /// The application for these settings, as [`connect()`](crate::connect()) makes its client.
    pub async fn connect(config: &Config, settings: Settings) -> Result<Self> {
        let connected = Connected::open(config).await?;
        let queue = match (&config.jobs_queue_url, &connected.places) {
            (None, _) => None,
            (Some(url), Some(places)) if places.is_shared() => {
                Some((aws_sdk_sqs::Client::new(&places.sdk), url.clone()))
            }
            (Some(_), _) => {
                return Err(Error::invalid(
                    "CLAUDE_CODE_AWS_JOBS_QUEUE_URL is set and jobs are kept where no other process finds them: set \
                     CLAUDE_CODE_AWS_STORE to aws",
                ));
            }
        };
        let app = App::over(connected, config, settings);
        Ok(match queue {
            Some((sqs, url)) => app.with_queue(sqs, &url),
            None => app,
        })
    }

    /// With jobs handed to workers over this queue; [`lambda`](super::host::lambda) takes them from it.
    pub fn with_queue(mut self, sqs: aws_sdk_sqs::Client, url: &str) -> Self {
        self.queue = Some(Arc::new(Queue::new(sqs, url)));
        self
    }

    /// The application on the local twin: sample answers, everything kept in `directory`.
    #[cfg(feature = "local")]
    pub async fn local(directory: impl AsRef<Path>, settings: Settings) -> Result<Self> {
        App::on(&Twin::open(directory.as_ref())?, settings).await
    }

    /// The application on a twin that is open already.
    #[cfg(feature = "local")]
    pub async fn on(twin: &Twin, settings: Settings) -> Result<Self> {
        let config = Config { store: Some(Store::Disk), ..Config::default() };
        Ok(App::over(connected_to(twin, &config).await?, &config, settings))
    }

    pub(crate) fn over(connected: Connected, config: &Config, settings: Settings) -> Self {
        let services = services::of(&connected, config);
        let store = Arc::new(Mutex::new(store_of(&connected, config)));
        let Connected { client, places, observers } = connected;
        let (state, clock) = (client.state().clone(), client.clock().clone());
        App {
            services,
            jobs: Jobs::new(state.clone(), clock.clone(), client.ids().clone()),
            idempotency: Idempotency::new(state, clock.clone(), client.ids().clone()),
            queue: None,
            observers,
            links: places.map(|places| Arc::new(Links::new(places, &config.service_bucket, clock))),
            room: Arc::new(Semaphore::new(settings.concurrency.max(1))),
            receivers: Receivers::new(settings.concurrency.max(1)),
            store,
            job_pool: JobPool::new(&client.new_id(), settings.concurrency.max(1)),
            total: settings.total.unwrap_or(client.policy().total),
            settings: Arc::new(settings),
            client,
        }
    }

    /// Where results go: `disk`, `aws`, `none`, or `unavailable` where they should be stored and cannot.
    pub fn store(&self) -> &'static str {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a row to see whether results can be stored; /health tells from then on. Fails saying why they cannot.
    pub async fn check_store(&self) -> Result<()> {
        if let Some(why) = self.client.store_problem() {
            return Err(Error::new(ErrorKind::Storage, why));
        }
        if self.store() == "none" {
            return Ok(());
        }
        let key = StateKey::new(StateKind::Lease, self.client.scope(), "store-check");
        let until = self.client.clock().now().plus(LOOK);
        match self.client.state().put(&key, b"-".to_vec(), until, OnlyIf::Any).await {
            Ok(_) | Err(PutError::Conflict) => Ok(()),
            Err(PutError::Store(error)) => {
                *self.store.lock().unwrap_or_else(PoisonError::into_inner) = "unavailable";
                Err(error)
            }
        }
    }

    /// Nothing new is taken from now on: callers are told, and jobs that wait stay queued.
    pub(super) fn close(&self) {
        self.room.close();
        self.job_pool.close();
    }

    /// Ready when nothing is worked on any more, for callers that wait or for those that hung up.
    pub(super) async fn rest(&self) {
        while self.room.available_permits() < self.settings.concurrency.max(1) || self.job_pool.is_working() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether work can go on after an answer.
    pub(super) fn takes_jobs(&self) -> bool {
        self.settings.background || self.queue.is_some()
    }
}

/// Where results of this connection go.
fn store_of(connected: &Connected, config: &Config) -> &'static str {
    match (&connected.places, config.store.unwrap_or(config.default_store)) {
        (Some(places), _) if places.is_shared() => "aws",
        (Some(_), _) => "disk",
        (None, Store::None) => "none",
        (None, _) => "unavailable",
    }
}
