//! What S3 says of a service's file that it does not give.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use claude_code_aws::ErrorKind;
use claude_code_aws::service_creator::ServiceStore;
use claude_code_aws::storage::services::AwsServices;

use super::twin;

/// S3 that refuses everything in these words.
#[derive(Clone, Debug)]
struct Refusing(u16, &'static str, &'static str);

impl HttpConnector for Refusing {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let Refusing(status, code, message) = self;
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let response = Response::new(StatusCode::try_from(*status).unwrap(), SdkBody::from(body));
        HttpConnectorFuture::new(async { Ok(response) })
    }
}

#[tokio::test]
async fn a_missing_file_a_forbidden_one_and_one_that_may_be_either_are_told_apart() {
    let (_dir, twin) = twin().await;
    let user = "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform:";
    let reading: &str =
        format!("{user} s3:GetObject on resource: \"arn:aws:s3:::b/k\" because no policy allows it").leak();
    let listing: &str =
        format!("{user} s3:ListBucket on resource: \"arn:aws:s3:::b\" because no policy allows it").leak();
    for (status, code, message, expected) in [
        (404, "NoSuchKey", "The specified key does not exist.", None),
        (403, "AccessDenied", "Access Denied", Some(ErrorKind::AccessDenied)),
        (403, "AccessDenied", listing, Some(ErrorKind::AccessDenied)),
        (403, "AccessDenied", reading, Some(ErrorKind::Storage)),
        (404, "NoSuchBucket", "The specified bucket does not exist", Some(ErrorKind::Storage)),
    ] {
        let connector = SharedHttpConnector::new(Refusing(status, code, message));
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("AK", "not-a-secret", None, None, "test"))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        let s3 = aws_sdk_s3::Client::from_conf(config);
        let services = AwsServices::new(twin.dynamodb_client(), s3, "t", "b");
        let found = services.file("a/b/README.md").await.map_err(|error| error.kind());
        assert_eq!(found, expected.map_or(Ok(None), Err), "{code}: {message}");
    }
}
