//! Every kind of error as its status, and the shape that all of them have.

use std::time::Duration;

use claude_code_core::provider::{Billing, ProviderError, StopReason};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Error, ErrorKind, Policy};
use serde_json::json;

use super::support::{Api, post, scripted};
use claude_code_aws::http::{App, Problem, Settings, router, status};

#[test]
fn every_kind_has_the_status_of_the_table() {
    let table = [
        (ErrorKind::InvalidRequest, 422),
        (ErrorKind::NoSample, 422),
        (ErrorKind::Malformed, 400),
        (ErrorKind::ContextTooLong, 413),
        (ErrorKind::Credentials, 503),
        (ErrorKind::AccessDenied, 403),
        (ErrorKind::NotFound, 404),
        (ErrorKind::Retired, 410),
        (ErrorKind::Legacy, 410),
        (ErrorKind::NeedsProfile, 403),
        (ErrorKind::DataRetention, 403),
        (ErrorKind::Throttled, 503),
        (ErrorKind::Quota, 503),
        (ErrorKind::Shed, 429),
        (ErrorKind::Budget, 402),
        (ErrorKind::Timeout, 504),
        (ErrorKind::Truncated, 502),
        (ErrorKind::Cut, 502),
        (ErrorKind::Empty, 502),
        (ErrorKind::Rejected, 422),
        (ErrorKind::Refused, 422),
        (ErrorKind::Filtered, 422),
        (ErrorKind::Guardrail, 422),
        (ErrorKind::Unavailable, 503),
        (ErrorKind::Protocol, 503),
        (ErrorKind::Storage, 500),
        (ErrorKind::Conflict, 409),
        (ErrorKind::KeyReused, 422),
        (ErrorKind::EditFailed, 422),
        (ErrorKind::Forked, 500),
    ];
    for (kind, expected) in table {
        assert_eq!(status(kind).as_u16(), expected, "{kind}");
        let body = Problem::from(Error::new(kind, "a line")).json();
        // The server's own: a key of the caller's would not help.
        let told = if kind == ErrorKind::Credentials { "upstream_credentials" } else { kind.as_str() };
        assert_eq!((body["status"].as_u64(), body["kind"].as_str()), (Some(expected.into()), Some(told)));
    }
}

async fn asked(scripts: Vec<Script>) -> super::support::Answer {
    let provider = ScriptedProvider::new(scripts);
    post(&scripted(&provider), "/generate", &[], json!({ "prompt": "a queue", "model": "sonnet" })).await
}

fn failing(kind: ErrorKind, paid: Billing) -> Vec<Script> {
    vec![Script::fail(ProviderError::new(kind, paid, "the service said no"))]
}

