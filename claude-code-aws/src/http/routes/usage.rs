//! GET /usage: cost and outcomes of the caller's requests of the last days, as JSON or as a page.

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use claude_code_core::budget::usage_report::{By, UsageReport};
use claude_code_core::{Error, Result};
use serde::Deserialize;

use super::usage_page;
use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::response::idempotent::Answer;
use crate::http::response::problem::Problem;

/// The page has no script and takes its style from the service creator's page.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
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
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
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
    if wants_page(&headers) {
        let today = app.client.clock().now().date();
        return Ok(page(&report, &today));
    }
    Ok(Answer::ok(report.json(by)).into_response())
}

/// A browser that opens the address asks for HTML.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.trim_start().starts_with("text/html"))
}

fn page(report: &UsageReport, today: &str) -> Response<Body> {
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)];
    (headers, usage_page::html(report, today)).into_response()
}
