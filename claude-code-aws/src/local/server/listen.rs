//! The twin on loopback: one listener for each service, for any SDK and any language.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use claude_code_core::{Error, ErrorKind, Result};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::body::{self, Body, BodyError};
use super::endpoint::{Engines, Service, handle};
use super::keys::Keys;
use crate::connect::config::Config;
use crate::connect::local::prepare;
use crate::local::s3;
use crate::local::server::signature;
use crate::local::twin::Twin;

/// The services that have a listener, in the order of their ports. STS shares Bedrock's.
const SERVICES: [Service; 3] = [Service::Bedrock, Service::DynamoDb, Service::S3];
/// The region of who has not chosen one.
const REGION: &str = "us-east-1";
/// The longest body whose signature is checked: Bedrock takes 25,000,000 bytes, DynamoDB less.
const MAX_SIGNED: usize = 25_000_000;
/// What a connection of HTTP/2 begins with: JavaScript's Bedrock client speaks it at once, also without TLS.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// Before the next try where no connection can be accepted: the process has no file handle left.
const RECOVER: Duration = Duration::from_millis(50);

/// A twin that listens. Dropping it closes listeners and connections.
#[derive(Debug)]
pub struct Listening {
    addresses: Vec<(Service, SocketAddr)>,
    tasks: JoinSet<()>,
    stores: watch::Sender<bool>,
}

/// Listens on loopback: Bedrock and the Messages API on `port`, DynamoDB on the next, S3 on the one after;
/// 0 takes free ones. With `verify_signatures` requests without a good signature, or with keys that the twin does not
/// know, are refused; without it S3 alone checks signatures, those of the keys that it knows and the end of presigned
/// URLs. The work is done on the runtime that this is called on.
///
/// Fails with [`ErrorKind::Unavailable`] if a port is taken.
pub async fn listen(twin: &Twin, port: u16, verify_signatures: bool) -> Result<Listening> {
    let listening = listen_before_stores(twin, port, verify_signatures).await?;
    listening.open_stores();
    Ok(listening)
}

/// As [`listen`], with the tables and buckets of these settings, which are made where they are not there yet.
///
/// Fails also with [`ErrorKind::Storage`], where the twin's directory cannot be used.
pub async fn listen_with_stores(
    twin: &Twin,
    config: &Config,
    port: u16,
    verify_signatures: bool,
) -> Result<Listening> {
    let listening = listen_before_stores(twin, port, verify_signatures).await?;
    prepare(twin, config).await?;
    listening.open_stores();
    Ok(listening)
}

/// As [`listen`], but S3 and DynamoDB let their callers wait until [`Listening::open_stores`]: tables and buckets are
/// made meanwhile, and Bedrock answers already.
pub(crate) async fn listen_before_stores(
    twin: &Twin,
    port: u16,
    verify_signatures: bool,
) -> Result<Listening> {
    let mut listeners = Vec::new();
    for (at, service) in (0_u16..).zip(SERVICES) {
        let port = match port {
            0 => 0,
            first => first.checked_add(at).ok_or_else(|| Error::invalid("the port must be below 65534"))?,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).await.map_err(|error| taken(address, &error))?;
        listeners.push((service, listener));
    }
    let mut listening =
        Listening { addresses: Vec::new(), tasks: JoinSet::new(), stores: watch::Sender::new(false) };
    for (service, listener) in listeners {
        let address = listener.local_addr().map_err(|error| {
            Error::new(ErrorKind::Unavailable, format!("a listener has no address: {error}"))
        })?;
        listening.addresses.push((service, address));
        let door = Door { engines: Arc::clone(twin.engines()), service, verify_signatures };
        let mut stores = listening.stores.subscribe();
        listening.tasks.spawn(async move {
            // An error means that the twin is gone: nothing is accepted then.
            if service == Service::Bedrock || stores.wait_for(|open| *open).await.is_ok() {
                accept(listener, door).await;
            }
        });
    }
    Ok(listening)
}

