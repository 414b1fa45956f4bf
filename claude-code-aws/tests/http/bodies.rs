//! Bodies that are no requests: always 4xx, with the name of the field and without what was sent.

use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use super::support::{Answer, Api, send};

async fn raw(api: &Api, path: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path).header("content-type", "application/json").body(body.into()).unwrap();
    send(&api.router, request).await
}

#[tokio::test]
async fn what_is_no_json_is_400_and_what_is_no_request_is_422_with_its_field() {
    let api = Api::open().await;
    let deep = format!("{{\"prompt\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: Vec<(String, u16, &str)> = vec![
        (String::new(), 400, ""),
        ("{".into(), 400, ""),
        ("null".into(), 422, ""),
        ("[]".into(), 422, ""),
        ("{} {}".into(), 422, "prompt"),
        (deep, 422, "prompt"),
        ("{\"prompt\":\"a\",\"prompt\":\"b\"}".into(), 422, "prompt"),
        ("{\"prompt\":\"\\ud800\"}".into(), 400, ""),
        ("{\"prompt\":NaN}".into(), 400, ""),
        ("{\"prompt\":5}".into(), 422, "prompt"),
        ("{\"prompt\":\" \"}".into(), 422, "prompt"),
        ("{\"prompt\":\"a\",\"promt\":1}".into(), 422, "promt"),
        ("{\"prompt\":\"a\",\"tier\":\"huge\"}".into(), 422, "tier"),
        ("{\"prompt\":\"a\",\"max_tokens\":-1}".into(), 422, "max_tokens"),
        ("{\"prompt\":\"a\",\"max_tokens\":0}".into(), 422, "max_tokens"),
        ("{\"prompt\":\"a\",\"max_tokens\":8.5}".into(), 422, "max_tokens"),
        ("{\"prompt\":\"a\",\"max_tokens\":1e10}".into(), 422, "max_tokens"),
        ("{\"prompt\":\"a\",\"temperature\":7}".into(), 422, "temperature"),
        ("{\"prompt\":\"a\",\"temperature\":1e999}".into(), 400, ""),
        ("{\"prompt\":\"a\",\"max_usd\":0.5}".into(), 422, "max_usd"),
        ("{\"prompt\":\"a\",\"max_usd\":\"much\"}".into(), 422, "max_usd"),
        ("{\"prompt\":\"a\",\"language\":\"no such/language\"}".into(), 422, "language"),
        ("{\"prompt\":\"a\",\"files\":[{\"path\":\"\",\"content\":\"\"}]}".into(), 422, "files[0].path"),
        ("{\"prompt\":\"a\",\"files\":[{\"path\":\"a\",\"content\":7}]}".into(), 422, "files[0].content"),
        ("{\"prompt\":\"a\",\"endpoint_url\":\"http://169.254.169.254\"}".into(), 422, "endpoint_url"),
        ("{\"prompt\":\"a\",\"scope\":\"other\"}".into(), 422, "scope"),
    ];
    for (body, status, field) in cases {
        let shown = body.chars().take(60).collect::<String>();
        let answer = raw(&api, "/generate", body).await;
        assert_eq!(answer.status.as_u16(), status, "{shown}: {}", answer.text());
        assert_eq!(answer.json()["field"].as_str().unwrap_or_default(), field, "{shown}: {}", answer.text());
    }
    assert_eq!(api.twin.sent().len(), 0);
}

#[tokio::test]
async fn a_turn_of_a_conversation_is_refused_by_the_name_of_its_field() {
    let api = Api::open().await;
    for (body, field) in [
        (json!({}), "action"),
        (json!({ "action": "stop" }), "action"),
        (json!({ "action": "start", "step": 1 }), "step"),
        (json!({ "action": "start", "x": 1 }), "x"),
        (json!({ "action": "message", "message": "a" }), "conversation_id"),
        (json!({ "action": "message", "conversation_id": "a" }), "message"),
        (json!({ "action": "message", "conversation_id": "a", "message": "b", "step": "c" }), "step"),
        (
            json!({ "action": "message", "conversation_id": "a", "message": "b", "service_data": {} }),
            "service_data",
        ),
        (
            json!({ "action": "generate", "conversation_id": "a", "service_data": { "features": "b" } }),
            "service_data.features",
        ),
    ] {
        let answer = raw(&api, "/conversation", body.to_string()).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
        assert_eq!(answer.json()["field"].as_str().unwrap_or_default(), field, "{body}: {}", answer.text());
    }
    // JSON has one kind of number: 1.0 is the step 1.
    let start = api.post("/conversation", json!({ "action": "start" })).await.json();
    let said = json!({ "action": "message", "conversation_id": start["conversation_id"], "message": "a", "step": 1.0 });
    assert_eq!(api.post("/conversation", said).await.status, 200);
}

#[tokio::test]
async fn a_problem_does_not_repeat_what_was_sent() {
    let api = Api::open().await;
    for body in [
        json!({ "prompt": { "secret": "hunter2" } }),
        json!({ "prompt": "a", "tier": "hunter2" }),
        json!({ "prompt": "a", "max_usd": "hunter2" }),
        json!({ "prompt": "a", "language": "hunter2 hunter2" }),
        json!({ "prompt": "a", "hunter2 hunter2": 1 }),
        json!({ "prompt": "a", "files": [{ "path": "hunter2\n", "content": "" }] }),
    ] {
        let answer = raw(&api, "/generate", body.to_string()).await;
        assert_eq!(answer.status, 422);
        assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    }
}

#[tokio::test]
async fn ten_megabytes_are_refused_whether_announced_or_not() {
    let api = Api::open().await;
    let announced = raw(&api, "/generate", vec![b'a'; 10 << 20]).await;
    assert_eq!(announced.status, 413);
    // A body that never ends by itself: only a bounded reader gets to an answer.
    let endless =
        futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b' '; 65_536])));
    let answer = raw(&api, "/generate", Body::from_stream(endless)).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn another_content_type_is_415() {
    let api = Api::open().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request =
            Request::post("/generate").header("content-type", kind).body(Body::from("{\"prompt\":\"a\"}"));
        assert_eq!(send(&api.router, request.unwrap()).await.status, 415, "{kind}");
    }
}

/// Kilobytes that the process has in memory, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof!["(prompt|language|files|tier|model|action|conversation_id|message|step|service_data|instructions|code|path|content)", ".{0,12}"],
                inner,
                0..6
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[tokio::test]
async fn no_body_at_all_makes_a_500() {
    let api = Api::open().await;
    let before = resident();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    for case in 0..cases {
        let value = json_value().new_tree(&mut runner).unwrap().current();
        let text = value.to_string();
        // Every third one is cut, every fifth damaged.
        let mut bytes = text.into_bytes();
        if case % 3 == 0 {
            bytes.truncate(bytes.len() / 2);
        }
        if case % 5 == 0 && !bytes.is_empty() {
            let at = case % bytes.len();
            bytes[at] ^= 0x80;
        }
        for path in ["/generate", "/refactor", "/conversation"] {
            let answer = raw(&api, path, bytes.clone()).await;
            assert!(
                answer.status.is_client_error(),
                "{path}: {} for {:?}",
                answer.status,
                String::from_utf8_lossy(&bytes)
            );
        }
    }
    // The figure is for people, and of all tests of this process: `make bench-load` bounds the server's own.
    let grown = resident().zip(before).map(|(after, before)| after.saturating_sub(before) / 1024);
    println!("{cases} bodies on three routes: all 4xx; resident memory grew by {grown:?} MB");
}
