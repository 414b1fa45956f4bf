//! Failed calls of S3 and DynamoDB, in one line with what to do.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use claude_code_core::Error;

use crate::connect::{cause, credentials};

/// One line about a call that failed: the code that the service gave and what to do, or why no service answered.
pub(super) fn told<E, R>(what: &str, failed: &SdkError<E, R>, own: &[(&str, &'static str)]) -> String
where
    SdkError<E, R>: ProvideErrorMetadata + StdError + 'static,
{
    let Some(code) = failed.code() else {
        return format!("could not {what}: {}", unanswered(failed));
    };
    let fix = own.iter().find(|(known, _)| *known == code).map_or_else(|| fix(code), |(_, fix)| *fix);
    match failed.message().filter(|message| message.starts_with(LOCAL)) {
        Some(message) => format!("could not {what} ({code}): {message}; check that its disk has room"),
        None => format!("could not {what} ({code}): {fix}"),
    }
}

/// How the local engines begin what they say of themselves.
pub(crate) const LOCAL: &str = "the local store failed: ";

/// Why no service answered: what the local engines say, why no connection was made, or why there are no credentials.
fn unanswered(error: &(dyn StdError + 'static)) -> String {
    let local = || cause::sources(error).find_map(|source| source.downcast_ref::<Error>());
    let unreachable = || cause::find(error).map(ToString::to_string);
    local()
        .map(ToString::to_string)
        .or_else(unreachable)
        .or_else(|| credentials::told(error))
        .unwrap_or_else(|| "no answer: check the network and the endpoint's URL, and try again".to_owned())
}

/// What to do about a failed call with this code. Credentials are named only where the service named them.
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
