//! The page and the API viewer, and routes that need no authentication.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::http::app::App;
use crate::http::response::idempotent::Answer;
use crate::http::response::problem;

const INDEX: &str = include_str!("../../../web/index.html");
const DOCS: &str = include_str!("../../../web/docs.html");
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The files that both are made of, by name.
const ASSETS: [(&str, &str, &str); 16] = [
    ("api.js", SCRIPT, include_str!("../../../web/api.js")),
    ("app.js", SCRIPT, include_str!("../../../web/app.js")),
    ("code.js", SCRIPT, include_str!("../../../web/code.js")),
    ("colours.js", SCRIPT, include_str!("../../../web/colours.js")),
    ("diff.js", SCRIPT, include_str!("../../../web/diff.js")),
    ("docs.html", HTML, DOCS),
    ("docs.js", SCRIPT, include_str!("../../../web/docs.js")),
    ("dom.js", SCRIPT, include_str!("../../../web/dom.js")),
    ("favicon.svg", "image/svg+xml", include_str!("../../../web/favicon.svg")),
    ("generate.js", SCRIPT, include_str!("../../../web/generate.js")),
    ("given.js", SCRIPT, include_str!("../../../web/given.js")),
    ("home.js", SCRIPT, include_str!("../../../web/home.js")),
    ("prose.js", SCRIPT, include_str!("../../../web/prose.js")),
    ("run.js", SCRIPT, include_str!("../../../web/run.js")),
    ("service.js", SCRIPT, include_str!("../../../web/service.js")),
    ("usage.js", SCRIPT, include_str!("../../../web/usage.js")),
];
const STYLE: &str = include_str!("../../../web/style.css");

/// Nothing from elsewhere, nothing inline: text that a model wrote stays text whatever it says.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether a path is answered to everybody: it tells nothing about anybody. Links to the twin carry their own
/// signature.
pub(crate) fn is_public(path: &str) -> bool {
    matches!(path, "/" | "/docs" | "/health" | "/openapi.json")
        || path.starts_with("/_local/s3/")
        || path.strip_prefix('/').is_some_and(|name| found(name).is_some())
}

/// GET /health: says that the process lives and where results go, and touches nothing.
pub(crate) async fn health(State(app): State<App>) -> Answer {
    Answer::ok(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "store": app.store() }))
}

/// GET /.
pub(crate) async fn index() -> Response {
    answer(HTML, INDEX)
}

/// GET /docs.
pub(crate) async fn docs() -> Response {
    answer(HTML, DOCS)
}

/// GET /app.js and the others.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    match found(&name) {
        Some((kind, text)) => answer(kind, text),
        None => problem::no_route().await.into_response(),
    }
}

fn found(name: &str) -> Option<(&'static str, &'static str)> {
    if name == "style.css" {
        return Some(("text/css; charset=utf-8", STYLE));
    }
    ASSETS.iter().find(|(known, ..)| *known == name).map(|(_, kind, text)| (*kind, *text))
}

fn answer(kind: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 3] = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text).into_response()
}
