//! Services: list, fresh links, all files as one archive.

use crate::service_creator::Code;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use claude_code_core::Result;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::request::extract::{Params, TwoIds, known_form};
use crate::http::request::headers::Asks;
use crate::http::response::body;
use crate::http::response::idempotent::Answer;
use crate::http::response::links::Link;
use crate::http::response::problem::Problem;
use crate::http::routes::results;

/// Which services a listing has.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServicesParams {
    /// The most that one page has.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(regex(pattern = r"^[A-Za-z0-9-]{1,64}$"))]
    cursor: Option<String>,
}

/// GET /services: the caller's, newest first.
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ServicesParams>,
) -> Result<Response<Body>, Problem> {
    let limit = params.limit.unwrap_or(100);
    if !(1..=100).contains(&limit) {
        return Err(Problem::field("limit", "limit takes 1 to 100"));
    }
    let bad = |_| Problem::field("cursor", "cursor takes `next` of the page before");
    let after = params.cursor.as_deref().map(known_form).transpose().map_err(bad)?;
    let page = app.services.list(&caller.scope, limit as usize, after).await?;
    Ok(Answer::ok(json!({ "items": page.items, "next": page.next })).into_response())
}

/// What is wanted of files.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContentParams {
    /// Whether the files come with their contents.
    #[serde(default)]
    pub(crate) content: bool,
}

/// GET /services/{id}/code/{code_id}: fresh links, or the files themselves.
pub(crate) async fn code(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    TwoIds(id, code_id): TwoIds,
    Params(params): Params<ContentParams>,
) -> Result<Response<Body>, Problem> {
    let code = app.services.code(&caller.scope, &id, &code_id).await?;
    if params.content {
        let files = app.services.files(&code).await?;
        let mut body = view(&code, &[]);
        for (shown, file) in body["files"].as_array_mut().into_iter().flatten().zip(files) {
            shown["content"] = file.content.into();
        }
        return Ok(Answer::ok(body).into_response());
    }
    let links = links(&app, &code, &asks.host).await?;
    Ok(Answer::ok(view(&code, &links)).into_response())
}

/// GET /services/{id}/code/{code_id}/zip.
pub(crate) async fn zip(
    State(app): State<App>,
    caller: Caller,
    TwoIds(id, code_id): TwoIds,
) -> Result<Response<Body>, Problem> {
    let code = app.services.code(&caller.scope, &id, &code_id).await?;
    let files = app.services.files(&code).await?;
    let files = files.into_iter().map(|file| (file.path.unwrap_or_default(), file.content.into_bytes()));
    results::archive(&format!("service-{code_id}"), files.collect())
}

/// What callers see of code that was written just now. It is paid for: without links it comes with a warning.
pub(crate) async fn written(app: &App, code: &Code, host: &str) -> Value {
    match links(app, code, host).await {
        Ok(links) => view(code, &links),
        Err(error) => {
            let place = format!("/services/{}/code/{}", code.service_id, code.code_id);
            body::unlinked(view(code, &[]), &error, &place)
        }
    }
}

/// Links that are good from now on; none where the server has no downloads.
async fn links(app: &App, code: &Code, host: &str) -> Result<Vec<Link>> {
    match &app.links {
        Some(links) => links.of_code(code, host).await,
        None => Ok(Vec::new()),
    }
}

pub(crate) fn view(code: &Code, links: &[Link]) -> Value {
    let mut body = serde_json::to_value(code).unwrap_or_default();
    for (file, link) in body["files"].as_array_mut().into_iter().flatten().zip(links) {
        file["url"] = link.url.as_str().into();
    }
    body["expires_at"] = json!(links.iter().map(|link| link.expires_at).min().map(|at| at.iso()));
    body
}

#[cfg(all(test, feature = "local"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, UNIX_EPOCH};

    use crate::service_creator::STEPS;
    use aws_sdk_s3::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use crate::connect::config::{Config, Store};
    use crate::http::{App, Settings, router};
    use crate::local::{Samples, Twin};

    /// An API whose own credentials end in half a minute.
    async fn late(dir: &std::path::Path) -> Router {
        let twin = Twin::lazy(dir, Arc::new(Samples::built_in()));
        let config = Config { store: Some(Store::Disk), ..Config::default() };
        let mut connected = crate::connect::connected_to(&twin, &config).await.unwrap();
        let places = connected.places.as_mut().unwrap();
        let lasting = places.sdk.credentials_provider().unwrap().provide_credentials().await.unwrap();
        let end = connected.client.clock().now().plus(Duration::from_secs(30));
        let end = UNIX_EPOCH + Duration::from_millis(end.0.unsigned_abs());
        let (id, secret) = (lasting.access_key_id(), lasting.secret_access_key());
        let ending = SharedCredentialsProvider::new(Credentials::new(id, secret, None, Some(end), "test"));
        places.sdk = places.sdk.to_builder().credentials_provider(ending).build();
        router(App::over(connected, &config, Settings::default().with_inline_bytes(10)))
    }

    async fn call(router: &Router, request: Request<Body>) -> (u16, Value) {
        let answer = router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn post(router: &Router, path: &str, body: Value) -> (u16, Value) {
        let request = Request::post(path).header("content-type", "application/json");
        call(router, request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn get(router: &Router, path: &str) -> (u16, Value) {
        call(router, Request::get(path).body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn a_paid_service_is_answered_without_links_when_the_servers_credentials_end() {
        let dir = tempfile::tempdir().unwrap();
        let router = late(dir.path()).await;
        let (_, start) = post(&router, "/conversation", json!({ "action": "start" })).await;
        let id = &start["conversation_id"];
        for step in STEPS {
            let said = json!({ "action": "message", "conversation_id": id, "message": step.example });
            assert_eq!(post(&router, "/conversation", said).await.0, 200);
        }
        let generate = json!({ "action": "generate", "conversation_id": id });
        let (status, code) = post(&router, "/conversation", generate).await;
        assert_eq!((status, code["files"].as_array().map(Vec::len)), (200, Some(6)), "{code:#}");
        assert!(code["files"][0].get("url").is_none() && code["expires_at"].is_null());
        let part = |name: &str| code[name].as_str().unwrap().to_owned();
        let place = format!("/services/{}/code/{}", part("service_id"), part("code_id"));
        assert!(code["warnings"][0].as_str().unwrap().contains(&place), "{code:#}");
        let (status, problem) = get(&router, &place).await;
        assert_eq!((status, &problem["kind"]), (503, &json!("unavailable")), "not the caller's: {problem:#}");
    }

    #[tokio::test]
    async fn a_paid_result_is_answered_without_links_when_the_servers_credentials_end() {
        let dir = tempfile::tempdir().unwrap();
        let router = late(dir.path()).await;
        let prompt = "Write a Python function that reverses a string.";
        let (status, result) = post(&router, "/generate", json!({ "prompt": prompt })).await;
        assert_eq!((status, &result["stored"]), (200, &json!(true)), "{result:#}");
        let place = format!("/results/{}/download", result["id"].as_str().unwrap());
        let warnings = result["warnings"].as_array().unwrap();
        assert!(warnings.iter().any(|warning| warning.as_str().unwrap().contains(&place)), "{warnings:?}");
        assert_eq!(get(&router, &place).await.0, 503);
    }
}
