//! Who comes in, what every answer says, and what a full house does.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use claude_code_aws::http::{App, Settings, router};
use claude_code_aws::local::Samples;
use claude_code_aws::service_creator::STEPS;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{PicoUsd, Policy};
use serde_json::json;

use super::support::{Answer, Api, REVERSE, get, post, send};

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
    let erase = Request::delete(&path).header(other[0].0, other[0].1).body(Body::empty()).unwrap();
    send(&api.router, erase).await;
    assert_eq!(get(&api.router, &path, &one).await.status, 200, "nobody else erases it");
    assert_eq!(get(&api.router, &format!("{path}/zip"), &other).await.status, 404);
}

#[tokio::test]
async fn each_token_sees_its_own_jobs_services_and_keys_only() {
    let api = guarded().await;
    let (one, other) = (("authorization", "Bearer one-token"), ("authorization", "bearer other-token"));
    let (job, body) = (("prefer", "respond-async"), json!({ "prompt": REVERSE }));
    let place = post(&api.router, "/generate", &[one, job], body.clone()).await.header("location").to_owned();
    for path in [place.clone(), format!("{place}/events")] {
        assert_eq!(get(&api.router, &path, &[other]).await.status, 404, "{path}");
        assert_eq!(get(&api.router, &path, &[one]).await.status, 200, "{path}");
    }
    let key = ("idempotency-key", "k");
    let mine = post(&api.router, "/generate", &[one, key], body.clone()).await.json();
    let theirs = post(&api.router, "/generate", &[other, key], body).await.json();
    assert_ne!(mine["id"], theirs["id"], "a key is its caller's own");

    let talk = post(&api.router, "/conversation", &[one], json!({ "action": "start" })).await.json();
    let id = talk["conversation_id"].as_str().unwrap();
    for step in STEPS {
        let said = json!({ "action": "message", "conversation_id": id, "message": step.example });
        assert_eq!(post(&api.router, "/conversation", &[other], said.clone()).await.status, 404);
        assert_eq!(post(&api.router, "/conversation", &[one], said).await.status, 200);
    }
    let generate = json!({ "action": "generate", "conversation_id": id });
    assert_eq!(post(&api.router, "/conversation", &[other], generate.clone()).await.status, 404);
    let code = post(&api.router, "/conversation", &[one], generate).await.json();
    let part = |name: &str| code[name].as_str().unwrap().to_owned();
    let place = format!("/services/{}/code/{}", part("service_id"), part("code_id"));
    for path in [place.clone(), format!("{place}/zip")] {
        assert_eq!(get(&api.router, &path, &[other]).await.status, 404, "{path}");
        assert_eq!(get(&api.router, &path, &[one]).await.status, 200, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_token_sees_its_own_spending_only() {
    let provider = ScriptedProvider::new([Script::answer("```python a.py\nvalue = 1\n```\n")]);
    let settings = Settings::default().with_tokens(["one-token".to_owned(), "other-token".to_owned()]);
    let policy =
        Policy { max_usd_per_day_per_scope: Some(PicoUsd::from_usd("5").unwrap()), ..Policy::default() };
    let router = router(App::new(builder(provider).with_policy(policy).build(), settings));
    let (one, other) = ([("authorization", "Bearer one-token")], [("authorization", "bearer other-token")]);
    let body = json!({ "prompt": "a", "model": "sonnet" });
    assert_eq!(post(&router, "/generate", &one, body).await.status, 200);
    assert_ne!(get(&router, "/budget", &one).await.json()["spent"], "0");
    assert_eq!(get(&router, "/budget", &other).await.json()["spent"], "0");
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
async fn a_token_of_this_machine_is_its_users_own_scope() {
    let settings = Settings::default().with_local_token("0123456789abcdef0123456789abcdef");
    let api = Api::with(settings, Arc::new(Samples::built_in())).await;
    let known = ("authorization", "Bearer 0123456789abcdef0123456789abcdef");
    for (headers, status) in [
        (&[][..], 401),
        (&[("authorization", "Bearer 0123456789abcdef")], 401),
        (&[known], 200),
        (&[known, ("host", "evil.example")], 403),
    ] {
        assert_eq!(get(&api.router, "/budget", headers).await.status.as_u16(), status, "{headers:?}");
    }
    for open in ["/health", "/", "/docs", "/app.js", "/style.css", "/favicon.svg", "/openapi.json"] {
        assert_eq!(api.get(open).await.status, 200, "{open} tells nothing about anybody");
    }
    let made = post(&api.router, "/generate", &[known], json!({ "prompt": REVERSE })).await.json();
    let open = router(App::on(&api.twin, Settings::default()).await.unwrap());
    let found = get(&open, &format!("/results/{}", made["id"].as_str().unwrap()), &[]).await;
    assert_eq!(found.status, 200, "the command line finds it, and so does a server without a token");
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_token() {
    let api = claude_code_aws::local::open(tempfile::tempdir().unwrap().path()).await.unwrap();
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let open = App::new(api.clone(), Settings::default());
    assert!(claude_code_aws::http::bind(open, everywhere).await.unwrap_err().message().contains("token"));
    let guarded = App::new(api, Settings::default().with_tokens(["t".to_owned()]));
    assert_ne!(claude_code_aws::http::bind(guarded, everywhere).await.unwrap().addr().port(), 0);
}

#[tokio::test]
async fn every_answer_has_an_id_and_the_headers_that_keep_browsers_safe() {
    let api = Api::open().await;
    let own = get(&api.router, "/health", &[("x-request-id", "abc-1.2_3")]).await;
    assert_eq!(own.header("x-request-id"), "abc-1.2_3");
    let trace = "Root=1-67891233-abcdef012345678912345678;Sampled=1";
    let long = get(&api.router, "/health", &[("x-request-id", trace)]).await;
    assert_eq!(long.header("x-request-id"), trace, "as gateways and tracers write them");
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
        json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "store": "disk" })
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
            .header("access-control-request-private-network", "true")
            .body(Body::empty())
            .unwrap();
        let answer = send(&api.router, preflight).await;
        assert_eq!(answer.status, 204);
        let to_this_machine = answer.header("access-control-allow-private-network");
        assert_eq!(to_this_machine, if allowed { "true" } else { "" }, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), if allowed { origin } else { "" });
        assert_eq!(answer.header("access-control-allow-methods").contains("POST"), allowed);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

/// A model that thinks for a while, and an API with room for `room` requests.
fn small(room: usize, thinks: Duration) -> (Arc<ScriptedProvider>, axum::Router) {
    let mut answered = Script(vec![]).wait(thinks);
    answered.0.extend(Script::answer("```python a.py\nvalue = 1\n```\n").0);
    let provider = ScriptedProvider::new([answered]);
    let settings = Settings::default().with_concurrency(room);
    let router = router(App::new(builder(provider.clone()).build(), settings));
    (provider, router)
}

/// So many callers at once, each with another prompt.
async fn crowd(router: &axum::Router, callers: usize, headers: &[(&str, &str)]) -> Vec<Answer> {
    let calls = (0..callers).map(|n| async move {
        let body = json!({ "prompt": format!("number {n}"), "model": "sonnet", "cache": "off" });
        post(router, "/generate", headers, body).await
    });
    futures_util::future::join_all(calls).await
}

fn assert_shed(answers: &[Answer], expected: usize) {
    let shed: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert_eq!(shed.len(), expected);
    let waits: std::collections::BTreeSet<u64> =
        shed.iter().map(|answer| answer.header("retry-after").parse().unwrap()).collect();
    assert!(waits.len() > 5 && waits.iter().all(|wait| (1..=30).contains(wait)), "{waits:?}");
}

/// 25 times as many callers as there is room for: the excess is told to come back, and nothing is sent for it.
#[tokio::test(start_paused = true)]
async fn what_is_beyond_the_limit_is_shed_before_anything_is_paid() {
    const ROOM: usize = 4;
    let (provider, router) = small(ROOM, Duration::from_millis(200));
    let health = get(&router, "/health", &[]);
    let (answers, health) = tokio::join!(crowd(&router, 25 * ROOM, &[]), health);
    assert_eq!(health.status, 200);
    assert_shed(&answers, 24 * ROOM);
    assert_eq!(provider.calls().len(), ROOM);
    let after = post(&router, "/generate", &[], json!({ "prompt": "later", "model": "sonnet" })).await;
    assert_eq!(after.status, 200, "room is given back");
}

/// A server that writes an answer of known length drops it only after the caller has read its last byte and asked again.
#[tokio::test(start_paused = true)]
async fn a_place_is_free_as_soon_as_the_last_byte_goes_out() {
    use futures_util::StreamExt;
    use tower::ServiceExt;
    let (_, router) = small(1, Duration::from_millis(200));
    let body = json!({ "prompt": "first", "model": "sonnet", "cache": "off" }).to_string();
    let request = Request::post("/generate").header("content-type", "application/json");
    let answer = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let length: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let mut sent = answer.into_body().into_data_stream();
    let during = post(&router, "/generate", &[], json!({ "prompt": "a", "model": "sonnet" })).await;
    assert_eq!(during.status, 429, "while it is sent its place is taken");
    let mut read = 0;
    while read < length {
        read += sent.next().await.unwrap().unwrap().len();
    }
    let next = post(&router, "/generate", &[], json!({ "prompt": "b", "model": "sonnet" })).await;
    assert_eq!(next.status, 200, "{next:?}");
    drop(sent);
}

#[tokio::test(start_paused = true)]
async fn what_is_shed_or_not_let_in_is_told_so_before_its_body_is_read() {
    let provider = ScriptedProvider::new([Script::default().hang()]);
    let settings = Settings::default().with_concurrency(1).with_tokens(["t".to_owned()]);
    let router = router(App::new(builder(provider.clone()).build(), settings));
    let body = json!({ "prompt": "a", "model": "sonnet" });
    let busy = router.clone();
    let first =
        tokio::spawn(async move { post(&busy, "/generate", &[("authorization", "Bearer t")], body).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(provider.open(), 1);
    for (token, status) in [("Bearer t", 429), ("Bearer x", 401)] {
        let unread =
            futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<Result<Vec<u8>, std::io::Error>>> {
                panic!("the body is read")
            });
        let request = Request::post("/generate")
            .header("content-type", "application/json")
            .header("authorization", token)
            .body(Body::from_stream(unread));
        assert_eq!(send(&router, request.unwrap()).await.status, status);
    }
    first.abort();
}

/// The same crowd with jobs: as many are worked on at a time, four times as many wait, and all of these have their turn.
#[tokio::test(start_paused = true)]
async fn jobs_have_the_same_limit_and_a_bounded_number_of_them_waits() {
    const ROOM: usize = 4;
    let (provider, router) = small(ROOM, Duration::from_secs(10));
    let asked = [("prefer", "respond-async")];
    let answers = crowd(&router, 25 * ROOM, &asked).await;
    assert_shed(&answers, 20 * ROOM);
    let places: Vec<&str> = answers
        .iter()
        .filter(|answer| answer.status == 202)
        .map(|answer| answer.header("location"))
        .collect();
    assert_eq!(places.len(), 5 * ROOM);
    for turn in 1..=5 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!((provider.open(), provider.calls().len()), (ROOM, turn * ROOM));
        let mut states = std::collections::BTreeMap::new();
        for place in &places {
            let state = get(&router, place, &[]).await.json()["state"].as_str().unwrap().to_owned();
            *states.entry(state).or_insert(0) += 1;
        }
        let waiting = states.get("queued").copied().unwrap_or_default();
        assert_eq!(
            (states["running"], waiting),
            (ROOM, (5 - turn) * ROOM),
            "whoever asks begins nothing twice"
        );
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for place in places {
        assert_eq!(get(&router, place, &[]).await.json()["state"], "done");
    }
    assert_eq!(provider.calls().len(), 5 * ROOM, "each is paid once");
    assert_eq!(crowd(&router, 1, &asked).await[0].status, 202, "places are given back");
}

/// Whoever asks for a job keeps it going; asking often must not take the places of others.
#[tokio::test(start_paused = true)]
async fn a_job_that_waits_has_one_place_however_often_it_is_asked_for() {
    let (_, router) = small(1, Duration::from_secs(10));
    let asked = [("prefer", "respond-async")];
    let first = crowd(&router, 2, &asked).await;
    for _ in 0..50 {
        assert_eq!(get(&router, first[1].header("location"), &[]).await.json()["state"], "queued");
    }
    let more = crowd(&router, 4, &asked).await;
    let statuses: Vec<u16> = more.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [202, 202, 202, 429]);
}

/// Under a key the work goes on for a caller that hangs up, and so does its place.
#[tokio::test(start_paused = true)]
async fn work_that_goes_on_without_its_caller_keeps_its_place() {
    let (provider, router) = small(1, Duration::from_secs(20));
    let key = [("idempotency-key", "k")];
    let gone = tokio::time::timeout(Duration::from_secs(5), crowd(&router, 1, &key)).await;
    assert!(gone.is_err());
    assert_eq!(crowd(&router, 1, &[]).await[0].status, 429, "the house is full of paid work");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(crowd(&router, 1, &key).await[0].status, 200);
    assert_eq!(provider.calls().len(), 1);
}
