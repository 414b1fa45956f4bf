//! Recording proxy: passes requests on to a real service, returns its answers byte for byte, and writes both down.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::SdkConfig;
use aws_sdk_s3::config::ProvideCredentials;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use claude_code_core::answer::file::sha256_hex;
use claude_code_core::{Error, ErrorKind, Result};
use futures_util::StreamExt;
use futures_util::stream;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use serde_json::{Map, Value};

use super::recorded::{Answered, Asked, Exchange, scrub};
use super::route::Route;
use super::wire;
use crate::anthropic::data;
use crate::anthropic::endpoint::Endpoint;
use crate::local::server::body::{Body, Piece, Pieces};
use crate::local::server::keys::Keys;
use crate::local::server::{clock, signature};
use crate::model_service::faults;
use crate::secret::Secret;

/// An answer longer than this is passed on and not written down.
const MAX_RECORDED: usize = 64 << 20;

/// The headers of a request that are passed on and written down, beside [`BEDROCKS`]. Credentials are among neither.
const KEPT: [&str; 4] = ["content-type", "accept", "anthropic-version", "anthropic-beta"];
/// What the names of Bedrock's own headers begin with: the guardrail, the tier, the trace, what is accepted.
const BEDROCKS: &str = "x-amzn-bedrock-";

/// Where real answers come from.
#[derive(Clone)]
pub(crate) struct Upstream {
    connector: SharedHttpConnector,
    runtime: Uri,
    messages: Uri,
    sdk: SdkConfig,
    key: Option<Secret>,
}

impl Upstream {
    /// Bedrock's runtime in the configuration's region and the Messages API at `messages`; or one server for both.
    /// Requests to Bedrock are signed with the configuration's credentials, those to the Messages API have this key
    /// where they come with the twin's. Fails for an address that is not acceptable.
    pub(crate) fn new(
        sdk: SdkConfig,
        server: Option<&str>,
        messages: Option<&str>,
        key: Option<Secret>,
    ) -> Result<Self> {
        let region = sdk.region().map_or("us-east-1", |region| region.as_ref());
        let aws = format!("https://bedrock-runtime.{region}.amazonaws.com");
        let checked = |url: &str| {
            let url = url.trim_end_matches('/');
            Endpoint::checked("--upstream", url, false).map(|endpoint| endpoint.messages)
        };
        Ok(Upstream {
            connector: crate::connect::transport::connector(&crate::connect::Network::default()),
            runtime: checked(server.unwrap_or(&aws))?,
            messages: checked(server.or(messages).unwrap_or("https://api.anthropic.com"))?,
            sdk,
            key,
        })
    }
}

