//! GET /metrics: the counters of this process in OpenMetrics' text, for those who have the server's token.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::http::app::App;
use crate::http::auth::credentials::Authentication;
use crate::http::response::problem::Problem;
use crate::metrics::open_metrics;

/// They count the requests of all scopes, so a token is needed on loopback too.
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response<Body>, Problem> {
    if !matches!(app.settings.authentication, Authentication::Tokens(_)) {
        let message = "/metrics tells of all callers and needs a token: set CLAUDE_CODE_AWS_SERVE_TOKEN and send it as a bearer token";
        return Err(Problem::not_signed_in(message));
    }
    Ok(([(CONTENT_TYPE, open_metrics::CONTENT_TYPE)], app.observers.registry.text()).into_response())
}
