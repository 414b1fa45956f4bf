//! Stored results: list, get, download, delete. Each id is looked up within the caller's scope.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use claude_code_core::answer::file::stored_names;
use claude_code_core::store::Listing;
use claude_code_core::{Error, ErrorKind, GenerationStore, Language, UtcMillis};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::request::extract::{Id, Params};
use crate::http::request::generate_body::LANGUAGE;
use crate::http::request::headers::Asks;
use crate::http::response::body;
use crate::http::response::idempotent::Answer;
use crate::http::response::inline_or_link;
use crate::http::response::links;
use crate::http::response::problem::Problem;
use crate::http::response::zip;
use crate::http::routes::services::ContentParams;

/// Rows of a page where the caller does not say.
const PAGE: u32 = 20;

/// What is listed.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// The index needs one.
    #[schemars(regex(pattern = LANGUAGE))]
    language: String,
    /// Not before this moment, as `2026-11-21` or `2026-11-21T20:46:00Z`.
    #[schemars(extend("format" = "date-time"))]
    from: Option<String>,
    /// Before this moment.
    #[schemars(extend("format" = "date-time"))]
    to: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// Rows at most.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

fn store(caller: &Caller) -> Result<&Arc<dyn GenerationStore>, Problem> {
    caller.client.results().ok_or_else(|| match caller.client.store_problem() {
        Some(why) => Error::new(ErrorKind::Storage, why).into(),
        None => {
            Error::new(ErrorKind::NotFound, "this server keeps no results: set CLAUDE_CODE_AWS_STORE").into()
        }
    })
}

/// GET /results, newest first.
pub(crate) async fn list(
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Response<Body>, Problem> {
    let language = Language::new(&params.language)
        .map_err(|_| Problem::field("language", "a language is a short name such as python or typescript"))?;
    let limit = params.limit.unwrap_or(PAGE);
    if !(1..=100).contains(&limit) {
        return Err(Problem::field("limit", "limit is 1 to 100"));
    }
    let listing = Listing {
        language,
        from: moment("from", params.from)?,
        to: moment("to", params.to)?,
        batch: None,
        cursor: params.cursor,
        limit,
    };
    let begin = listing.from.unwrap_or_default();
    if listing.to.is_some_and(|to| to <= begin) {
        return Ok(Answer::ok(json!({ "items": [], "next": null })).into_response());
    }
    if listing.cursor.as_deref().is_some_and(|cursor| !is_within(cursor, &listing)) {
        return Err(Problem::field(
            "cursor",
            "the cursor is not one of this listing: leave it out to start from the newest",
        ));
    }
    let page = store(&caller)?.list(&caller.scope, &listing).await?;
    Ok(Answer::ok(json!({ "items": page.items, "next": page.next })).into_response())
}

/// Whether a cursor points between the listing's bounds: the table refuses one that does not.
fn is_within(cursor: &str, listing: &Listing) -> bool {
    let at = cursor.split_once('/').and_then(|(at, _)| UtcMillis::from_iso(at));
    at.is_some_and(|at| at >= listing.from.unwrap_or_default() && listing.to.is_none_or(|to| at < to))
}

fn moment(field: &'static str, text: Option<String>) -> Result<Option<UtcMillis>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let whole = if text.len() == "2026-11-21".len() { format!("{text}T00:00:00Z") } else { text };
    let found = time::OffsetDateTime::parse(&whole, &time::format_description::well_known::Rfc3339);
    let millis = found.ok().and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok());
    millis
        .map(|at| Some(UtcMillis(at.max(0))))
        .ok_or_else(|| Problem::field(field, "a moment is written 2026-11-21 or 2026-11-21T20:46:00Z"))
}

/// GET /results/{id}: everything but the content, unless that is asked for.
pub(crate) async fn result(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    Id(id): Id,
    Params(params): Params<ContentParams>,
) -> Result<Response<Body>, Problem> {
    let generation = store(&caller)?.get(&caller.scope, &id).await?;
    if params.content {
        let whole = inline_or_link::fitted(&app, &asks.host, generation.schema()).await;
        return Ok(Answer::ok(whole).into_response());
    }
    Ok(Answer::ok(body::metadata(&generation)).into_response())
}

/// DELETE /results/{id}.
pub(crate) async fn delete(caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    store(&caller)?;
    caller.client.erase(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// GET /results/{id}/download.
pub(crate) async fn download(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    Id(id): Id,
) -> Result<Response<Body>, Problem> {
    let generation = store(&caller)?.get(&caller.scope, &id).await?;
    let Some(links) = &app.links else {
        return Err(Error::new(
            ErrorKind::NotFound,
            "this server has no downloads: its results are in memory",
        )
        .into());
    };
    let links = links.of_result(&generation, &asks.host).await?;
    let sha256 = |index: usize| generation.files.get(index).map(|file| file.sha256()).unwrap_or_default();
    Ok(Answer::ok(links::listing(&id, &links, sha256)).into_response())
}

/// GET /results/{id}/zip.
pub(crate) async fn zip(caller: Caller, Id(id): Id) -> Result<Response<Body>, Problem> {
    let generation = store(&caller)?.get(&caller.scope, &id).await?;
    let names = stored_names(&generation.files)?;
    let contents = generation.files.into_iter().map(|file| file.content.into_bytes());
    archive(&id, names.into_iter().zip(contents).collect())
}

/// The answer that is an archive.
pub(crate) fn archive(name: &str, files: Vec<(String, Vec<u8>)>) -> Result<Response<Body>, Problem> {
    let mut response = Response::new(Body::from(zip::archive(&files)?));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    let name =
        format!("attachment; filename=\"{}.zip\"", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    if let Ok(disposition) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}
