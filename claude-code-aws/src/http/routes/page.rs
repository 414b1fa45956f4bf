//! The service creator's page, and what is answered without asking who calls.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::IntoResponse;
use serde_json::json;

use crate::http::response::idempotent::Answer;

const INDEX: &str = include_str!("../../../web/index.html");
const SCRIPT: &str = include_str!("../../../web/app.js");
const STYLE: &str = include_str!("../../../web/style.css");

/// Nothing from elsewhere, nothing inline: text that a model wrote stays text whatever it says.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether a path is answered to everybody: it tells nothing about anybody. Links to the twin carry their own
/// signature.
pub(crate) fn is_public(path: &str) -> bool {
    matches!(path, "/" | "/app.js" | "/style.css" | "/health" | "/openapi.json")
        || path.starts_with("/_local/s3/")
}

/// GET /health: says that the process lives, and touches nothing.
pub(crate) async fn health() -> Answer {
    Answer::ok(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// GET /.
pub(crate) async fn index() -> impl IntoResponse {
    asset("text/html; charset=utf-8", INDEX)
}

/// GET /app.js.
pub(crate) async fn script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// GET /style.css.
pub(crate) async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", STYLE)
}

fn asset(kind: &'static str, text: &'static str) -> ([(HeaderName, HeaderValue); 3], &'static str) {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text)
}