impl Listening {
    /// Where a service listens. STS is where Bedrock is.
    pub fn address(&self, service: Service) -> SocketAddr {
        let service = if service == Service::Sts { Service::Bedrock } else { service };
        let found = self.addresses.iter().find(|(listens, _)| *listens == service);
        found.map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |(_, address)| *address)
    }

    /// The endpoint's URL, as SDKs take it.
    pub fn url(&self, service: Service) -> String {
        format!("http://{}", self.address(service))
    }

    /// What a process needs in its environment so that every SDK in it reaches the twin, in order. `set` gives the value
    /// of a variable that is set already: its region stays, and keys are given only where there are none.
    pub fn variables(&self, set: impl Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
        let bedrock = self.url(Service::Bedrock);
        let region = set("AWS_REGION").or(set("AWS_DEFAULT_REGION")).unwrap_or_else(|| REGION.to_owned());
        let mut variables = vec![
            ("AWS_ENDPOINT_URL_S3", self.url(Service::S3)),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.url(Service::DynamoDb)),
            ("AWS_ENDPOINT_URL_BEDROCK", bedrock.clone()),
            ("AWS_ENDPOINT_URL_STS", bedrock.clone()),
            ("ANTHROPIC_BASE_URL", bedrock.clone()),
            // What the Bedrock clients of the anthropic package and litellm read instead: without them their prompts
            // would leave this machine.
            ("ANTHROPIC_BEDROCK_BASE_URL", bedrock.clone()),
            ("ANTHROPIC_BEDROCK_MANTLE_BASE_URL", bedrock.clone()),
            ("AWS_BEDROCK_RUNTIME_ENDPOINT", bedrock.clone()),
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region),
        ];
        if set("AWS_ACCESS_KEY_ID").is_none() || set("AWS_SECRET_ACCESS_KEY").is_none() {
            variables.push(("AWS_ACCESS_KEY_ID", Keys::ACCESS_KEY.to_owned()));
            variables.push(("AWS_SECRET_ACCESS_KEY", Keys::SECRET_KEY.to_owned()));
        }
        if set("ANTHROPIC_API_KEY").is_none() {
            variables.push(("ANTHROPIC_API_KEY", "twin-local-key-not-a-credential".to_owned()));
        }
        variables.push(("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", bedrock));
        variables
    }

    /// Lets S3 and DynamoDB answer.
    pub(crate) fn open_stores(&self) {
        self.stores.send_replace(true);
    }

    /// Closes listeners and connections, and waits until they are gone.
    pub async fn close(mut self) {
        self.tasks.shutdown().await;
    }
}

fn taken(address: SocketAddr, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("cannot listen on {address}: {error}; choose another --port, or 0 for free ones"),
    )
}

/// What a listener opens onto.
#[derive(Clone, Debug)]
struct Door {
    engines: Arc<Engines>,
    service: Service,
    verify_signatures: bool,
}

async fn accept(listener: TcpListener, door: Door) {
    // Dropped with this task: closing the listener closes its connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, door.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the twin could not accept a connection");
                    tokio::time::sleep(RECOVER).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, door: Door) {
    // Without it a small answer waits for the acknowledgement of the one before: 40 ms.
    let _ = stream.set_nodelay(true);
    let mut first = [0; PREFACE.len()];
    let read = stream.peek(&mut first).await.unwrap_or_default();
    let service = service_fn(move |request| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(door.answer(request).await) }
    });
    let io = TokioIo::new(stream);
    let served = match first[..read] == *PREFACE {
        true => {
            let server = http2::Builder::new(TokioExecutor::new());
            server.serve_connection(io, service).await
        }
        false => http1::Builder::new().timer(TokioTimer::new()).serve_connection(io, service).await,
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the twin broke off");
    }
}

