//! Events as API Gateway and function URLs send them, through the same router.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use claude_code_aws::Config;
use claude_code_aws::http::{App, Settings, lambda};
use claude_code_aws::local::Twin;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use http_body_util::BodyExt;
use lambda_http::RequestExt;
use serde_json::Value;

use super::queue::{self, Taker};
use super::server::{self, Server};

const REST: &str = include_str!("events/rest_v1.json");
const HTTP: &str = include_str!("events/http_v2.json");
const URL: &str = include_str!("events/function_url.json");
const CALLERS: &str = include_str!("events/callers.json");

async fn app() -> (App, Twin, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let twin = Twin::of_samples(dir.path());
    let settings = Settings::default().behind_gateway([]).without_background();
    (App::on(&twin, settings).await.unwrap(), twin, dir)
}

async fn answer(app: &App, event: &str) -> (u16, Value) {
    let event = lambda_http::request::from_str(event).unwrap();
    let response = lambda::answer(app.clone(), event).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn rest_http_and_function_url_events_get_the_same_answer() {
    let (app, twin, _dir) = app().await;
    for event in [REST, HTTP, URL] {
        let (status, body) = answer(&app, event).await;
        assert_eq!(status, 200, "{body:#}");
        assert_eq!(body["accepted"], true);
        assert_eq!(body["cached"], Value::Null, "three callers, three scopes");
    }
    assert_eq!(twin.sent().len(), 3);
}

#[tokio::test]
async fn who_is_not_vouched_for_is_401_whatever_it_sends() {
    let (app, twin, _dir) = app().await;
    let mut rest: Value = serde_json::from_str(REST).unwrap();
    rest["requestContext"]["identity"]["apiKeyId"] = Value::Null;
    rest["headers"]["x-api-key"] = "any key at all".into();
    rest["headers"]["authorization"] = "Bearer any".into();
    let mut url: Value = serde_json::from_str(URL).unwrap();
    url["requestContext"].as_object_mut().unwrap().remove("authorizer");
    for event in [rest, url] {
        assert_eq!(answer(&app, &event.to_string()).await.0, 401);
    }
    assert_eq!(twin.sent().len(), 0);
}

/// Within a scope an equal request is the same result.
#[tokio::test]
async fn each_kind_of_caller_has_the_scope_that_nobody_else_can_take() {
    let (app, _, _dir) = app().await;
    let mut scopes = std::collections::BTreeMap::new();
    for caller in serde_json::from_str::<Vec<Value>>(CALLERS).unwrap() {
        let (event, place) = match caller["event"].as_str().unwrap() {
            "rest" => (REST, "/requestContext/identity"),
            "http" => (HTTP, "/requestContext/authorizer/iam"),
            _ => (URL, "/requestContext/authorizer/iam"),
        };
        let mut event: Value = serde_json::from_str(event).unwrap();
        *event.pointer_mut(place).unwrap() = caller["identity"].clone();
        let (status, body) = answer(&app, &event.to_string()).await;
        let Some(scope) = caller["scope"].as_str() else {
            assert_eq!(status, 401, "{}: {body:#}", caller["what"]);
            continue;
        };
        assert_eq!(status, 200, "{}: {body:#}", caller["what"]);
        let id = scopes.entry(scope.to_owned()).or_insert(body["id"].clone());
        assert_eq!(*id, body["id"], "{}", caller["what"]);
    }
    let results: std::collections::BTreeSet<String> = scopes.values().map(Value::to_string).collect();
    assert_eq!(results.len(), scopes.len(), "no two of them share one: {scopes:#?}");
}

#[tokio::test]
async fn an_encoded_body_is_read_and_health_needs_nobody() {
    let (app, _, _dir) = app().await;
    let mut event: Value = serde_json::from_str(HTTP).unwrap();
    let body = event["body"].as_str().unwrap().to_owned();
    event["body"] = aws_smithy_types::base64::encode(body).into();
    event["isBase64Encoded"] = true.into();
    assert_eq!(answer(&app, &event.to_string()).await.0, 200);
    let mut health: Value = serde_json::from_str(URL).unwrap();
    health["rawPath"] = "/health".into();
    health["requestContext"]["http"]["method"] = "GET".into();
    health["requestContext"]["http"]["path"] = "/health".into();
    health["requestContext"].as_object_mut().unwrap().remove("authorizer");
    let (status, body) = answer(&app, &health.to_string()).await;
    assert_eq!((status, body["status"].as_str()), (200, Some("ok")));
}

/// Hosts with a runtime of their own hand events over as JSON; an archive comes back in base64.
#[tokio::test]
async fn text_comes_back_as_text_and_an_archive_in_base64() {
    let (app, _, _dir) = app().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let deadline = (now + Duration::from_secs(60)).as_millis() as u64;
    let made: Value = serde_json::from_str(&lambda::invoke(&app, HTTP, deadline).await.unwrap()).unwrap();
    assert_eq!((&made["statusCode"], &made["isBase64Encoded"]), (&200.into(), &false.into()));
    let id: Value = serde_json::from_str(made["body"].as_str().unwrap()).unwrap();
    let mut event: Value = serde_json::from_str(HTTP).unwrap();
    event["rawPath"] = format!("/results/{}/zip", id["id"].as_str().unwrap()).into();
    event["requestContext"]["http"]["method"] = "GET".into();
    let zip = lambda::invoke(&app, &event.to_string(), deadline).await.unwrap();
    let zip: Value = serde_json::from_str(&zip).unwrap();
    assert_eq!((&zip["statusCode"], &zip["isBase64Encoded"]), (&200.into(), &true.into()));
    let bytes = aws_smithy_types::base64::decode(zip["body"].as_str().unwrap()).unwrap();
    assert!(bytes.starts_with(b"PK\x03\x04") && super::routes::unzip(&bytes).len() == 1);
    assert!(lambda::invoke(&app, "[]", deadline).await.is_err());
}

/// A reader of a job's log gets what there is and comes back: the host would end without an answer.
#[tokio::test]
async fn the_log_of_a_job_ends_before_the_host_does() {
    let (app, _, _dir) = app().await;
    let mut event: Value = serde_json::from_str(HTTP).unwrap();
    let get = |event: &mut Value, path: &str| {
        event["rawPath"] = path.into();
        event["requestContext"]["http"]["method"] = "GET".into();
    };
    let app = app.with_queue(Taker::default().client(), queue::URL);
    event["headers"]["prefer"] = "respond-async".into();
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let response = lambda::answer(app.clone(), request).await;
    assert_eq!(response.status().as_u16(), 202);
    let place = response.headers()["location"].to_str().unwrap().to_owned();
    get(&mut event, &format!("{place}/events"));
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let mut context = lambda_http::Context::default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    context.deadline = (now + Duration::from_millis(2_300)).as_millis() as u64;
    let response = lambda::answer(app, request.with_lambda_context(context)).await;
    let whole = response.into_body().collect();
    let whole = tokio::time::timeout(Duration::from_secs(10), whole).await;
    assert_eq!(whole.expect("it ends by itself").unwrap().to_bytes().len(), 0, "nothing happened yet");
}

/// The answer has to get out before the host ends the process.
#[tokio::test(start_paused = true)]
async fn a_model_that_hangs_is_a_504_two_seconds_before_the_host_ends() {
    let provider = ScriptedProvider::new([Script::default().hang()]);
    let app = App::new(builder(provider).build(), Settings::default().behind_gateway([]));
    let mut context = lambda_http::Context::default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    context.deadline = (now + Duration::from_millis(2_300)).as_millis() as u64;
    let request = lambda_http::request::from_str(HTTP).unwrap().with_lambda_context(context);
    let begun = tokio::time::Instant::now();
    let response = lambda::answer(app, request).await;
    assert_eq!(response.status().as_u16(), 504);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    // In the test's own time, which does not pass while the machine is slow.
    assert!(begun.elapsed() <= Duration::from_millis(301), "{:?}", begun.elapsed());
}

/// A caller that follows Location leaves the stage if it is not named.
#[tokio::test]
async fn a_job_is_where_its_location_says_behind_a_stage_too() {
    let (app, _, _dir) = app().await;
    let app = app.with_queue(Taker::default().client(), queue::URL);
    let mut staged: Value = serde_json::from_str(HTTP).unwrap();
    staged["requestContext"]["stage"] = "test".into();
    staged["rawPath"] = "/test/generate".into();
    let staged = staged.to_string();
    for (event, stage) in [(REST, "/prod"), (&staged, "/test"), (HTTP, ""), (URL, "")] {
        let mut event: Value = serde_json::from_str(event).unwrap();
        event["headers"]["prefer"] = "respond-async".into();
        event["multiValueHeaders"]["prefer"] = vec!["respond-async"].into();
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let response = lambda::answer(app.clone(), request).await;
        assert_eq!(response.status().as_u16(), 202);
        let place = response.headers()["location"].to_str().unwrap();
        assert!(place.starts_with(&format!("{stage}/jobs/")), "{stage}: {place}");
    }
}

#[tokio::test]
async fn the_stage_of_the_gateway_is_no_part_of_the_path() {
    let (app, _, _dir) = app().await;
    let mut event: Value = serde_json::from_str(HTTP).unwrap();
    event["requestContext"]["stage"] = "prod".into();
    event["rawPath"] = "/prod/results".into();
    event["rawQueryString"] = "language=python".into();
    event["requestContext"]["http"]["method"] = "GET".into();
    let (status, body) = answer(&app, &event.to_string()).await;
    assert_eq!((status, body["items"].is_array()), (200, true), "{body:#}");
}

#[tokio::test]
async fn spans_and_metrics_are_sent_before_the_answer_of_an_invocation_ends() {
    let taken = || server::Script::new("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let receiver = Server::start([taken(), taken()]).await;
    let dir = tempfile::tempdir().unwrap();
    let vars = [
        ("CLAUDE_CODE_AWS_PROVIDER", "samples"),
        ("CLAUDE_CODE_AWS_STORE", "disk"),
        ("CLAUDE_CODE_AWS_LOCAL_DIR", dir.path().to_str().unwrap()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let app = lambda::app(&Config::from_vars(vars).unwrap()).await.unwrap();
    assert_eq!(answer(&app, HTTP).await.0, 200);
    let mut paths: Vec<String> =
        (0..receiver.sends()).map(|at| receiver.request(at).split(' ').nth(1).unwrap().to_owned()).collect();
    paths.sort();
    assert_eq!(paths, ["/v1/metrics", "/v1/traces"]);
}
