//! HTTP transport: connections to models and stores, the same for each provider. HTTPS by rustls over the trust store,
//! proxies by our rules, a pool that gives connections up before load balancers and NATs do; a failure to connect is named.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::timeout::TimeoutConfig;
use http::Uri;

use super::cause::{self, Cause, Unreachable};
use super::network::Network;
use super::proxy::{Proxy, encoded};
use super::{route, trust};

/// An idle connection older than this may be half open: hyper keeps them for 90 s, balancers drop them from 20 s on.
const POOL_IDLE: Duration = Duration::from_secs(15);
/// The AWS SDK's own default. No time-out beyond it: waiting for a model is bounded by the client, event by event.
const CONNECT: Duration = Duration::from_millis(3_100);

/// A connector with its own pool.
pub(crate) fn connector(network: &Network) -> SharedHttpConnector {
    SharedHttpConnector::new(Transport::new(connecting_within(CONNECT), network))
}

fn connecting_within(limit: Duration) -> HttpConnectorSettings {
    HttpConnectorSettings::builder().connect_timeout(limit).build()
}

/// The same as the AWS SDK wants it.
pub(crate) fn client(network: &Network) -> SharedHttpClient {
    let pools = Pools { network: network.clone(), made: Mutex::default() };
    http_client_fn(move |limits, _| pools.with(limits))
}

/// A pool for each pair of time-outs: who looks for credentials waits less for a connection.
#[derive(Default)]
struct Pools {
    network: Network,
    made: Mutex<Vec<([Option<Duration>; 2], SharedHttpConnector)>>,
}

impl Pools {
    fn with(&self, limits: &HttpConnectorSettings) -> SharedHttpConnector {
        let times = [limits.connect_timeout(), limits.read_timeout()];
        let mut pools = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = pools.iter().find(|(others, _)| *others == times) {
            return pool.clone();
        }
        let pool = SharedHttpConnector::new(Transport::new(limits.clone(), &self.network));
        pools.push((times, pool.clone()));
        pool
    }
}

/// One connector for https and one for http, without a proxy and for each, made when it is first needed: reading
/// certificates takes longer than everything else before a first call, and a local server needs none.
#[derive(Debug)]
struct Transport {
    settings: HttpConnectorSettings,
    network: Network,
    made: Mutex<Vec<(Way, SharedHttpConnector)>>,
}

/// How a request leaves: whether by TLS, and through which proxy.
type Way = (bool, Option<Arc<Proxy>>);

impl Transport {
    fn new(settings: HttpConnectorSettings, network: &Network) -> Self {
        Transport { settings, network: network.clone(), made: Mutex::default() }
    }

    /// The connector for this way. Fails where settings cannot be used, and says which.
    fn by(&self, way: &Way) -> Result<SharedHttpConnector, String> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = made.iter().find(|(other, _)| other == way) {
            return Ok(connector.clone());
        }
        let connector = self.build(way)?;
        made.push((way.clone(), connector.clone()));
        Ok(connector)
    }

    fn build(&self, (secure, proxy): &Way) -> Result<SharedHttpConnector, String> {
        let needs_roots = *secure || proxy.as_ref().is_some_and(|proxy| !proxy.is_plain());
        let trusted = match needs_roots {
            true => TrustStore::empty().with_pem_certificate(trust::roots(&self.network.added)?.pem),
            false => TrustStore::empty(),
        };
        let context =
            TlsContext::builder().with_trust_store(trusted).build().map_err(|error| error.to_string())?;
        let proxy = match proxy {
            None => ProxyConfig::disabled(),
            Some(proxy) => through(proxy)?,
        };
        let builder = builder(self.settings.clone(), POOL_IDLE).proxy_config(proxy);
        let builder = builder.tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        Ok(SharedHttpConnector::new(builder.tls_context(context).build()))
    }
}

