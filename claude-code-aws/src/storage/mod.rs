//! Storage on AWS: results and services in S3 and DynamoDB, shared state, presigned URLs, the sweep of orphans.

pub mod download;
pub mod dynamodb;
pub(crate) mod presign;
pub mod results;
pub mod s3;
#[cfg(any(feature = "cli", feature = "server"))]
pub mod services;
pub mod sweep;

/// What to do about a failed call with this code. Credentials are named only where the service named them, or where nothing
/// answered: a disk that is full is not theirs.
fn fix(code: &str) -> &'static str {
    match code {
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch" => "renew the credentials",
        "no answer" => "check the credentials and the network",
        "InternalServerError"
        | "InternalServerException"
        | "InternalError"
        | "InternalFailure"
        | "ServiceUnavailable" => {
            "the store itself failed: where it is a local directory, check that its disk has room and can be written; else try again"
        }
        _ => "look the code up in the service's documentation",
    }
}
