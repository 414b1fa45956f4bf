//! HTTP of a generated client: authentication, timeouts, retries, typed errors, server-sent events. On hyper and tokio.

mod error;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, Uri, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

pub use error::{ApiError, Error, Kind};
pub use hyper::Method;
pub use wire::Events;

use error::failure;
use wire::{connect, read};

/// Changes a wait before a retry: caps it, or records it in a test.
type Wait = Arc<dyn Fn(Duration) -> Duration + Send + Sync>;

/// Sends requests of one API.
#[derive(Clone)]
pub struct Transport {
    base_url: String,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    timeout: Duration,
    retries: u32,
    wait: Wait,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Transport {
    /// The API below this URL, without authentication.
    pub fn new(base_url: impl Into<String>) -> Self {
        Transport {
            base_url: base_url.into(),
            headers: Vec::new(),
            query: Vec::new(),
            timeout: Duration::from_secs(60),
            retries: 3,
            wait: Arc::new(|wait| wait),
        }
    }

    /// With a bearer token.
    #[must_use]
    pub fn bearer(self, token: impl fmt::Display) -> Self {
        self.api_key("Authorization", format!("Bearer {token}"))
    }

    /// With a user and a password.
    #[must_use]
    pub fn basic(self, user: &str, password: &str) -> Self {
        self.api_key("Authorization", format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
    }

    /// With a key in a header.
    #[must_use]
    pub fn api_key(mut self, header: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((header.into(), value.into()));
        self
    }

    /// With a key in the query.
    #[must_use]
    pub fn query_key(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// How long one attempt may take; of events, how long the next one may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a request is repeated at most.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// What becomes of each wait before a retry.
    #[must_use]
    pub fn wait(mut self, wait: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        self.wait = Arc::new(wait);
        self
    }

    /// A call of an operation.
    pub fn call(&self, method: Method, path: impl Into<String>) -> Call<'_> {
        let (query, headers) = (self.query.clone(), self.headers.clone());
        Call { transport: self, method, path: path.into(), query, headers, body: None, is_keyed: false }
    }
}

/// A call under way.
pub struct Call<'t> {
    transport: &'t Transport,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Result<Vec<u8>, String>>,
    is_keyed: bool,
}

impl Call<'_> {
    /// With a member of the query; none leaves it out.
    #[must_use]
    pub fn query(mut self, name: &str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name.to_owned(), value.to_string())));
        self
    }

    /// With a header; none leaves it out.
    #[must_use]
    pub fn header(mut self, name: &str, value: Option<impl ToString>) -> Self {
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_string())));
        self
    }

    /// With a body.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.body = Some(serde_json::to_vec(body).map_err(|error| error.to_string()));
        self
    }

    /// With this idempotency key, or one that is made: the request may be repeated.
    #[must_use]
    pub fn keyed(mut self, key: Option<&str>) -> Self {
        self.is_keyed = true;
        let made = || format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        self.header("Idempotency-Key", Some(key.map_or_else(made, str::to_owned)))
    }

    /// The JSON of a good answer; a body that is empty is `null`, so `()` takes it.
    pub async fn send<T: DeserializeOwned>(self) -> Result<T, Error> {
        let answer = self.answer("application/json").await?;
        let body = read(answer, self.transport.timeout).await?;
        let body = if body.is_empty() { Bytes::from_static(b"null") } else { body };
        serde_json::from_slice(&body)
            .map_err(|error| Error::Answer(format!("{} {}: {error}", self.method, self.path)))
    }

    /// The server-sent events of a good answer.
    pub async fn events(self) -> Result<Events, Error> {
        let body = self.answer("text/event-stream").await?.into_body();
        Ok(Events::new(body, self.transport.timeout))
    }

    /// What may be repeated (GET, PUT, DELETE, and whatever has an idempotency key) is, after 429, 502, 503, 504 and a failed
    /// connection: after Retry-After, else after a growing, random wait.
    async fn answer(&self, accept: &str) -> Result<Response<Incoming>, Error> {
        let is_repeatable = self.is_keyed || self.method.is_idempotent();
        for attempt in 0.. {
            let error = match timeout(self.transport.timeout, self.once(accept)).await {
                Ok(Ok(answer)) if answer.status().is_success() => return Ok(answer),
                Ok(Ok(answer)) => failure(answer, self.transport.timeout).await,
                Ok(Err(error)) => error,
                Err(_) => Error::Connection(format!("no answer within {:?}", self.transport.timeout)),
            };
            if attempt >= self.transport.retries || !is_repeatable || !error.is_passing() {
                return Err(error.of(&self.method, &self.path));
            }
            let asked = if let Error::Api(error) = &error { error.retry_after } else { None };
            sleep((self.transport.wait)(asked.unwrap_or_else(|| backoff(attempt)))).await;
        }
        Err(Error::Request("no attempt was made".to_owned()))
    }

    async fn once(&self, accept: &str) -> Result<Response<Incoming>, Error> {
        let (uri, request) = self.request(accept)?;
        let stream = connect(&uri).await?;
        let lost = |error: hyper::Error| Error::Connection(error.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        tokio::spawn(async move {
            // Its end is seen by whoever reads the answer.
            let _ = connection.await;
        });
        sender.send_request(request).await.map_err(lost)
    }

    fn request(&self, accept: &str) -> Result<(Uri, Request<Full<Bytes>>), Error> {
        let wrong = |why: String| Error::Request(format!("{} {}: {why}", self.method, self.path));
        let mut url = format!("{}{}", self.transport.base_url.trim_end_matches('/'), self.path);
        for (at, (name, value)) in self.query.iter().enumerate() {
            url.push_str(if at == 0 { "?" } else { "&" });
            url.push_str(&format!("{}={}", segment(name), segment(value)));
        }
        let uri: Uri = url.parse().map_err(|error| wrong(format!("the URL cannot be read: {error}")))?;
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let authority = uri.authority().ok_or_else(|| wrong("the base URL has no host".to_owned()))?;
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let mut request = Request::builder().method(self.method.clone()).uri(target);
        request = request.header(header::HOST, host).header(header::ACCEPT, accept);
        let body = match &self.body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                body.clone().map_err(wrong)?
            }
            None => Vec::new(),
        };
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| wrong(error.to_string()))?;
        Ok((uri, request))
    }
}

/// A value as one segment of a path, or in a query.
pub fn segment(value: impl ToString) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escaped =
        |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.to_string().bytes().map(escaped).collect()
}

/// The wait before the next attempt: doubled each time, with full jitter.
fn backoff(attempt: u32) -> Duration {
    Duration::from_secs_f64(fastrand::f64() * f64::min(8.0, 0.5 * f64::from(1_u32 << attempt.min(8))))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let all =
            group.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let letter = |at: usize| char::from(LETTERS[(all >> (18 - 6 * at)) as usize & 63]);
        text.extend((0..4).map(|at| if at <= group.len() { letter(at) } else { '=' }));
    }
    text
}
