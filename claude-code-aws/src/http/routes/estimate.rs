//! POST /estimate: the cost of a request to /generate. Sends nothing to a model.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use claude_code_core::plan::Estimate;
use serde_json::{Value, json};

use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::request::extract::Json;
use crate::http::request::generate_body::{GenerateBody, Work};
use crate::http::request::headers::Asks;
use crate::http::response::idempotent::Answer;
use crate::http::response::problem::Problem;

/// The estimate for a body of /generate.
pub(crate) async fn estimate(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    body: Json<GenerateBody>,
) -> Result<Response<Body>, Problem> {
    let request = Work::Generate(body.value).request(asks.within)?;
    Ok(Answer::ok(view(&app, &caller.client.estimate(request)?)).into_response())
}

/// What callers see of an estimate. Samples cost nothing.
pub(crate) fn view(app: &App, estimate: &Estimate) -> Value {
    let sample = app.client.policy().samples;
    let most = if sample { json!("0") } else { json!(estimate.worst_usd) };
    json!({
        "tier": estimate.tier,
        "tier_reason": estimate.tier_reason,
        "model": estimate.model,
        "input_tokens": estimate.input_tokens,
        "worst_usd": most,
        "sample": sample,
        "warnings": estimate.warnings,
    })
}
