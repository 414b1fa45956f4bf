//! HTTP responses of the services: headers and error bodies as they write them.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{Refused, rules};
use crate::local::responder::fault::{self, Fault};
use crate::local::server::body::{self, Body, Pieces};

/// A JSON answer.
pub(super) fn json(value: &Value) -> Response<Body> {
    labelled(body::full(value.to_string()), "application/json")
}

/// A JSON answer that travels with faults.
pub(super) fn json_with(value: &Value, faults: &[Fault]) -> Response<Body> {
    let mut response = json(value);
    if !faults.is_empty() {
        let pieces = fault::apply(value.to_string().into(), faults);
        *response.body_mut() = Pieces::new(pieces).boxed();
        headers(&mut response, faults);
    }
    response
}

/// A stream of frames.
pub(super) fn event_stream(body: Body, faults: &[Fault]) -> Response<Body> {
    let mut response = labelled(body, "application/vnd.amazon.eventstream");
    headers(&mut response, faults);
    response
}

/// Server-sent events.
pub(super) fn server_sent(body: Body, faults: &[Fault]) -> Response<Body> {
    let mut response = labelled(body, "text/event-stream; charset=utf-8");
    response.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers(&mut response, faults);
    response
}

/// The headers that faults set.
fn headers(response: &mut Response<Body>, faults: &[Fault]) {
    for fault in faults {
        let Fault::Header { name, value } = fault else { continue };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// An error as Bedrock writes it, with faults on its way.
pub(super) fn refused(refused: &Refused, faults: &[Fault]) -> Response<Body> {
    let Refused { code, status, message } = refused;
    let mut response = json_with(&json!({ "message": message }), faults);
    *response.status_mut() = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST);
    let kind = format!("{code}:http://internal.amazon.com/coral/com.amazon.bedrock/");
    insert(&mut response, "x-amzn-errortype", &kind);
    response
}

/// An error as the Messages API writes it, with faults on its way.
pub(super) fn message_refused(refused: &Refused, faults: &[Fault]) -> Response<Body> {
    let (body, status) = error_body(&refused.code, refused.status, &refused.message);
    let mut response = json_with(&body, faults);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    response
}

/// An error as Bedrock writes it: the name in a header, with a URL behind it that clients must cut off.
pub(super) fn exception(code: &str, status: u16, message: &str) -> Response<Body> {
    refused(&Refused::new(code, status, message), &[])
}

/// An error as the Messages API writes it.
pub(super) fn message_error(code: &str, status: u16, message: &str) -> Response<Body> {
    message_refused(&Refused::new(code, status, message), &[])
}

/// The body of such an error, and its status.
pub(super) fn error_body(code: &str, status: u16, message: &str) -> (Value, u16) {
    // Bedrock's 503 is this API's 529.
    let (kind, status) = match (code, status) {
        ("ThrottlingException" | "throttlingException", _) => ("rate_limit_error", 429),
        ("serviceUnavailableException", _) => ("overloaded_error", 529),
        ("internalServerException" | "modelStreamErrorException" | "ModelErrorException", _) => {
            ("api_error", 500)
        }
        (_, 401) => ("authentication_error", 401),
        (_, 403) => ("permission_error", 403),
        (_, 404) => ("not_found_error", 404),
        (_, 413) => ("request_too_large", 413),
        (_, 503 | 529) => ("overloaded_error", 529),
        (_, 500..) => ("api_error", status),
        _ => ("invalid_request_error", status),
    };
    // The prefix is Bedrock's; what follows is the model's.
    let message = message.strip_prefix(rules::PREFIX).unwrap_or(message);
    (json!({ "type": "error", "error": { "type": kind, "message": message } }), status)
}

/// Sets a header whose value is made here; one that cannot be a header is left out.
pub(super) fn insert(response: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn labelled(body: Body, content_type: &'static str) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    let id = uuid::Uuid::now_v7();
    insert(&mut response, "x-amzn-requestid", &id.to_string());
    insert(&mut response, "request-id", &format!("req_{}", id.simple()));
    response
}