fn through(proxy: &Proxy) -> Result<ProxyConfig, String> {
    let config = ProxyConfig::all(proxy.uri.clone()).map_err(|error| error.to_string())?;
    Ok(match &proxy.user {
        // They are put into a URL there, which is read again: a sign in them would end or part them.
        Some((name, password)) => config.with_basic_auth(encoded(name), encoded(password)),
        None => config,
    })
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Ok(uri) = request.uri().parse::<Uri>() else {
            return HttpConnectorFuture::ready(Err(ConnectorError::user("the address is not a URL".into())));
        };
        let secure = uri.scheme_str() != Some("http");
        let proxy = self.network.proxies.of(&uri);
        let made = proxy.and_then(|proxy| Ok((self.by(&(secure, proxy.clone()))?, proxy)));
        match made {
            Ok((connector, proxy)) => {
                let answer = connector.call(request);
                HttpConnectorFuture::new(async move {
                    match answer.await {
                        Ok(response) => Ok(response),
                        Err(failed) => Err(named(failed, &uri, proxy.as_deref()).await),
                    }
                })
            }
            Err(why) => {
                let unreachable = unreachable(Cause::Settings(why), &uri, None);
                HttpConnectorFuture::ready(Err(ConnectorError::user(unreachable.into())))
            }
        }
    }
}

/// The same error with its cause in front, where no connection was made.
async fn named(failed: ConnectorError, uri: &Uri, proxy: Option<&Proxy>) -> ConnectorError {
    let Some(mut cause) = Cause::of(&failed) else { return failed };
    if let (Cause::ProxyRefused, Some(proxy)) = (&cause, proxy) {
        let host = uri.host().unwrap_or_default();
        cause = match route::tunnel_status(proxy, host, uri.port_u16().unwrap_or(443)).await {
            Some(407) => Cause::ProxyAuth,
            Some(status) if status != 200 => Cause::ProxyStatus(status),
            _ => cause,
        };
    }
    let (permanent, timeout) = (cause.is_permanent(), failed.is_timeout());
    let unreachable = unreachable(cause, uri, proxy).into();
    let error = match (permanent, timeout) {
        // The SDK's own retries would only hold up what cannot go better.
        (true, _) => ConnectorError::other(unreachable, None),
        (false, true) => ConnectorError::timeout(unreachable),
        (false, false) => ConnectorError::io(unreachable),
    };
    error.never_connected()
}

fn unreachable(cause: Cause, uri: &Uri, proxy: Option<&Proxy>) -> Unreachable {
    let host = uri.host().unwrap_or_default();
    let dialled = proxy.map_or_else(|| host.to_owned(), |proxy| proxy.address().0);
    let port = uri.port_u16().map_or_else(String::new, |port| format!(":{port}"));
    Unreachable {
        cause,
        host: format!("{host}{port}"),
        proxy: proxy.map(ToString::to_string),
        is_loopback: cause::is_loopback(&dialled),
    }
}

/// The time limits of a configuration, and these where it has none of its own: for one try, and for all of the SDK's.
/// Without them a service that takes a request and never answers holds it for ever.
pub(crate) fn limits(sdk: &SdkConfig, attempt: Duration, operation: Duration) -> TimeoutConfig {
    let ours = TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation);
    let own = sdk.timeout_config().map(TimeoutConfig::to_builder).unwrap_or_default();
    own.take_unset_from(ours).build()
}

