//! The connections to models, the same for each provider: HTTPS by rustls, the environment's proxy, and a pool that
//! gives connections up before the load balancers and NATs between do.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

/// An idle connection older than this may be half open: hyper keeps them for 90 s, balancers drop them from 20 s on.
const POOL_IDLE: Duration = Duration::from_secs(15);
/// The AWS SDK's own default. No time-out beyond it: waiting for a model is bounded by the client, event by event.
const CONNECT: Duration = Duration::from_millis(3_100);

/// A connector with its own pool.
pub(crate) fn connector() -> SharedHttpConnector {
    let connector = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT).build())
        .pool_idle_timeout(POOL_IDLE)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build();
    SharedHttpConnector::new(connector)
}

/// The same as the AWS SDK wants it.
pub(crate) fn client() -> SharedHttpClient {
    let connector = connector();
    http_client_fn(move |_, _| connector.clone())
}
