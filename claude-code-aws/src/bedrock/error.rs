//! What Bedrock's errors mean: by code before the stream, by variant within it. The verdict on whether a failed send
//! may be on the bill is made here; nobody else guesses.

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError as InStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::event_stream::RawMessage;
use claude_code_core::model::catalogue::Status;
use claude_code_core::provider::{Billing, ModelCall, ProviderError};
use claude_code_core::{ErrorKind, ModelId};

use super::access::{self, instead};
use super::guard::FrameFault;
use super::request::Failed;
use crate::connect::credentials;
use crate::model_service::context_length::{call_too_long, says_too_long};
use crate::model_service::faults::{
    self, by_status, printable, refused_field, retry_after, says_daily, skew,
};
use crate::model_service::redact::Sent;

/// How long a model that is being loaded is left alone.
const NOT_READY_WAIT: Duration = Duration::from_secs(10);

/// Why a send failed before its stream was open.
pub(super) fn before_stream(call: &ModelCall, failed: Failed) -> ProviderError {
    match &failed {
        SdkError::ServiceError(context) => {
            let raw = context.raw();
            let code = context.err().meta().code().or_else(|| raw.headers().get("x-amzn-errortype"));
            let code = code.map(|code| code.split([':', '#']).next().unwrap_or(code).to_owned());
            let text = context.err().meta().message().unwrap_or_default();
            let status = raw.status().as_u16();
            let mut fault = match code.as_deref() {
                None if text.is_empty() => no_error_of_bedrock(call, raw),
                code => by_code(call, code.unwrap_or_default(), status, text),
            };
            fault.status = Some(status);
            fault.request_id = raw.headers().get("x-amzn-requestid").map(str::to_owned);
            fault.retry_after = retry_after(|name| raw.headers().get(name)).or(fault.retry_after);
            fault.code = code;
            if let Some(offset) = skew(raw).filter(|_| fault.kind == ErrorKind::Credentials) {
                // The SDK has learnt the offset from this answer: the next signature is right.
                fault.retry_after = Some(Duration::ZERO);
                fault.message = format!("this machine's clock is {offset} s off AWS's: set it");
            }
            fault
        }
        SdkError::DispatchFailure(context) => {
            context.as_connector_error().map_or_else(|| unsent(&failed), connection)
        }
        SdkError::TimeoutError(_) => ProviderError::new(
            ErrorKind::Timeout,
            Billing::Maybe,
            "the request timed out before an answer began: try again",
        ),
        SdkError::ResponseError(context) => unread(call, context.raw()),
        _ => unsent(&failed),
    }
}

/// An answer without a code or words: not Bedrock's, but a proxy's or firewall's in its place.
fn no_error_of_bedrock(call: &ModelCall, raw: &HttpResponse) -> ProviderError {
    let status = raw.status().as_u16();
    let fault = by_status("Bedrock", &call.model, "", status);
    let kind = raw.headers().get("content-type");
    match status {
        413 | 429 => fault,
        500.. if !faults::is_page(kind) => fault,
        _ => ProviderError { message: faults::foreign(status, kind), ..fault },
    }
}

/// Why an open stream failed. The exception's frame names it, whether the SDK knows it or not.
pub(super) fn within_stream(call: &ModelCall, failed: SdkError<InStream, RawMessage>) -> ProviderError {
    let fault = |kind, paid, message: &str| ProviderError::new(kind, paid, message);
    match &failed {
        SdkError::ServiceError(context) => {
            ProviderError { code: exception(context.raw()), ..told_within(call, context.err()) }
        }
        SdkError::DispatchFailure(_) => match guarded(&failed) {
            Some(refused) => fault(
                ErrorKind::Protocol,
                Billing::Maybe,
                &format!("{refused}: the stream is damaged, send it again"),
            ),
            None => fault(
                ErrorKind::Cut,
                Billing::Maybe,
                "the connection broke before the answer's end: try again",
            ),
        },
        SdkError::ResponseError(context) if is_cut(context.raw()) => fault(
            ErrorKind::Cut,
            Billing::Maybe,
            "the stream ended within a frame: the answer is cut, try again",
        ),
        _ => fault(
            ErrorKind::Protocol,
            Billing::Maybe,
            "a frame of the stream is damaged: the answer cannot be trusted, send it again",
        ),
    }
}

