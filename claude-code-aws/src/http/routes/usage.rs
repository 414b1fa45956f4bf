//! GET /usage: cost and outcomes of the caller's requests of the last days. A browser is sent to the page that shows them.

use axum::body::Body;
use axum::extract::Query;
use axum::http::header::{ACCEPT, LOCATION};
use axum::http::{Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use claude_code_core::budget::usage_report::By;
use claude_code_core::{Error, Result};
use serde::Deserialize;

use crate::http::auth::credentials::Caller;
use crate::http::response::idempotent::Answer;
use crate::http::response::problem::Problem;

/// Days where the caller does not say.
const DAYS: u32 = 30;
/// As long as the rows are kept.
const MOST_DAYS: u32 = 40;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "server", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageParams {
    /// The last days, today included: 1 to 40.
    #[cfg_attr(feature = "server", schemars(range(min = 1, max = MOST_DAYS)))]
    days: Option<u32>,
    /// What the groups are: days, models, tiers or scopes.
    #[cfg_attr(feature = "server", schemars(extend("enum" = ["day", "model", "tier", "scope"])))]
    by: Option<String>,
}

/// The caller's own usage.
pub(crate) async fn usage(
    caller: Caller,
    params: Result<Query<UsageParams>, axum::extract::rejection::QueryRejection>,
) -> Result<Response<Body>, Problem> {
    let Query(params) =
        params.map_err(|_| Error::invalid("/usage takes days=N and by=day, model or tier"))?;
    let days = params.days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Error::invalid(format!("days={days}: it takes 1 to {MOST_DAYS}")).into());
    }
    let by = params.by.as_deref().unwrap_or("day").parse::<By>()?;
    let report = caller.client.usage(days).await?;
    Ok(Answer::ok(report.json(by)).into_response())
}

/// Where a browser goes that opens the address of the figures: the page asks for a token where one is needed, which an address
/// bar cannot send.
pub(crate) fn page<B>(request: &Request<B>) -> Option<Response<Body>> {
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let wants_page = accept.split(',').any(|kind| kind.trim_start().starts_with("text/html"));
    let is_opened = request.method() == Method::GET && request.uri().path() == "/usage" && wants_page;
    is_opened.then(|| (StatusCode::SEE_OTHER, [(LOCATION, "./#/usage")]).into_response())
}