/// Records into a directory.
#[derive(Clone)]
pub(crate) struct Recorder {
    upstream: Upstream,
    /// Whose signatures are replaced by real ones: that spends money.
    keys: Keys,
    directory: PathBuf,
    next: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records what `upstream` answers into a directory, behind what is there already, for requests that are
    /// signed with these keys. Fails with [`ErrorKind::Storage`] if it cannot be made.
    pub(crate) fn open(directory: &Path, upstream: Upstream, keys: Keys) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Storage, format!("cannot record into {}: {error}", directory.display()))
        };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let entries = std::fs::read_dir(directory).map_err(failed)?;
        let numbers = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.split_once('-')?.0.parse::<usize>().ok());
        let next = numbers.max().map_or(0, |last| last + 1);
        Ok(Recorder {
            upstream,
            keys,
            directory: directory.to_owned(),
            next: Arc::new(AtomicUsize::new(next)),
        })
    }

    /// Passes a request on, and its answer back.
    pub(super) async fn pass(&self, route: &Route, head: &Parts, body: Bytes) -> Response<Body> {
        let request = match self.request(route, head, &body).await {
            Ok(request) => request,
            Err(why) => return refused(route, "AccessDeniedException", 403, &why),
        };
        match self.upstream.connector.call(request).await {
            Ok(answer) => self.answered(route, head, body, answer),
            Err(failed) => {
                let why = faults::connection(&failed).message;
                refused(route, "ServiceUnavailableException", 503, &why)
            }
        }
    }

    /// The request as the upstream gets it.
    async fn request(&self, route: &Route, head: &Parts, body: &Bytes) -> Result<HttpRequest, String> {
        let upstream = if route.is_messages() { &self.upstream.messages } else { &self.upstream.runtime };
        let base = upstream.to_string();
        let path = head.uri.path_and_query().map_or(head.uri.path(), |path| path.as_str());
        let uri = format!("{}{path}", base.trim_end_matches('/'));
        let mut request = Request::post(uri).body(()).map_err(|error| error.to_string())?;
        for (name, value) in kept(&head.headers) {
            request.headers_mut().append(name, value.clone());
        }
        let bearer = head.headers.get(AUTHORIZATION).filter(|value| value.as_bytes().starts_with(b"Bearer "));
        if let Some(bearer) = bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer.clone());
        }
        let (mut parts, ()) = request.into_parts();
        if route.is_messages() {
            let own = head.headers.get("x-api-key").filter(|key| !is_the_twins(key)).cloned();
            let ours = self.upstream.key.as_ref().and_then(|key| HeaderValue::from_str(key.expose()).ok());
            let bears_ours = head.headers.get("x-api-key").is_some_and(is_the_twins);
            if let Some(key) = own.or(ours.filter(|_| bears_ours)) {
                parts.headers.insert("x-api-key", key);
            } else if bearer.is_none() {
                return Err("`twin record` passes on only what has a key: set the variables that it printed"
                    .to_owned());
            }
        } else if bearer.is_none() {
            if let Some(refusal) = signature::refusal(head, body, &self.keys, "bedrock") {
                return Err(format!(
                    "{}; `twin record` takes the keys that it printed, or those of its shell",
                    refusal.message
                ));
            }
            self.sign(&mut parts, body).await?;
        }
        let request = Request::from_parts(parts, SdkBody::from(body.to_vec()));
        HttpRequest::try_from(request).map_err(|error| error.to_string())
    }

    async fn sign(&self, parts: &mut Parts, body: &[u8]) -> Result<(), String> {
        let none = || "no AWS credentials to pass the request on with: set them for `twin record`".to_owned();
        let provider = self.upstream.sdk.credentials_provider().ok_or_else(none)?;
        let credentials = provider.provide_credentials().await.map_err(|_| none())?;
        let host = parts.uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
        let region = self.upstream.sdk.region().map_or("us-east-1", |region| region.as_ref()).to_owned();
        let mut set = |name: &'static str, value: &str| {
            HeaderValue::from_str(value).map(|value| parts.headers.insert(name, value)).map_err(|_| none())
        };
        set(HOST.as_str(), &host)?;
        set("x-amz-date", &format!("{}Z", clock::stamp()))?;
        if let Some(token) = credentials.session_token() {
            set("x-amz-security-token", token)?;
        }
        let (key, secret) = (credentials.access_key_id(), credentials.secret_access_key());
        let signed = signature::sign(parts, body, &region, "bedrock", key, secret);
        let mut signed = HeaderValue::from_str(&signed).map_err(|_| none())?;
        signed.set_sensitive(true);
        parts.headers.insert(AUTHORIZATION, signed);
        Ok(())
    }

    /// The answer as it comes; when it is complete, it is written down before its end is passed on.
    fn answered(&self, route: &Route, head: &Parts, asked: Bytes, answer: HttpResponse) -> Response<Body> {
        let status = answer.status().as_u16();
        let mut headers = HeaderMap::new();
        for (name, value) in answer.headers().iter() {
            let connection = ["connection", "transfer-encoding", "content-length", "keep-alive"];
            let (name, value) = (HeaderName::try_from(name), HeaderValue::from_str(value));
            if let (Ok(name), Ok(value)) = (name, value)
                && !connection.contains(&name.as_str())
            {
                headers.append(name, value);
            }
        }
        let record = Record {
            recorder: self.clone(),
            route: (route.name(), route.model().to_owned(), route.is_streaming()),
            path: head.uri.path().to_owned(),
            headers: head.headers.clone(),
            asked,
            status,
            answered: headers.clone(),
            bytes: BytesMut::new(),
        };
        let state = Some((answer.into_body(), record));
        let source = stream::unfold(state, |state| async move {
            let (mut body, mut record) = state?;
            match data(&mut body).await {
                Ok(Some(bytes)) => {
                    record.take(&bytes);
                    Some((vec![Piece::Bytes(bytes)], Some((body, record))))
                }
                Ok(None) => {
                    record.write().await;
                    None
                }
                Err(broken) => {
                    tracing::warn!("an answer broke off and was not recorded");
                    Some((vec![Piece::Break(broken.message)], None))
                }
            }
        });
        let mut response = Response::new(Pieces::fed(Vec::new(), source.boxed()).boxed());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        *response.headers_mut() = headers;
        response
    }
}

