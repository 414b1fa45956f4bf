//! Servers of the lab. Each notes what reached it.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claude_code_aws::connect::Network;
use claude_code_aws::connect::config::Provider;
use claude_code_aws::{Client, Config, Generation, Policy, Result, Secret, anthropic};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};

/// A host that exists behind the lab's proxy alone.
pub const HOST: &str = "api.lab.test";
/// The key of every request: what must not reach a proxy in the clear.
pub const KEY: &str = "sk-canary-key";

const ANSWER: &str = r#"{"id":"m","type":"message","role":"assistant","model":"claude","content":[{"type":"text",
"text":"```python reverse.py\ndef reverse(text):\n    return text[::-1]\n```"}],"stop_reason":"end_turn",
"usage":{"input_tokens":9,"output_tokens":20}}"#;

/// A certificate authority that no system knows.
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: tempfile::TempDir,
}

impl Ca {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let ca = Ca { issuer, dir: tempfile::tempdir().unwrap() };
        std::fs::write(ca.pem(), ca.issuer.pem()).unwrap();
        ca
    }

    /// Its certificate, alone in its directory.
    pub fn pem(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// The authority's own certificate, as an appliance shows it for itself.
    fn itself(names: &[&str]) -> ServerConfig {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let cert = params.self_signed(&key).unwrap();
        config(cert.der().clone(), &key)
    }

    fn server(&self, names: &[&str]) -> ServerConfig {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        config(cert.der().clone(), &key)
    }
}

fn config(cert: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap()
}

/// A server of the lab.
#[derive(Clone, Default)]
pub struct Server {
    pub port: u16,
    pub connections: Arc<AtomicUsize>,
    /// The heads of requests that arrived whole.
    pub heads: Arc<Mutex<Vec<String>>>,
    /// Their bodies.
    pub bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Status and body of every answer; none: an answer of the Messages API.
    reply: Option<(u16, &'static str)>,
    /// Answers to requests whose head has these words; before the common one.
    routes: &'static [(&'static str, u16, &'static str)],
}

impl Server {
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn listening(self) -> (Server, TcpListener) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        (Server { port: listener.local_addr().unwrap().port(), ..self }, listener)
    }

    /// The Messages API over TLS, with a certificate of this authority for these names.
    pub async fn tls(ca: &Ca, names: &[&str]) -> Server {
        Server::default().over_tls(ca, names).await
    }

    /// The same with another answer to everything.
    pub async fn tls_with(ca: &Ca, names: &[&str], status: u16, body: &'static str) -> Server {
        Server { reply: Some((status, body)), ..Server::default() }.over_tls(ca, names).await
    }

    /// The same with answers by words in the head of the request, and a refusal to everything else.
    pub async fn tls_routed(
        ca: &Ca,
        names: &[&str],
        routes: &'static [(&'static str, u16, &'static str)],
    ) -> Server {
        let server = Server { reply: Some((400, "{\"message\":\"no\"}")), routes, ..Server::default() };
        server.over_tls(ca, names).await
    }

    /// One with an appliance's own certificate.
    pub async fn self_signed(names: &[&str]) -> Server {
        Server::default().with_config(Ca::itself(names)).await
    }

    async fn over_tls(self, ca: &Ca, names: &[&str]) -> Server {
        self.with_config(ca.server(names)).await
    }

    async fn with_config(self, config: ServerConfig) -> Server {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let (server, listener) = self.listening().await;
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                own.connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, own) = (acceptor.clone(), own.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        own.answer(stream).await;
                    }
                });
            }
        });
        server
    }

    /// The Messages API without TLS.
    pub async fn plain() -> Server {
        Server::default().over_tcp().await
    }

    /// The same with another answer to everything.
    pub async fn plain_with(status: u16, body: &'static str) -> Server {
        Server { reply: Some((status, body)), ..Server::default() }.over_tcp().await
    }

    async fn over_tcp(self) -> Server {
        let (server, listener) = self.listening().await;
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                own.connections.fetch_add(1, Ordering::SeqCst);
                let own = own.clone();
                tokio::spawn(async move { own.answer(stream).await });
            }
        });
        server
    }

    /// Sends these bytes to whoever connects, once it has said something.
    pub async fn raw(bytes: &'static [u8]) -> Server {
        let (server, listener) = Server::default().listening().await;
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                own.connections.fetch_add(1, Ordering::SeqCst);
                let mut read = [0; 4096];
                let n = stream.read(&mut read).await.unwrap_or(0);
                own.heads.lock().unwrap().push(String::from_utf8_lossy(&read[..n]).into_owned());
                let _ = stream.write_all(bytes).await;
                // What the client has still to say is read, so that it sees these bytes and no reset.
                let _ = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut read)).await;
            }
        });
        server
    }

    /// A CONNECT proxy that leads every host to this server.
    pub async fn proxy(to: u16, user: Option<&'static str>) -> Server {
        let (server, listener) = Server::default().listening().await;
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                own.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(own.clone().tunnel(stream, to, user));
            }
        });
        server
    }

    async fn tunnel(self, mut stream: TcpStream, to: u16, user: Option<&'static str>) {
        let Some(head) = head(&mut stream).await else { return };
        self.heads.lock().unwrap().push(head.clone());
        if user.is_some_and(|user| !head.to_lowercase().contains(&format!("basic {}", user.to_lowercase()))) {
            let _ = stream
                .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
                .await;
            return;
        }
        let Ok(mut onward) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else { return };
        let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
    }

    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        while let Some(head) = head(&mut stream).await {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            if stream.read_exact(&mut body).await.is_err() {
                return;
            }
            let routed = self.routes.iter().find(|(words, _, _)| head.contains(words));
            self.heads.lock().unwrap().push(head);
            self.bodies.lock().unwrap().push(body);
            let routed = routed.map(|(_, status, body)| (*status, *body));
            let (status, body) = routed.or(self.reply).unwrap_or((200, ANSWER));
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// The network of these variables.
pub fn network(vars: &[(&str, &str)]) -> Network {
    Network::from_vars(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// A client of the Messages API at this address over this network.
pub async fn client(url: &str, network: Network) -> Result<Client> {
    let config = Config {
        provider: Provider::Anthropic,
        network,
        anthropic: anthropic::Settings {
            api_key: Some(Secret::new(KEY)),
            base_url: Some(url.to_owned()),
            ..anthropic::Settings::default()
        },
        policy: Policy { reconnect: Some(Duration::from_millis(60)), ..Policy::default() },
        ..Config::default()
    };
    claude_code_aws::connect(config).await
}

/// What becomes of a request.
pub async fn ask(url: &str, network: Network) -> Result<Generation> {
    client(url, network).await?.generate("reverse a string").await
}
