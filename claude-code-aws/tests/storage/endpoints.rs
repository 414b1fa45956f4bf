//! How S3 is asked: AWS's own with the bucket in the host and checksums, other servers as they need it.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use claude_code_aws::storage::s3;

/// The address of a request and the names of its headers.
type Sent = (String, Vec<String>);

/// Takes down what is sent, and answers 200.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<Sent>>>);

impl HttpClient for Seen {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Seen {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let names = request.headers().iter().map(|(name, _)| name.to_owned()).collect();
        self.0.lock().unwrap().push((request.uri().to_owned(), names));
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::empty())))
    }
}

/// The address and the header names of a put through this configuration.
async fn put(endpoint: Option<&str>) -> Sent {
    let seen = Seen::default();
    let keys = Credentials::new("AK", "not-a-secret", None, None, "test");
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(seen.clone());
    sdk.set_endpoint_url(endpoint.map(str::to_owned));
    let body = b"a = 1\n".to_vec().into();
    s3::client(&sdk.build()).put_object().bucket("shelf").key("a/b.py").body(body).send().await.unwrap();
    seen.0.lock().unwrap().remove(0)
}

#[tokio::test]
async fn another_server_gets_the_bucket_in_the_path_and_no_checksums_and_aws_the_opposite() {
    let has_checksum = |names: &[String]| names.iter().any(|name| name.starts_with("x-amz-checksum"));
    let (url, names) = put(Some("http://127.0.0.1:9000")).await;
    assert!(
        url.starts_with("http://127.0.0.1:9000/shelf/a/b.py") && !has_checksum(&names),
        "{url} {names:?}"
    );
    let (url, names) = put(None).await;
    assert!(url.starts_with("https://shelf.s3.eu-west-1.amazonaws.com/a/b.py"), "{url}");
    assert!(has_checksum(&names), "{names:?}");
}
