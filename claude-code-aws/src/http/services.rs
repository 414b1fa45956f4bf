//! Written services: fresh links, and all files as one archive.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use claude_code_core::Result;
use claude_code_core::service::Code;
use serde_json::{Value, json};

use super::app::App;
use super::auth::Caller;
use super::body::TwoIds;
use super::error::Problem;
use super::input::Asks;
use super::once::Answer;
use super::results;

/// GET /services/{id}/code/{code_id}.
pub(super) async fn code(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    TwoIds(id, code_id): TwoIds,
) -> Result<Response<Body>, Problem> {
    let code = app.services.code(&caller.scope, &id, &code_id).await?;
    Ok(Answer::ok(view(&app, &code, &asks.host).await?).into_response())
}

/// GET /services/{id}/code/{code_id}/zip.
pub(super) async fn zip(
    State(app): State<App>,
    caller: Caller,
    TwoIds(id, code_id): TwoIds,
) -> Result<Response<Body>, Problem> {
    let code = app.services.code(&caller.scope, &id, &code_id).await?;
    let files = app.services.files(&code.service_id, &code.code_id).await?;
    let files = files.into_iter().map(|file| (file.path.unwrap_or_default(), file.content.into_bytes()));
    results::archive(&format!("service-{code_id}"), files.collect())
}

/// What callers see of written code, with links that are good from now on.
pub(super) async fn view(app: &App, code: &Code, host: &str) -> Result<Value> {
    let links = match &app.links {
        Some(links) => links.of_code(code, host).await?,
        None => Vec::new(),
    };
    let mut body = serde_json::to_value(code).unwrap_or_default();
    for (file, link) in body["files"].as_array_mut().into_iter().flatten().zip(&links) {
        file["url"] = link.url.as_str().into();
    }
    body["expires_at"] = json!(links.iter().map(|link| link.expires_at).min().map(|at| at.iso()));
    Ok(body)
}
