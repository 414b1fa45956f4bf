//! Whom an authorizer vouches for, load balancers, and events that are no requests.

use std::time::{SystemTime, UNIX_EPOCH};

use claude_code_aws::http::lambda::{self, Incoming};
use claude_code_aws::http::{App, Settings};
use claude_code_aws::local::Twin;
use serde_json::{Value, json};

const REST: &str = include_str!("events/rest_v1.json");
const HTTP: &str = include_str!("events/http_v2.json");
const ALB: &str = include_str!("events/alb.json");
const TOKEN: &str = "a-long-enough-token";

async fn app() -> (App, Twin, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let twin = Twin::of_samples(dir.path());
    let settings = Settings::default()
        .behind_gateway([TOKEN.to_owned()])
        .with_authorizer_claim("tenant")
        .without_background();
    (App::on(&twin, settings).await.unwrap(), twin, dir)
}

/// A minute from now, in milliseconds since 1970.
fn deadline() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap() + 60_000
}

/// Status and body of an event, as the Python host answers it.
async fn answer(app: &App, event: &Value) -> (u64, Value) {
    let answer = lambda::invoke(app, &event.to_string(), deadline()).await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let body =
        answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or(Value::Null);
    (answer["statusCode"].as_u64().unwrap_or_default(), body)
}

fn rest(authorizer: Value) -> Value {
    let mut event: Value = serde_json::from_str(REST).unwrap();
    event["requestContext"]["authorizer"] = authorizer;
    event
}

fn http(authorizer: Value) -> Value {
    let mut event: Value = serde_json::from_str(HTTP).unwrap();
    event["requestContext"]["authorizer"] = authorizer;
    event
}

#[tokio::test]
async fn issuer_and_subject_of_a_verified_token_are_the_scope_at_both_gateways() {
    let (app, twin, _dir) = app().await;
    let claims = |issuer: &str, sub: &str| json!({ "iss": issuer, "sub": sub, "aud": "app" });
    let callers = [("https://a.example", "ada"), ("https://b.example", "ada"), ("https://a.example", "bob")];
    for (issuer, sub) in callers {
        let jwt = http(json!({ "jwt": { "claims": claims(issuer, sub), "scopes": null } }));
        let (status, first) = answer(&app, &jwt).await;
        assert_eq!((status, &first["cached"]), (200, &Value::Null), "{issuer} {sub}: {first:#}");
        let (status, again) = answer(&app, &rest(json!({ "claims": claims(issuer, sub) }))).await;
        assert_eq!(
            (status, &again["id"]),
            (200, &first["id"]),
            "a Cognito user pool at REST is the same caller"
        );
    }
    assert_eq!(twin.sent().len(), callers.len());
}

#[tokio::test]
async fn a_custom_authorizer_vouches_by_the_configured_claim_and_by_no_other() {
    let (app, twin, _dir) = app().await;
    assert_eq!(answer(&app, &http(json!({ "lambda": { "tenant": "blue" } }))).await.0, 200);
    assert_eq!(answer(&app, &rest(json!({ "tenant": "blue", "principalId": "x" }))).await.0, 200);
    assert_eq!(twin.sent().len(), 1, "one tenant, one scope");
    for nobody in [
        json!({ "lambda": { "principalId": "x" } }),
        json!({ "lambda": { "tenant": "" } }),
        json!({ "jwt": { "claims": { "sub": "ada" } } }),
    ] {
        assert_eq!(answer(&app, &http(nobody.clone())).await.0, 401, "{nobody}");
    }
    assert_eq!(answer(&app, &rest(json!({ "principalId": "x" }))).await.0, 401);
}

#[tokio::test]
async fn claims_in_headers_are_the_callers_own_words() {
    let (app, _, _dir) = app().await;
    let mut event = http(Value::Null);
    for name in ["x-amzn-oidc-identity", "x-amzn-oidc-data", "x-forwarded-user", "authorization"] {
        event["headers"][name] = "ada".into();
    }
    assert_eq!(answer(&app, &event).await.0, 401);
}

#[tokio::test]
async fn a_load_balancers_caller_needs_a_token_whatever_it_says_of_itself() {
    let (app, _, _dir) = app().await;
    let mut event: Value = serde_json::from_str(ALB).unwrap();
    assert_eq!(answer(&app, &event).await.0, 401);
    event["headers"]["x-amzn-oidc-identity"] = "ada".into();
    event["headers"]["authorization"] = "Bearer wrong".into();
    assert_eq!(answer(&app, &event).await.0, 401);
    event["headers"]["authorization"] = format!("Bearer {TOKEN}").into();
    let (status, body) = answer(&app, &event).await;
    assert_eq!((status, &body["accepted"]), (200, &json!(true)), "{body:#}");
}

#[tokio::test]
async fn a_token_opens_no_door_at_a_gateway() {
    let (app, _, _dir) = app().await;
    let mut event = http(Value::Null);
    event["headers"]["authorization"] = format!("Bearer {TOKEN}").into();
    assert_eq!(answer(&app, &event).await.0, 401);
}

#[tokio::test]
async fn a_body_that_is_not_the_base64_it_claims_to_be_is_400() {
    let (app, twin, _dir) = app().await;
    for text in [REST, HTTP] {
        let mut event: Value = serde_json::from_str(text).unwrap();
        event["isBase64Encoded"] = true.into();
        event["body"] = "%%% no base64".into();
        let (status, body) = answer(&app, &event).await;
        assert_eq!(status, 400, "{body:#}");
    }
    assert_eq!(twin.sent().len(), 0);
}

#[tokio::test]
async fn schedules_and_warmers_are_done_at_once() {
    let (app, twin, _dir) = app().await;
    let schedule =
        json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "id": "1" });
    for event in
        [schedule, json!({ "source": "serverless-plugin-warmup" }), json!({ "warmer": true }), json!({})]
    {
        assert!(matches!(serde_json::from_value(event.clone()).unwrap(), Incoming::Nothing), "{event}");
        assert_eq!(lambda::invoke(&app, &event.to_string(), deadline()).await.unwrap(), "null");
    }
    assert_eq!(twin.sent().len(), 0);
}
