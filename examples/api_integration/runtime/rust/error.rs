//! Errors of a generated client.

use std::fmt;
use std::time::{Duration, SystemTime};

use hyper::body::Incoming;
use hyper::{Method, Response, StatusCode, header};
use serde_json::Value;

use super::wire::read;

/// A server that asks for a longer wait is not asked again: the error has its `retry_after`.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Why there is no result.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// An answer that is no success.
    Api(ApiError),
    /// No answer: not reached, or not within the timeout.
    Connection(String),
    /// An answer that is not what the document says.
    Answer(String),
    /// A request that cannot be sent.
    Request(String),
}

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// What the status means.
    pub kind: Kind,
    /// The status.
    pub status: u16,
    /// The body, where that is JSON.
    pub problem: Option<Value>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
}

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 400.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 422: the request can be read and is not acceptable.
    Unprocessable,
    /// 429.
    TooManyRequests,
    /// 500 and above.
    Server,
    /// Any other.
    Other,
}

impl Error {
    /// What the status means, where there was an answer.
    pub fn kind(&self) -> Option<Kind> {
        if let Error::Api(error) = self { Some(error.kind) } else { None }
    }

    pub(super) fn is_passing(&self) -> bool {
        match self {
            Error::Api(error) => {
                matches!(error.status, 429 | 502 | 503 | 504)
                    && error.retry_after.is_none_or(|wait| wait <= MAX_WAIT)
            }
            Error::Connection(_) => true,
            _ => false,
        }
    }

    /// With the operation in its message.
    pub(super) fn of(self, method: &Method, path: &str) -> Self {
        match self {
            Error::Connection(why) => Error::Connection(format!("{method} {path}: {why}")),
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Api(error) => {
                let told = |key: &str| error.problem.as_ref()?.get(key)?.as_str().map(str::to_owned);
                let detail = told("detail").or_else(|| told("title"));
                write!(f, "status {}: {}", error.status, detail.as_deref().unwrap_or("no detail"))
            }
            Error::Connection(why) | Error::Answer(why) | Error::Request(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

/// The error of an answer.
pub(super) async fn failure(answer: Response<Incoming>, within: Duration) -> Error {
    let (status, after) = (answer.status(), retry_after(answer.headers()));
    let body = read(answer, within).await.unwrap_or_default();
    let kind = match status.as_u16() {
        400 => Kind::BadRequest,
        401 => Kind::Unauthorized,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        422 => Kind::Unprocessable,
        429 => Kind::TooManyRequests,
        _ if status >= StatusCode::INTERNAL_SERVER_ERROR => Kind::Server,
        _ => Kind::Other,
    };
    let problem = serde_json::from_slice(&body).ok();
    Error::Api(ApiError { kind, status: status.as_u16(), problem, retry_after: after })
}

/// The wait of a Retry-After header, which is a number of seconds or a date.
fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}
