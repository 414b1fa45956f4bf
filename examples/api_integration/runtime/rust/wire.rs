//! What lies below a generated client's calls: connections, bodies, server-sent events.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::{Response, Uri};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::Error;

/// Server-sent events as they arrive.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    rest: Vec<u8>,
    is_done: bool,
    timeout: Duration,
}

impl Events {
    pub(super) fn new(body: Incoming, timeout: Duration) -> Self {
        Events { body, rest: Vec::new(), is_done: false, timeout }
    }

    /// Name and data of the next event; none at the end.
    pub async fn next(&mut self) -> Option<Result<(String, Value), Error>> {
        let (mut name, mut data) = ("message".to_owned(), Vec::new());
        loop {
            let line = match self.line().await? {
                Ok(line) => line,
                Err(error) => return Some(Err(error)),
            };
            let (key, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match key {
                "event" => name = value.to_owned(),
                "data" => data.push(value.to_owned()),
                "" if line.is_empty() && !data.is_empty() => {
                    let read = serde_json::from_str(&data.join("\n"));
                    let read = read.map_err(|error| Error::Answer(format!("the event {name}: {error}")));
                    return Some(read.map(|value| (name, value)));
                }
                "" if line.is_empty() => name = "message".to_owned(),
                _ => {}
            }
        }
    }

    async fn line(&mut self) -> Option<Result<String, Error>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()));
            }
            if self.is_done {
                return None;
            }
            match timeout(self.timeout, self.body.frame()).await {
                Ok(Some(Ok(frame))) => self.rest.extend(frame.into_data().unwrap_or_default()),
                Ok(None) => self.is_done = true,
                Ok(Some(Err(error))) => return self.broken(error.to_string()),
                Err(_) => return self.broken(format!("no event within {:?}", self.timeout)),
            }
        }
    }

    fn broken(&mut self, why: String) -> Option<Result<String, Error>> {
        (self.is_done, self.rest) = (true, Vec::new());
        Some(Err(Error::Connection(why)))
    }
}

/// The body of an answer.
pub(super) async fn read(answer: Response<Incoming>, within: Duration) -> Result<Bytes, Error> {
    match timeout(within, answer.into_body().collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) => Err(Error::Connection(format!("the answer broke off: {error}"))),
        Err(_) => Err(Error::Connection(format!("the answer was not whole within {within:?}"))),
    }
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to the host of a URL.
pub(super) async fn connect(uri: &Uri) -> Result<Box<dyn Stream>, Error> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let is_tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await;
    let stream = stream.map_err(|error| Error::Connection(format!("{host}:{port}: {error}")))?;
    if is_tls { secured(stream, host).await } else { Ok(Box::new(stream)) }
}

#[cfg(not(feature = "tls"))]
async fn secured(_: TcpStream, host: String) -> Result<Box<dyn Stream>, Error> {
    Err(Error::Request(format!("https://{host} needs the feature tls of this package")))
}

/// TLS with the certificates that the system trusts.
#[cfg(feature = "tls")]
async fn secured(stream: TcpStream, host: String) -> Result<Box<dyn Stream>, Error> {
    use std::sync::{Arc, LazyLock};

    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    static CONFIG: LazyLock<Result<Arc<ClientConfig>, String>> = LazyLock::new(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    });
    let name = ServerName::try_from(host).map_err(|error| Error::Request(error.to_string()))?;
    let config = CONFIG.clone().map_err(Error::Request)?;
    let stream = TlsConnector::from(config).connect(name, stream).await;
    Ok(Box::new(stream.map_err(|error| Error::Connection(format!("TLS: {error}")))?))
}