#[tokio::test(start_paused = true)]
async fn what_the_model_service_says_arrives_as_its_status() {
    let cases = [
        (ErrorKind::Throttled, Billing::No, 503),
        (ErrorKind::AccessDenied, Billing::No, 403),
        (ErrorKind::Credentials, Billing::No, 503),
        (ErrorKind::Retired, Billing::No, 410),
        (ErrorKind::ContextTooLong, Billing::No, 413),
        (ErrorKind::Guardrail, Billing::Yes, 422),
        (ErrorKind::Unavailable, Billing::Maybe, 503),
        (ErrorKind::Cut, Billing::Maybe, 502),
    ];
    for (kind, paid, expected) in cases {
        let answer = asked(failing(kind, paid)).await;
        assert_eq!(answer.status.as_u16(), expected, "{kind}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let throttled = kind == ErrorKind::Throttled;
        assert!(
            !throttled || answer.header("retry-after").parse::<u64>().is_ok(),
            "a throttled caller is told"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_answer_is_502_with_what_was_paid_for() {
    let text = "```python a.py\nvalue = 1\n```\n\n```python b.py\nvalue = ";
    let answer = asked(vec![Script::truncated(text), Script::truncated("")]).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    let partial = &answer.json()["partial"];
    assert_eq!(partial["files"][0]["content"], "value = 1\n");
    assert_eq!(partial["files"][1]["complete"], false);
    assert!(partial.get("prompt").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_422_and_an_answer_in_time_is_not_504() {
    let refused = Script::text("No.").stop(StopReason::Refusal);
    assert_eq!(asked(vec![refused]).await.status, 422);
    let hung = asked(vec![Script::default().hang()]).await;
    assert_eq!(hung.status, 504, "{}", hung.text());
}

/// The client's own limit, which the environment sets, and not one of the server's.
#[tokio::test(start_paused = true)]
async fn a_request_has_the_time_that_its_client_gives() {
    let provider = ScriptedProvider::new([Script::default().hang()]);
    let policy = Policy { total: Duration::from_secs(5), ..Policy::default() };
    let client = builder(provider).with_policy(policy).build();
    let router = router(App::new(client, Settings::default()));
    let begun = tokio::time::Instant::now();
    let hung = post(&router, "/generate", &[], json!({ "prompt": "a", "model": "sonnet" })).await;
    assert_eq!((hung.status.as_u16(), begun.elapsed().as_secs()), (504, 5), "{}", hung.text());
}

#[tokio::test(start_paused = true)]
async fn complete_but_rejected_is_200_with_accepted_false() {
    let answer = asked(vec![Script::answer("```python a.py\ndef broken(:\n```\n")]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["accepted"]), (200, &json!(false)));
}

#[tokio::test]
async fn an_unknown_prompt_offline_names_the_nearest_sample() {
    let api = Api::open().await;
    let answer =
        api.post("/generate", json!({ "prompt": "Write a Python function that reverses a list." })).await;
    assert_eq!((answer.status.as_u16(), answer.json()["kind"].as_str()), (422, Some("no_sample")));
    assert!(answer.json()["detail"].as_str().unwrap().contains("reverses a string"));
}

#[tokio::test]
async fn a_retired_model_is_410_before_anything_is_sent() {
    let api = Api::open().await;
    let body = json!({ "prompt": "x", "model": "anthropic.claude-3-5-sonnet-20241022-v2:0" });
    let answer = api.post("/generate", body).await;
    assert_eq!(answer.status, 410, "{}", answer.text());
    assert_eq!(api.twin.sent().len(), 0);
}

#[tokio::test]
async fn a_spent_budget_is_402() {
    let api = Api::open().await;
    let answer =
        api.post("/generate", json!({ "prompt": "a queue", "model": "opus", "max_usd": "0.000001" })).await;
    assert_eq!((answer.status.as_u16(), api.twin.sent().len()), (402, 0), "{}", answer.text());
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_problems_too() {
    let api = Api::open().await;
    for (answer, status) in [
        (api.get("/nothing").await, 404),
        (api.get("/generate").await, 405),
        (api.get("/results/none-such").await, 404),
        (api.get("/results/%00").await, 404),
        (api.get("/jobs/a.b").await, 404),
        (api.get("/results/%FF").await, 404),
        (api.get(&format!("/results/{}", "a".repeat(5000))).await, 404),
        (api.get("/services/a/code/b").await, 404),
        (api.get("/_local/s3/bucket/key").await, 404),
    ] {
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_used_is_refused_by_the_name_of_its_parameter() {
    let api = Api::open().await;
    for (query, field) in [
        ("", "language"),
        ("limit=1", "language"),
        ("language=a%20b", "language"),
        ("language=python&x=1", "x"),
        ("language=python&limit=0", "limit"),
        ("language=python&limit=many", "limit"),
        ("language=python&limit=-1", "limit"),
        ("language=python&limit=99999999999", "limit"),
        ("language=python&limit=1&limit=2", "limit"),
        ("language=python&from=yesterday", "from"),
        ("language=python&to=never", "to"),
        ("language=python&cursor=zzz", "cursor"),
        ("language=python&from=2026-01-01&cursor=2020-01-01T00:00:00.000Z/a", "cursor"),
    ] {
        let answer = api.get(&format!("/results?{query}")).await;
        let told = answer.json()["field"].as_str().unwrap_or_default().to_owned();
        assert_eq!((answer.status.as_u16(), told.as_str()), (422, field), "{query}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn a_range_of_no_time_is_an_empty_page() {
    let api = Api::open().await;
    for range in ["to=1287-02-20T04:18:50.2Z", "from=2026-01-02&to=2026-01-01", "to=1970-01-01"] {
        let answer = api.get(&format!("/results?language=python&{range}")).await;
        assert_eq!((answer.status.as_u16(), answer.json()["items"].clone()), (200, json!([])), "{range}");
    }
}
