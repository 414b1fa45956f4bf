//! Request extraction: bodies and queries, bounded before they are read; errors name the field.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use claude_code_core::answer::file::sha256_hex;
use claude_code_core::{Error, ErrorKind};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use super::receive::is_json;
use crate::http::app::App;
use crate::http::response::problem::Problem;

/// Names of fields are told back only if they are short words.
const LONGEST_NAME: usize = 40;

/// A body of JSON, and the hash of its bytes.
#[derive(Debug)]
pub(crate) struct Json<T> {
    pub(crate) value: T,
    pub(crate) sha256: String,
}

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, _: &App) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "send the body as Content-Type: application/json";
            return Err(Problem::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, "malformed", detail));
        }
        // It is in memory already: see [`receive`](super::receive).
        let body = request.into_body().collect().await.map_err(|_| malformed("the body broke off"))?;
        let bytes = body.to_bytes();
        Ok(Json { value: read(&bytes)?, sha256: sha256_hex(&bytes) })
    }
}

/// A query whose every name is known.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Params(value)),
            Err(error) => {
                let source = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
                let (path, message) = path_of(&source);
                Err(refused(message, path).unwrap_or_else(|| malformed("the query cannot be read")))
            }
        }
    }
}

/// "limit: invalid digit found in string": the parameter that an error is about, where it names one.
fn path_of(message: &str) -> (Option<String>, &str) {
    let is_name = |name: &str| {
        name.len() <= LONGEST_NAME && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match message.split_once(": ") {
        Some((name, rest)) if is_name(name) => (Some(name.to_owned()), rest),
        _ => (None, message),
    }
}

/// The id in a path; one that cannot be an id is not found.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

/// Two ids in a path.
#[derive(Debug)]
pub(crate) struct TwoIds(pub(crate) String, pub(crate) String);

impl FromRequestParts<App> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let mut ids = ids(parts, app).await?.into_iter();
        ids.next().map(Id).ok_or_else(unknown)
    }
}

impl FromRequestParts<App> for TwoIds {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let mut ids = ids(parts, app).await?.into_iter();
        ids.next().zip(ids.next()).map(|(one, two)| TwoIds(one, two)).ok_or_else(unknown)
    }
}

async fn ids(parts: &mut Parts, app: &App) -> Result<Vec<String>, Problem> {
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| unknown())?;
    params.iter().map(|(_, id)| known_form(id).map(str::to_owned)).collect()
}

/// The text if it has the form of an id: what has not never reaches a store's key.
pub(crate) fn known_form(id: &str) -> Result<&str, Problem> {
    let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_id { Ok(id) } else { Err(unknown()) }
}

fn unknown() -> Problem {
    Problem::from(Error::new(ErrorKind::NotFound, "there is nothing with this id"))
}

/// The value of a body. What is no JSON is 400; JSON that is no such value is 422.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: Result<T, _> = serde_path_to_error::deserialize(&mut json);
    match value {
        Ok(value) => json.end().map(|()| value).map_err(|_| malformed("there is more after the JSON's end")),
        Err(error) => {
            let path = error.path().to_string();
            let error = error.into_inner();
            let path = Some(path).filter(|path| path != "." && path.len() <= 2 * LONGEST_NAME);
            match error.classify() {
                serde_json::error::Category::Data => Err(refused(&error.to_string(), path)
                    .unwrap_or_else(|| malformed("the body is not as described"))),
                _ => Err(malformed(format!(
                    "the body is not JSON, at line {} column {}",
                    error.line(),
                    error.column()
                ))),
            }
        }
    }
}

/// The problem behind a message of serde's, without the values that it quotes.
fn refused(message: &str, path: Option<String>) -> Option<Problem> {
    let quoted = |after: &str| {
        let name = message.strip_prefix(after)?.split('`').next()?;
        let is_word =
            name.len() <= LONGEST_NAME && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        Some(if is_word { name.to_owned() } else { "(another name)".to_owned() })
    };
    if let Some(name) = quoted("unknown field `") {
        return Some(Problem::field(name, "no such field: /openapi.json lists the fields"));
    }
    if let Some(name) = quoted("missing field `") {
        return Some(Problem::field(name, "the field is missing"));
    }
    if let Some(name) = quoted("duplicate field `") {
        return Some(Problem::field(name, "the field is there twice"));
    }
    // "invalid type: string \"…\", expected u32 at line 1 column 9": the second half is ours.
    let expected = message.rsplit_once("expected ").map(|(_, expected)| expected);
    let expected = expected.map(|text| text.split(" at line ").next().unwrap_or(text));
    let detail =
        expected.map_or_else(|| "the value cannot be used".into(), |what| format!("expected {what}"));
    Some(match path {
        Some(path) => Problem::field(path, detail),
        None => Problem::from(Error::invalid(detail)),
    })
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::from(Error::new(ErrorKind::Malformed, detail))
}
