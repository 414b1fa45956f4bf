//! Request headers: response mode (one piece, events or a job), idempotency key, deadline.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, HOST};
use axum::http::request::Parts;

use claude_code_core::TraceContext;

use crate::http::app::App;
use crate::http::middleware::Permit;
use crate::http::response::problem::Problem;

/// How much time the host leaves; hosts put it into the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(pub(crate) Duration);

/// What stands before the routes in paths as callers see them, as `/prod`; hosts put it into the request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Prefix(pub(crate) String);

/// How the answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In one piece.
    Whole,
    /// As events.
    Stream,
    /// Later, as a job.
    Job,
}

/// What the headers say.
#[derive(Clone, Debug)]
pub(crate) struct Asks {
    pub(crate) mode: Mode,
    pub(crate) key: Option<String>,
    /// The longest time for the work.
    pub(crate) within: Duration,
    /// What the host leaves, where it ends by itself.
    pub(crate) left: Option<Duration>,
    pub(crate) host: String,
    /// What stands before the routes.
    pub(crate) prefix: String,
    pub(crate) last_event: u64,
    pub(crate) place: Option<Permit>,
    /// The caller's span.
    pub(crate) trace: Option<TraceContext>,
}

/// Whether an Accept header names event streams, and not with a weight of 0.
fn takes_events(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("text/event-stream"));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        is_named && weight.is_none_or(|q| q.trim().parse::<f32>().is_ok_and(|q| q > 0.0))
    })
}

impl FromRequestParts<App> for Asks {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let prefers =
            text("prefer").is_some_and(|p| p.split([',', ';']).any(|p| p.trim() == "respond-async"));
        let streams = text(ACCEPT.as_str()).is_some_and(takes_events);
        let mode = match (prefers && app.takes_jobs(), streams) {
            (true, _) => Mode::Job,
            (false, true) => Mode::Stream,
            (false, false) => Mode::Whole,
        };
        // A key that cannot be read is no key to rely on: it is refused where it is used.
        let key = parts.headers.get("idempotency-key");
        let key = key.map(|value| value.to_str().unwrap_or_default().to_owned());
        let left = parts.extensions.get::<Deadline>().map(|deadline| deadline.0);
        Ok(Asks {
            mode,
            key,
            within: left.unwrap_or(app.total).min(app.total),
            left,
            prefix: parts.extensions.get::<Prefix>().map(|prefix| prefix.0.clone()).unwrap_or_default(),
            host: text(HOST.as_str()).unwrap_or("localhost").to_owned(),
            last_event: text("last-event-id").and_then(|id| id.trim().parse().ok()).unwrap_or(0),
            place: parts.extensions.get::<Permit>().cloned(),
            trace: text("traceparent").and_then(|parent| TraceContext::parse(parent, text("tracestate"))),
        })
    }
}