/// The builder takes neither a connector of our own under TLS nor TCP keepalive. What keepalive would find, a server that
/// is gone without a word, the client's limits on first event and silence find too; a name with a dead address beside a
/// good one is the connector's own matter (it tries the other family after 300 ms).
fn builder(limits: HttpConnectorSettings, pool_idle: Duration) -> ConnectorBuilder {
    Connector::builder()
        .connector_settings(limits)
        .pool_idle_timeout(pool_idle)
        .proxy_config(ProxyConfig::disabled())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket, TcpStream};

    use super::*;

    /// One name for two addresses, IPv6 first.
    #[derive(Clone, Debug)]
    struct TwoFamilies;

    impl ResolveDns for TwoFamilies {
        fn resolve_dns<'a>(&'a self, _: &'a str) -> DnsFuture<'a> {
            DnsFuture::ready(Ok(vec![IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)]))
        }
    }

    /// Answers every request of every connection; counts the connections.
    async fn server(port: u16) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = Arc::<AtomicUsize>::default();
        let connections = count.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(stream));
            }
        });
        (port, count)
    }

    async fn answer(mut stream: TcpStream) {
        let mut bytes = [0; 4096];
        while matches!(stream.read(&mut bytes).await, Ok(n) if n > 0) {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    }

    async fn ask(connector: &Connector, host: &str, port: u16) -> u16 {
        let url = format!("http://{host}:{port}/");
        let response = connector.call(HttpRequest::get(url).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        http_body_util::BodyExt::collect(response.into_body()).await.unwrap();
        status
    }

    /// A port on which IPv6 swallows connections. Where there is no IPv6 it is refused at once instead.
    async fn black_hole() -> (Option<TcpListener>, Vec<TcpStream>, u16) {
        swallowing(TcpSocket::new_v6().unwrap(), Ipv6Addr::LOCALHOST.into()).await
    }

    /// A port that swallows connections: the queue of those that nobody accepts is full.
    async fn swallowing(socket: TcpSocket, ip: IpAddr) -> (Option<TcpListener>, Vec<TcpStream>, u16) {
        if socket.bind((ip, 0).into()).is_err() {
            return (None, Vec::new(), 0);
        }
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            waiting.push(stream);
        }
        (Some(listener), waiting, address.port())
    }

    #[tokio::test]
    async fn an_address_that_swallows_connections_does_not_hide_the_other_one() {
        let (_swallows, _waiting, port) = black_hole().await;
        let (port, connections) = server(port).await;
        let tls = Provider::Rustls(CryptoMode::AwsLc);
        let connector =
            builder(connecting_within(CONNECT), POOL_IDLE).tls_provider(tls).build_with_resolver(TwoFamilies);
        assert_eq!(ask(&connector, "two-families.test", port).await, 200);
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_connection_that_was_idle_for_too_long_is_not_used_again() {
        let (port, connections) = server(0).await;
        let tls = Provider::Rustls(CryptoMode::AwsLc);
        let connector =
            builder(connecting_within(CONNECT), Duration::from_millis(50)).tls_provider(tls).build();
        for _ in 0..2 {
            assert_eq!(ask(&connector, "127.0.0.1", port).await, 200);
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1, "a fresh one is");
        tokio::time::sleep(Duration::from_millis(120)).await;
        ask(&connector, "127.0.0.1", port).await;
        assert_eq!(connections.load(Ordering::SeqCst), 2);
        assert!(POOL_IDLE < Duration::from_secs(20), "balancers drop them from then on");
    }

    #[test]
    fn a_proxy_on_this_machine_is_what_is_dialled_and_has_its_bound() {
        let uri = Uri::from_static("https://api.lab.test");
        let set = |name: &str| (name == "https_proxy").then(|| "http://127.0.0.1:3128".to_owned());
        let proxy = crate::connect::proxy::ProxyRules::read(set).of(&uri).unwrap();
        assert!(unreachable(Cause::Refused, &uri, proxy.as_deref()).is_loopback);
        assert!(!unreachable(Cause::Refused, &uri, None).is_loopback);
    }

    #[tokio::test]
    async fn a_host_that_swallows_connections_is_given_up_after_three_seconds_and_named() {
        let socket = TcpSocket::new_v4().unwrap();
        let (_swallows, _waiting, port) = swallowing(socket, Ipv4Addr::LOCALHOST.into()).await;
        tokio::time::pause();
        let begun = tokio::time::Instant::now();
        let request = HttpRequest::get(format!("http://127.0.0.1:{port}/")).unwrap();
        let failed = connector(&Network::default()).call(request).await.unwrap_err();
        assert_eq!(cause::find(&failed).unwrap().cause, Cause::Silent, "{failed:?}");
        assert_eq!(begun.elapsed().as_secs(), 3);
    }

    #[tokio::test]
    async fn who_waits_less_for_a_connection_has_a_pool_of_its_own() {
        let pools = Pools::default();
        let (port, connections) = server(0).await;
        for connect in [CONNECT, CONNECT, Duration::from_secs(1), Duration::from_secs(1)] {
            let request = HttpRequest::get(format!("http://127.0.0.1:{port}/")).unwrap();
            let response = pools.with(&connecting_within(connect)).call(request).await.unwrap();
            http_body_util::BodyExt::collect(response.into_body()).await.unwrap();
        }
        assert_eq!(connections.load(Ordering::SeqCst), 2, "one for each time-out");
    }
}
