//! Error responses: one table of statuses, one shape (problem+json), no echo of the request.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use claude_code_core::{Error, ErrorKind, Generation};
use serde_json::{Value, json};

/// Seconds that a throttled caller waits where the service did not say.
const THROTTLED_WAIT: u64 = 5;

/// The HTTP status of a kind, by [`ErrorKind::http_status`].
pub fn status(kind: ErrorKind) -> StatusCode {
    StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An error on its way out.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    field: Option<String>,
    retry_after: Option<u64>,
    request_id: Option<String>,
    partial: Option<Box<Generation>>,
}

impl Problem {
    /// A problem that has no kind of its own: the protocol's.
    pub(crate) fn of_status(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Problem {
            status,
            kind,
            detail: detail.into(),
            field: None,
            retry_after: None,
            request_id: None,
            partial: None,
        }
    }

    /// A value of the request that cannot be used, with its place.
    pub(crate) fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Problem::from(Error::invalid(detail)).at(field)
    }

    /// What is wrong, behind the field that it is about.
    #[cfg(feature = "cli")]
    pub(crate) fn told(&self) -> String {
        match &self.field {
            Some(field) => format!("{field}: {}", self.detail),
            None => self.detail.clone(),
        }
    }

    /// With the place in the request that it is about.
    pub(crate) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// With this wait.
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Whether the work behind it may be repeated under the same idempotency key.
    pub(crate) fn is_final(&self) -> bool {
        self.status.is_client_error()
            && !matches!(
                self.status,
                StatusCode::CONFLICT
                    | StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::UNAUTHORIZED
                    | StatusCode::PAYMENT_REQUIRED
            )
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The body.
    pub fn json(&self) -> Value {
        let mut body = json!({
            "type": format!("urn:claude-code-aws:problem:{}", self.kind),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "kind": self.kind,
            "detail": self.detail,
        });
        if let Some(field) = &self.field {
            body["field"] = field.as_str().into();
        }
        if let Some(seconds) = self.retry_after {
            body["retry_after"] = seconds.into();
        }
        if let Some(id) = &self.request_id {
            body["service_request_id"] = id.as_str().into();
        }
        if let Some(partial) = &self.partial {
            body["partial"] = partial.schema();
        }
        body
    }
}

impl Problem {
    /// The caller is not known. The only 401: what AWS refuses is the server's own trouble.
    pub(crate) fn not_signed_in(detail: &str) -> Self {
        Problem::of_status(StatusCode::UNAUTHORIZED, ErrorKind::Credentials.as_str(), detail)
    }
}

/// The server's own credentials for the model service: the operator reads why in the log, a caller only that it is so.
fn upstream(error: Error) -> Error {
    if error.kind() != ErrorKind::Credentials {
        return error;
    }
    tracing::error!(why = %error.message(), "the credentials for the model service are missing or refused");
    let message = "the server's own credentials for the model service are missing or refused: its operator must renew them";
    error.with_kind(ErrorKind::UpstreamCredentials).with_message(message).with_retry_after(None)
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let error = upstream(error);
        let status = status(error.kind());
        let kind = match error.kind() {
            ErrorKind::Credentials => "upstream_credentials",
            kind => kind.as_str(),
        };
        let default = match error.kind() {
            ErrorKind::Throttled | ErrorKind::Quota | ErrorKind::Unavailable | ErrorKind::Connection => {
                Some(THROTTLED_WAIT)
            }
            _ => None,
        };
        let given = error.retry_after().map(|wait| wait.as_secs().max(1));
        let message = error.message().to_owned();
        Problem {
            field: field_of(&error),
            retry_after: given.or(default),
            request_id: error.request_id().map(str::to_owned),
            // Where nothing was sent there is nothing to show.
            partial: error.into_partial().filter(|partial| !partial.attempts.is_empty()).map(Box::new),
            ..Problem::of_status(status, kind, message)
        }
    }
}

/// The field that a refused request is about: messages of the core begin with its name, or have it early.
fn field_of(error: &Error) -> Option<String> {
    const FIELDS: [&str; 11] = [
        "temperature",
        "max_tokens",
        "max_usd",
        "language",
        "tier",
        "model",
        "cursor",
        "service_data",
        "message",
        "prompt",
        "file",
    ];
    if error.kind() != ErrorKind::InvalidRequest {
        return None;
    }
    let head = error.message().split([':', ',']).next().unwrap_or_default();
    let word =
        |field: &&str| head.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == *field);
    FIELDS
        .iter()
        .find(|field| word(field))
        .map(|field| (if *field == "file" { "files" } else { field }).to_owned())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.json().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(axum::http::header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// There is no such path.
pub(crate) async fn no_route() -> Problem {
    Problem::of_status(StatusCode::NOT_FOUND, "not_found", "no such path: /openapi.json lists the routes")
}

/// The path takes another method: the router says so without words, and names the ones that it takes.
pub(crate) fn no_method(allow: Option<HeaderValue>) -> Response<Body> {
    let detail = "the path takes another method: /openapi.json lists them";
    let problem = Problem::of_status(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    let mut response = problem.into_response();
    if let Some(allow) = allow {
        response.headers_mut().insert(axum::http::header::ALLOW, allow);
    }
    response
}
