//! Recorded exchanges with a model service, and their replay byte for byte.
//!
//! A directory holds one exchange in each `*.json`, or one in each line of a `*.jsonl`:
//!
//! ```json
//! {"operation": "converse-stream", "model": "…", "streaming": true,
//!  "request": {"method": "POST", "path": "/model/…/converse-stream", "headers": {}, "body": {}},
//!  "response": {"status": 200, "headers": {"content-type": "…"}, "body_base64": "…"}}
//! ```
//!
//! The body of an answer stands in `body_text` where it is text, else in `body_base64`. `operation`, `model` and
//! `streaming` are for people. No credential of the request's headers is in it. Of
//! its texts, keys of a known form and the accounts of ARNs are removed, each frame by itself: see [`scrub`].
//!
//! A request is answered by the exchange of the same request, else by one of the same operation, the same family
//! of models and the same turns, where the text between `<task>` and `</task>` stands for its whole message.
//! Several exchanges of one request are played in the order of their files; the last one is repeated.

mod key;
pub(super) mod scrub;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aws_smithy_types::base64;
use bytes::Bytes;
use claude_code_core::{Error, ErrorKind, Result};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use self::key::question;

use self::key::Keys;
use super::route::Route;
use crate::local::server::body::{self, Body, Piece, Pieces};

/// The most bytes of all files of a directory together.
const MAX_BYTES: u64 = 1 << 30;

/// The headers of an answer that are kept; the others are of the connection, or of the account.
const KEPT: [&str; 8] = [
    "content-type",
    "x-amzn-errortype",
    "x-amzn-requestid",
    "x-amzn-bedrock-content-type",
    "x-amzn-bedrock-input-token-count",
    "x-amzn-bedrock-output-token-count",
    "x-amz-retry-after",
    "retry-after",
];

/// An exchange as its file has it.
#[derive(Deserialize, Serialize)]
pub(super) struct Exchange {
    #[serde(default)]
    pub(crate) operation: String,
    #[serde(default)]
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) streaming: bool,
    pub(crate) request: Asked,
    pub(crate) response: Answered,
}

/// The request of an exchange.
#[derive(Deserialize, Serialize)]
pub(super) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: Value,
    #[serde(default)]
    pub(crate) body: Value,
}

/// The answer of an exchange.
#[derive(Deserialize, Serialize)]
pub(super) struct Answered {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: HashMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body_base64: Option<String>,
}

impl Answered {
    /// An answer with the headers that are kept.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line records"))]
    pub(crate) fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let kept = KEPT.iter().filter_map(|name| Some((*name, headers.get(*name)?.to_str().ok()?)));
        let headers = kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let text = std::str::from_utf8(body).ok().map(str::to_owned);
        let base64 = text.is_none().then(|| base64::encode(body));
        Answered { status, headers, body_text: text, body_base64: base64 }
    }
}

/// An answer as it is played.
#[derive(Debug)]
struct Take {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// The exchanges of a directory, to be played again.
#[derive(Debug)]
pub struct Recorded {
    takes: Vec<Take>,
    /// For each key its takes, in order, and how many of them were played.
    by_key: HashMap<String, Vec<usize>>,
    played: Mutex<HashMap<String, usize>>,
}

impl Recorded {
    /// Reads the exchanges of a directory, in the order of its files' names. Fails naming the file that cannot be
    /// read, and where there is none.
    pub fn open(directory: &Path) -> Result<Self> {
        let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
            Error::invalid(format!("{}: {error}", path.display()))
        };
        let entries = std::fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
        let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        paths.sort();
        let mut recorded = Recorded { takes: Vec::new(), by_key: HashMap::new(), played: Mutex::default() };
        let mut left = MAX_BYTES;
        for path in paths {
            let lines = match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => false,
                Some("jsonl") => true,
                _ => continue,
            };
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            left = left.checked_sub(text.len() as u64).ok_or_else(|| {
                Error::invalid(format!("{}: more than {MAX_BYTES} bytes of records", directory.display()))
            })?;
            let records: Vec<&str> = if lines { text.lines().collect() } else { vec![&text] };
            for record in records.iter().filter(|record| !record.trim().is_empty()) {
                let exchange = serde_json::from_str(record).map_err(|error| unreadable(&path, &error))?;
                recorded.add(exchange).map_err(|why| unreadable(&path, &why))?;
            }
        }
        if recorded.takes.is_empty() {
            let message = format!("{}: no recorded exchange in it (*.json, *.jsonl)", directory.display());
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        Ok(recorded)
    }

    /// How many exchanges there are.
    pub fn len(&self) -> usize {
        self.takes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.takes.is_empty()
    }

    /// Keeps an exchange under its keys.
    fn add(&mut self, exchange: Exchange) -> Result<(), String> {
        let Exchange { request, response, .. } = exchange;
        let method = request.method.parse().map_err(|_| format!("no method {:?}", request.method))?;
        let Some(route) = Route::of(&method, &request.path) else {
            return Err(format!("no operation at {} {}", request.method, request.path));
        };
        let body = request.body.to_string();
        let take = self.takes.len();
        for key in Keys::of(&route, &request.path, body.as_bytes()).all() {
            self.by_key.entry(key).or_default().push(take);
        }
        self.takes.push(Take::of(response)?);
        Ok(())
    }

    /// The answer to a request, or none if nothing like it was recorded.
    pub(in crate::local::bedrock) fn answer(
        &self,
        route: &Route,
        path: &str,
        body: &[u8],
    ) -> Option<Response<Body>> {
        let keys = Keys::of(route, path, body);
        let key = keys.all().find(|key| self.by_key.contains_key(key))?;
        let takes = self.by_key.get(&key)?;
        let mut played = self.played.lock().unwrap_or_else(PoisonError::into_inner);
        let at = played.entry(key).or_default();
        let take = takes.get(*at).or(takes.last())?;
        *at += 1;
        self.takes.get(*take).map(Take::response)
    }
}

impl Take {
    fn of(response: Answered) -> Result<Self, String> {
        let status =
            StatusCode::from_u16(response.status).map_err(|_| format!("no status {}", response.status))?;
        let mut headers = HeaderMap::new();
        for (name, value) in response.headers {
            let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value));
            let (Ok(name), Ok(value)) = (name, value) else { return Err("a header is none".to_owned()) };
            if KEPT.contains(&name.as_str()) {
                headers.insert(name, value);
            }
        }
        let body = match (response.body_text, response.body_base64) {
            (Some(text), _) => text.into_bytes(),
            (None, Some(code)) => {
                base64::decode(code).map_err(|error| format!("body_base64 is none: {error}"))?
            }
            (None, None) => Vec::new(),
        };
        Ok(Take { status, headers, body: body.into() })
    }

    fn response(&self) -> Response<Body> {
        let stream = self.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        let stream = stream.is_some_and(|kind| kind.contains("event"));
        let body = match stream {
            // Frame by frame, as it came.
            true => Pieces::new(frames(&self.body).into_iter().map(Piece::Bytes)).boxed(),
            false => body::full(self.body.clone()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }
}

/// An event stream in its frames, by the length that each begins with; what is no frame stays in one piece.
fn frames(body: &Bytes) -> Vec<Bytes> {
    let (mut frames, mut rest) = (Vec::new(), body.clone());
    while let Some(length) = rest.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize) {
        if length < 16 || length > rest.len() {
            break;
        }
        frames.push(rest.split_to(length));
    }
    frames.extend(Some(rest).filter(|rest| !rest.is_empty()));
    frames
}
