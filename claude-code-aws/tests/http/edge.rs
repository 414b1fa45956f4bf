//! Who comes in, what every answer says, and what a full house does.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use claude_code_aws::http::{App, Settings, router};
use claude_code_aws::local::Samples;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use serde_json::json;

use super::support::{Api, REVERSE, get, post, send};

async fn guarded() -> Api {
    let settings = Settings::default().with_tokens(["one-token".to_owned(), "other-token".to_owned()]);
    Api::with(settings, Arc::new(Samples::built_in())).await
}

#[tokio::test]
async fn without_a_known_token_every_answer_is_the_same_401() {
    let api = guarded().await;
    let long = format!("Bearer {}", "a".repeat(100_000));
    let mut bodies = std::collections::BTreeSet::new();
    for token in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer one-toke",
        "Bearer one-token2",
        "Basic one-token",
        "one-token",
        &long,
    ] {
        let answer =
            post(&api.router, "/generate", &[("authorization", token)], json!({ "prompt": REVERSE })).await;
        assert_eq!(answer.status, 401, "{token:.20}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        bodies.insert(answer.text());
    }
    let bytes = Request::post("/generate")
        .header("authorization", &b"Bearer \xff\xfe"[..])
        .body(Body::empty())
        .unwrap();
    bodies.insert(send(&api.router, bytes).await.text());
    assert_eq!(bodies.len(), 1);
    assert_eq!(api.get("/health").await.status, 200, "health is for everybody");
    assert_eq!(api.twin.sent().len(), 0);
}

#[tokio::test]
async fn each_token_sees_its_own_results_only() {
    let api = guarded().await;
    let (one, other) = ([("authorization", "Bearer one-token")], [("authorization", "bearer other-token")]);
    let made = post(&api.router, "/generate", &one, json!({ "prompt": REVERSE })).await.json();
    let path = format!("/results/{}", made["id"].as_str().unwrap());
    assert_eq!(get(&api.router, &path, &one).await.status, 200);
    assert_eq!(get(&api.router, &path, &other).await.status, 404);
    assert_eq!(get(&api.router, &format!("{path}/download"), &other).await.status, 404);
    assert_eq!(get(&api.router, "/results?language=python", &other).await.json()["items"], json!([]));
    let again = post(&api.router, "/generate", &other, json!({ "prompt": REVERSE })).await.json();
    assert_eq!(again["cached"], json!(null), "no scope is served from another one's cache");
    let talk = post(&api.router, "/conversation", &one, json!({ "action": "start" })).await.json();
    let id = talk["conversation_id"].as_str().unwrap();
    let said = json!({ "action": "message", "conversation_id": id, "message": "x" });
    assert_eq!(post(&api.router, "/conversation", &other, said).await.status, 404);
}

#[tokio::test]
async fn a_server_without_a_token_answers_to_localhost_only() {
    let api = Api::open().await;
    for (host, status) in [
        ("localhost:8080", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("10.0.0.1", 403),
    ] {
        assert_eq!(get(&api.router, "/budget", &[("host", host)]).await.status.as_u16(), status, "{host}");
    }
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_token() {
    let api = claude_code_aws::local::open(tempfile::tempdir().unwrap().path()).await.unwrap();
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let open = App::new(api.clone(), Settings::default());
    assert!(claude_code_aws::http::bind(open, everywhere).await.unwrap_err().message.contains("token"));
    let guarded = App::new(api, Settings::default().with_tokens(["t".to_owned()]));
    assert_ne!(claude_code_aws::http::bind(guarded, everywhere).await.unwrap().addr().port(), 0);
}

#[tokio::test]
async fn every_answer_has_an_id_and_the_headers_that_keep_browsers_safe() {
    let api = Api::open().await;
    let own = get(&api.router, "/health", &[("x-request-id", "abc-1.2_3")]).await;
    assert_eq!(own.header("x-request-id"), "abc-1.2_3");
    for answer in [
        api.get("/health").await,
        api.get("/nothing").await,
        get(&api.router, "/budget", &[("x-request-id", "a b")]).await,
    ] {
        assert_eq!(answer.header("x-request-id").len(), 36);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    }
    assert_eq!(
        api.get("/health").await.json(),
        json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })
    );
}

#[tokio::test]
async fn only_listed_origins_may_call_from_browsers() {
    let settings = Settings::default().with_origins(vec!["https://app.example".into()]);
    let api = Api::with(settings, Arc::new(Samples::built_in())).await;
    for (origin, allowed) in [("https://app.example", true), ("https://evil.example", false), ("null", false)]
    {
        let preflight = Request::options("/generate")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .body(Body::empty())
            .unwrap();
        let answer = send(&api.router, preflight).await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), if allowed { origin } else { "" });
        assert_eq!(answer.header("access-control-allow-methods").contains("POST"), allowed);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

/// 25 times as many callers as there is room for: the excess is told to come back, and nothing is sent for it.
#[tokio::test(start_paused = true)]
async fn what_is_beyond_the_limit_is_shed_before_anything_is_paid() {
    const ROOM: usize = 4;
    let slow = Script(vec![]).wait(Duration::from_millis(200));
    let mut answered = Script::answer("```python a.py\nvalue = 1\n```\n");
    answered.0.splice(0..0, slow.0);
    let provider = ScriptedProvider::new([answered]);
    let settings = Settings::default().with_concurrency(ROOM);
    let router = router(App::new(builder(provider.clone()).build(), settings));
    let calls = (0..25 * ROOM).map(|n| {
        let router = router.clone();
        async move {
            let body = json!({ "prompt": format!("number {n}"), "model": "sonnet", "cache": "off" });
            post(&router, "/generate", &[], body).await
        }
    });
    let health = get(&router, "/health", &[]);
    let (answers, health) = tokio::join!(futures_util::future::join_all(calls), health);
    assert_eq!(health.status, 200);
    let shed: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert_eq!((shed.len(), provider.calls().len()), (24 * ROOM, ROOM));
    let waits: std::collections::BTreeSet<u64> =
        shed.iter().map(|answer| answer.header("retry-after").parse().unwrap()).collect();
    assert!(waits.len() > 5 && waits.iter().all(|wait| (1..=30).contains(wait)), "{waits:?}");
    let after = post(&router, "/generate", &[], json!({ "prompt": "later", "model": "sonnet" })).await;
    assert_eq!(after.status, 200, "room is given back");
}