/// What the service says within a stream: until then it may have been paid for.
fn told_within(call: &ModelCall, error: &InStream) -> ProviderError {
    let fault = |kind, message: &str| ProviderError::new(kind, Billing::Maybe, message);
    match error {
        InStream::ThrottlingException(_) => fault(
            ErrorKind::Throttled,
            "Bedrock throttled the answer midway: it is slower to send less at once",
        ),
        InStream::ServiceUnavailableException(_) => {
            fault(ErrorKind::Unavailable, "Bedrock became unavailable midway: try again")
        }
        InStream::ValidationException(error) => {
            let mut fault = validation(call, error.message().unwrap_or_default());
            fault.paid = Billing::Maybe;
            fault
        }
        _ => fault(ErrorKind::Unavailable, "the model failed midway: try again"),
    }
}

/// The name of an exception as errors before the stream have it.
fn exception(raw: &RawMessage) -> Option<String> {
    let RawMessage::Decoded(frame) = raw else { return None };
    let header = frame.headers().iter().find(|header| header.name().as_str() == ":exception-type")?;
    let name = header.value().as_string().ok()?.as_str();
    let mut letters = name.chars();
    let first = letters.next()?.to_ascii_uppercase();
    Some(printable(&format!("{first}{}", letters.as_str()), 64))
}

/// An answer whose body broke off: of a refusal the headers say enough.
fn unread(call: &ModelCall, raw: &HttpResponse) -> ProviderError {
    let status = raw.status().as_u16();
    let code = raw.headers().get("x-amzn-errortype").and_then(|code| code.split([':', '#']).next());
    let fault = match status {
        400.. => by_code(call, code.unwrap_or_default(), status, ""),
        _ => ProviderError::new(
            ErrorKind::Protocol,
            Billing::Maybe,
            "Bedrock's answer could not be read: send it again",
        ),
    };
    let request_id = raw.headers().get("x-amzn-requestid").map(str::to_owned);
    ProviderError { status: Some(status), code: code.map(str::to_owned), request_id, ..fault }
}

fn is_cut(raw: &RawMessage) -> bool {
    // The end of the bytes within a frame leaves a part of it behind; a frame that is damaged was used up.
    matches!(raw, RawMessage::Invalid(Some(_)))
}

