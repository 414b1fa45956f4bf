//! The connections to models, the same for each provider: HTTPS by rustls, the environment's proxy, and a pool that
//! gives connections up before the load balancers and NATs between do.

use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// An idle connection older than this may be half open: hyper keeps them for 90 s, balancers drop them from 20 s on.
const POOL_IDLE: Duration = Duration::from_secs(15);
/// The AWS SDK's own default. No time-out beyond it: waiting for a model is bounded by the client, event by event.
const CONNECT: Duration = Duration::from_millis(3_100);

/// A connector with its own pool.
pub(crate) fn connector() -> SharedHttpConnector {
    SharedHttpConnector::new(ByScheme::default())
}

/// The same as the AWS SDK wants it.
pub(crate) fn client() -> SharedHttpClient {
    let connector = connector();
    http_client_fn(move |_, _| connector.clone())
}

/// One connector for https and one for http, each made when it is first needed: reading the system's certificates takes
/// longer than everything else before a first call, and a local server needs none.
#[derive(Debug, Default)]
struct ByScheme {
    secure: OnceLock<SharedHttpConnector>,
    plain: OnceLock<SharedHttpConnector>,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = match request.uri().starts_with("http://") {
            true => self.plain.get_or_init(|| made(TrustStore::empty())),
            false => self.secure.get_or_init(|| made(TrustStore::default())),
        };
        connector.call(request)
    }
}

fn made(trusted: TrustStore) -> SharedHttpConnector {
    let builder = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT).build())
        .pool_idle_timeout(POOL_IDLE)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    match TlsContext::builder().with_trust_store(trusted).build() {
        Ok(context) => SharedHttpConnector::new(builder.tls_context(context).build()),
        // Fails for certificates of one's own only, and there are none.
        Err(_) => SharedHttpConnector::new(builder.build()),
    }
}