impl Door {
    async fn answer(&self, mut request: Request<Incoming>) -> Response<Body> {
        name_host(&mut request);
        if !is_local(request.headers()) {
            return refused(
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                "the local twin answers loopback hosts only, and no pages of a browser",
            );
        }
        // STS has no path of its own; no operation of Bedrock has this one.
        let sts = self.service == Service::Bedrock
            && *request.method() == Method::POST
            && request.uri().path() == "/";
        let service = if sts { Service::Sts } else { self.service };
        let request = request.map(|body| body.map_err(BodyError::new).boxed());
        let checked = match service {
            Service::S3 if !self.verify_signatures => {
                let known = s3::known(request, self.engines.keys()).await;
                known.map_err(|error| Box::new(failed(&error)))
            }
            _ if self.verify_signatures && signs(service, request.uri().path()) => {
                self.verified(request).await
            }
            _ => Ok(request),
        };
        match checked {
            Ok(request) => match handle(&self.engines, service, request).await {
                Ok(response) => response,
                Err(error) => failed(&error),
            },
            Err(response) => *response,
        }
    }

    /// The request, if its signature is good.
    async fn verified(&self, request: Request<Body>) -> Result<Request<Body>, Box<Response<Body>>> {
        let (parts, content) = request.into_parts();
        let bytes: Bytes =
            body::collect(content, MAX_SIGNED).await.map_err(|error| Box::new(failed(&error)))?;
        // DynamoDB says all of this with 400.
        let (service, status) = match self.service {
            Service::DynamoDb => ("dynamodb", StatusCode::BAD_REQUEST),
            _ => ("bedrock", StatusCode::FORBIDDEN),
        };
        match signature::refusal(&parts, &bytes, self.engines.keys(), service) {
            Some(refusal) => Err(Box::new(refused(status, refusal.code, &refusal.message))),
            None => Ok(Request::from_parts(parts, body::full(bytes))),
        }
    }
}

/// Whether requests of this kind are signed by their callers. The Messages API has keys of another kind, and S3
/// checks by itself.
fn signs(service: Service, path: &str) -> bool {
    matches!(service, Service::Bedrock | Service::DynamoDb) && !path.starts_with("/v1/")
}

/// Puts the authority of HTTP/2 where HTTP/1 has its host: both are signed under that name. One that is not the host's
/// is kept beside it, and neither may be foreign.
fn name_host(request: &mut Request<Incoming>) {
    let authority = request.uri().authority().and_then(|named| HeaderValue::from_str(named.as_str()).ok());
    if let Some(authority) = authority.filter(|named| request.headers().get(header::HOST) != Some(named)) {
        request.headers_mut().append(header::HOST, authority);
    }
}

/// Whether a request was meant for loopback. A page in a browser can point a name of its own at 127.0.0.1; the name
/// stands in the Host header then, and whatever sends an
/// Origin is a page, of which none has business here, not even one from loopback.
fn is_local(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter().peekable();
    let is_named = hosts.peek().is_some();
    let is_near = hosts.all(|host| host.to_str().is_ok_and(is_loopback));
    is_named && is_near && !headers.contains_key(header::ORIGIN)
}

/// `localhost`, `127.0.0.1:8000`, `[::1]:8000`.
fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "80"),
    };
    let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let address = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    port.parse::<u16>().is_ok() && (address || name.eq_ignore_ascii_case("localhost"))
}

fn failed(error: &Error) -> Response<Body> {
    let (status, code) = match error.kind() {
        ErrorKind::Malformed | ErrorKind::InvalidRequest => (StatusCode::BAD_REQUEST, "ValidationException"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException"),
    };
    refused(status, code, error.message())
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let json = serde_json::json!({ "__type": code, "message": message });
    let mut response = Response::new(body::full(json.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(code) = HeaderValue::from_str(code) {
        headers.insert("x-amzn-errortype", code);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_are_local() {
        let local = [
            "localhost",
            "LOCALHOST:8000",
            "127.0.0.1",
            "127.0.0.1:8000",
            "127.1.2.3:1",
            "[::1]",
            "[::1]:8000",
        ];
        let foreign = [
            "",
            "evil.example",
            "evil.example:8000",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1:8000",
            "127.0.0.1:80:80",
            "[::2]:80",
        ];
        assert!(local.iter().all(|host| is_loopback(host)), "{local:?}");
        for host in foreign {
            assert!(!is_loopback(host), "{host:?}");
        }
    }
}