fn guarded<'a>(failed: &'a (dyn StdError + 'static)) -> Option<&'a FrameFault> {
    let mut source = Some(failed);
    while let Some(error) = source {
        if let Some(fault) = error.downcast_ref::<FrameFault>() {
            return Some(fault);
        }
        source = error.source();
    }
    None
}

/// A fault of the connection: safe while none was made, unknown after.
fn connection(error: &ConnectorError) -> ProviderError {
    if let Some(unreachable) = crate::connect::unreachable(error) {
        return unreachable.fault();
    }
    if let Some(why) = credentials::told(error) {
        return ProviderError::new(ErrorKind::Credentials, Billing::No, why);
    }
    if error.is_user() {
        return ProviderError::new(
            ErrorKind::InvalidRequest,
            Billing::No,
            "the request could not be built: check model id and endpoint",
        );
    }
    faults::connection(error)
}

fn unsent(failed: &Failed) -> ProviderError {
    if let Some(unreachable) = crate::connect::unreachable(failed) {
        return unreachable.fault();
    }
    if let Some(why) = credentials::told(failed) {
        return ProviderError::new(ErrorKind::Credentials, Billing::No, why);
    }
    ProviderError::new(
        ErrorKind::InvalidRequest,
        Billing::No,
        "the request could not be built: check model id, region and endpoint",
    )
}

/// Whether the code says that the credentials have ended or are no longer known: worth one try with new ones.
pub(super) fn is_ended_token(code: &str) -> bool {
    matches!(
        code,
        "ExpiredTokenException"
            | "ExpiredToken"
            | "InvalidToken"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
    )
}

/// The taxonomy. Codes that the SDK's model does not list arrive here too, for it is the code that counts.
fn by_code(call: &ModelCall, code: &str, status: u16, text: &str) -> ProviderError {
    let model = &call.model;
    let fault = |kind, paid, message: String| ProviderError::new(kind, paid, message);
    match code {
        "ThrottlingException" | "TooManyRequestsException" | "Throttling" => throttled(model, text),
        "ModelNotReadyException" => ProviderError {
            retry_after: Some(NOT_READY_WAIT),
            ..fault(ErrorKind::Unavailable, Billing::No, format!("{model} is being loaded: wait a minute"))
        },
        "ServiceQuotaExceededException" => fault(
            ErrorKind::Quota,
            Billing::No,
            format!("a quota of this account for {model} is used up: raise it in Service Quotas"),
        ),
        "AccessDeniedException" => access::denied(call, text),
        "ResourceNotFoundException" => access::not_found(call, text),
        "ValidationException" => validation(call, text),
        "ModelTimeoutException" => fault(
            ErrorKind::Timeout,
            Billing::Maybe,
            format!("{model} took too long: ask for less at once, or lower max_tokens"),
        ),
        "ModelErrorException" | "ModelStreamErrorException" => fault(
            ErrorKind::Unavailable,
            Billing::Maybe,
            format!("{model} failed while answering: try again"),
        ),
        "ServiceUnavailableException" => {
            fault(ErrorKind::Unavailable, Billing::No, "Bedrock is unavailable: try again".into())
        }
        code if is_ended_token(code) => ProviderError {
            retry_after: Some(Duration::ZERO),
            ..fault(
                ErrorKind::Credentials,
                Billing::No,
                format!("the AWS credentials have ended ({code}): aws sso login, or renew them"),
            )
        },
        "RequestExpired"
        | "RequestTimeTooSkewed"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => fault(
            ErrorKind::Credentials,
            Billing::No,
            format!("AWS refused the credentials ({code}): check keys, region and the clock"),
        ),
        _ => by_status("Bedrock", model, code, status),
    }
}

fn throttled(model: &ModelId, text: &str) -> ProviderError {
    let (kind, message) = if says_daily(text) {
        let used_up = format!("today's tokens of this account for {model} are used up");
        (ErrorKind::Quota, format!("{used_up}: wait until tomorrow, or raise the quota"))
    } else {
        let wait = "wait, lower max_tokens (quota is reserved by it), or raise the quota";
        (ErrorKind::Throttled, format!("Bedrock throttles {model}: {wait}"))
    };
    ProviderError::new(kind, Billing::No, message)
}

fn validation(call: &ModelCall, text: &str) -> ProviderError {
    let model = &call.model;
    let fault = |kind, message: String| ProviderError::new(kind, Billing::No, message);
    let lower = text.to_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
    if says(&["model identifier is invalid"]) {
        let gone = call.catalogue.find(model).is_some_and(|card| card.lifecycle.status == Status::Retired);
        let kind = if gone { ErrorKind::Retired } else { ErrorKind::NotFound };
        return fault(
            kind,
            format!(
                "Bedrock does not know {model}: it is retired, not in this region, or misspelt{}",
                instead(call)
            ),
        );
    }
    if says(&["on-demand throughput isn"]) {
        return fault(
            ErrorKind::NeedsProfile,
            format!(
                "{model} is reached only through an inference profile: use its id with global., us. or eu. before it"
            ),
        );
    }
    if says(&["data retention mode"]) {
        return fault(
            ErrorKind::DataRetention,
            format!(
                "{model} needs a data-retention mode for the whole account: set it with bedrock:PutAccountDataRetention"
            ),
        );
    }
    if says_too_long(&lower) {
        return call_too_long(call, text);
    }
    if no_sample(text) {
        return fault(ErrorKind::NoSample, text.to_owned());
    }
    let field = refused_field(&lower);
    let told = Sent::without_key(call).words(text);
    ProviderError {
        refused_field: field,
        ..fault(ErrorKind::InvalidRequest, format!("{model} refused the request: {told}"))
    }
}

/// The twin's own refusal of a prompt that it has no answer to.
fn no_sample(text: &str) -> bool {
    text.starts_with("no sample answer for this prompt")
}
