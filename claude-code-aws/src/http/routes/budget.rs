//! GET /budget: the figures of the day.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use claude_code_core::UtcMillis;
use serde_json::json;

use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::response::idempotent::Answer;
use crate::http::response::problem::Problem;

/// Milliseconds of a day; budgets end with the UTC day.
const DAY: i64 = 86_400_000;

/// What may be spent, what is spent, and when the day ends.
pub(crate) async fn budget(State(app): State<App>, caller: Caller) -> Result<Response<Body>, Problem> {
    let view = caller.client.budget().await?;
    let now = app.client.clock().now();
    let body = json!({
        "cap": view.cap,
        "spent": view.spent,
        "reserved": view.reserved,
        "unknown": view.unknown,
        "resets_at": UtcMillis((now.0.div_euclid(DAY) + 1) * DAY).iso(),
    });
    Ok(Answer::ok(body).into_response())
}
