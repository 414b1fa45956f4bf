//! A twin in a temporary directory.

use bytes::Bytes;
use claude_code_aws::local::{Body, Service, Twin, handle};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;

/// A twin that lives as long as its directory.
pub(crate) struct Temporary {
    pub(crate) twin: Twin,
    pub(crate) directory: TempDir,
}

pub(crate) fn twin() -> Temporary {
    let directory = tempfile::tempdir().unwrap();
    let twin = Twin::open(directory.path()).unwrap();
    Temporary { twin, directory }
}

impl Temporary {
    /// S3 with one bucket in it.
    pub(crate) async fn bucket(&self, name: &str) -> aws_sdk_s3::Client {
        let s3 = self.twin.s3_client();
        s3.create_bucket().bucket(name).send().await.unwrap();
        s3
    }

    /// Closes the twin and opens it again, as a new process would.
    pub(crate) fn reopened(self) -> Temporary {
        let Temporary { twin, directory } = self;
        drop(twin);
        let twin = Twin::open(directory.path()).unwrap();
        Temporary { twin, directory }
    }
}

/// The code of a service's refusal.
pub(crate) fn code<T: std::fmt::Debug, E, R>(
    result: Result<T, aws_smithy_runtime_api::client::result::SdkError<E, R>>,
) -> String
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let error = result.expect_err("a refusal");
    let code = error.as_service_error().and_then(|error| error.meta().code().map(str::to_owned));
    code.unwrap_or_else(|| format!("{error:?}"))
}

/// The bytes of an object, or of a version of it.
pub(crate) async fn read(s3: &aws_sdk_s3::Client, bucket: &str, key: &str) -> Vec<u8> {
    let got = s3.get_object().bucket(bucket).key(key).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

pub(crate) async fn put(s3: &aws_sdk_s3::Client, bucket: &str, key: &str, body: &[u8]) {
    s3.put_object().bucket(bucket).key(key).body(body.to_vec().into()).send().await.unwrap();
}

/// A request to Bedrock's endpoint, without an SDK between.
pub(crate) async fn send(twin: &Twin, method: &str, path: &str, body: &Value) -> http::Response<Bytes> {
    let body: Body =
        http_body_util::Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed();
    let request = http::Request::builder().method(method).uri(path).body(body).unwrap();
    let response = handle(twin.engines(), Service::Bedrock, request).await.unwrap();
    let (parts, body) = response.into_parts();
    http::Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

pub(crate) fn value(response: &http::Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}