/// An exchange while its answer comes.
struct Record {
    recorder: Recorder,
    /// The operation's name, the model, and whether the answer is a stream.
    route: (&'static str, String, bool),
    path: String,
    headers: HeaderMap,
    asked: Bytes,
    status: u16,
    answered: HeaderMap,
    bytes: BytesMut,
}

impl Record {
    fn take(&mut self, bytes: &[u8]) {
        if self.bytes.len() <= MAX_RECORDED {
            self.bytes.extend_from_slice(bytes);
        }
    }

    async fn write(self) {
        if self.bytes.len() > MAX_RECORDED {
            tracing::warn!("an answer of more than {MAX_RECORDED} bytes was not recorded");
            return;
        }
        if is_about_credentials(self.status, &self.answered) {
            tracing::warn!(status = self.status, "the service refused the credentials: not recorded");
            return;
        }
        let recorder = self.recorder.clone();
        let written = tokio::task::spawn_blocking(move || self.write_now()).await;
        match written {
            Ok(Ok(path)) => tracing::info!("recorded {}", path.display()),
            Ok(Err(error)) => {
                tracing::error!("cannot record into {}: {error}", recorder.directory.display());
            }
            Err(_) => tracing::error!("an exchange was not recorded"),
        }
    }

    fn write_now(self) -> std::io::Result<PathBuf> {
        let (operation, model, streaming) = self.route;
        let asked = scrub::text(&String::from_utf8_lossy(&self.asked));
        let kept = kept(&self.headers).filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
        let headers: Map<String, Value> =
            kept.map(|(name, value)| (name.to_string(), scrub::text(value).into())).collect();
        let kind = self.answered.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let framed = kind.starts_with("application/vnd.amazon.eventstream");
        let answer = scrub::body(&self.bytes.freeze(), framed);
        let exchange = Exchange {
            operation: operation.to_owned(),
            model: scrub::text(&model),
            streaming,
            request: Asked {
                method: "POST".to_owned(),
                path: scrub::path(&self.path),
                headers: headers.into(),
                body: serde_json::from_str(&asked).unwrap_or(Value::Null),
            },
            response: Answered::new(self.status, &self.answered, &answer),
        };
        let text = serde_json::to_string_pretty(&exchange)? + "\n";
        let number = self.recorder.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{number:04}-{operation}-{}.json", &sha256_hex(text.as_bytes())[..8]);
        let path = self.recorder.directory.join(name);
        let half = path.with_extension("json.new");
        private().open(&half)?.write_all(text.as_bytes())?;
        std::fs::rename(&half, &path)?;
        Ok(path)
    }
}

/// A new file that only its owner reads: prompts and answers stand in it.
fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whether the service refused whoever asked rather than what was asked: that is no answer of a model.
fn is_about_credentials(status: u16, headers: &HeaderMap) -> bool {
    let kind = headers.get("x-amzn-errortype").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let names =
        ["UnrecognizedClient", "InvalidSignature", "ExpiredToken", "IncompleteSignature", "MissingAuth"];
    status == 401 || status == 403 && names.iter().any(|name| kind.starts_with(name))
}

/// The headers of a request that are passed on and written down.
fn kept(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    headers.iter().filter(|(name, _)| KEPT.contains(&name.as_str()) || name.as_str().starts_with(BEDROCKS))
}

fn is_the_twins(key: &HeaderValue) -> bool {
    key.as_bytes().starts_with(b"twin-local-key")
}

fn refused(route: &Route, code: &str, status: u16, why: &str) -> Response<Body> {
    match route.is_messages() {
        true => wire::message_error(code, status, why),
        false => wire::exception(code, status, why),
    }
}
