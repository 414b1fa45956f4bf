//! In-process HTTP connector for the SDK: requests go to the engines by host, without a network.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use claude_code_core::{Error, ErrorKind, Result};
use http::header::{HOST, HeaderValue};
use http_body_util::BodyExt;

use super::body::BodyError;
use super::endpoint::{Engines, Service, handle};

/// Hands the SDK's requests to the engines of one twin.
#[derive(Clone, Debug)]
pub(crate) struct InProcess {
    engines: Arc<Engines>,
}

impl InProcess {
    /// A client for these engines.
    pub(crate) fn new(engines: Arc<Engines>) -> Self {
        InProcess { engines }
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let engines = Arc::clone(&self.engines);
        HttpConnectorFuture::new(async move {
            // Never retried by the SDK: an engine that does not open now will not open in a second either.
            exchange(&engines, request).await.map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

async fn exchange(engines: &Engines, request: HttpRequest) -> Result<HttpResponse> {
    let unreadable =
        |error: &dyn std::fmt::Display| Error::new(ErrorKind::Malformed, format!("not a request: {error}"));
    let request = request.try_into_http1x().map_err(|error| unreadable(&error))?;
    let mut request = request.map(|body| body.map_err(BodyError::new).boxed());
    let authority =
        request.uri().authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    let service = Service::from_host(host).ok_or_else(|| {
        Error::invalid(format!("the local twin has no service at {host:?}, and it never calls out"))
    })?;
    // The SDK leaves this header to the connection, and the signature covers it.
    let host = HeaderValue::from_str(&authority).map_err(|error| unreadable(&error))?;
    request.headers_mut().insert(HOST, host);
    let response = handle(engines, service, request).await?;
    HttpResponse::try_from(response.map(SdkBody::from_body_1_x)).map_err(|error| unreadable(&error))
}
