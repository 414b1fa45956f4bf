use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use claude_code_core::testing::{Script, ScriptedProvider};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use super::support::{Api, REVERSE, post, scripted};

const SSE: (&str, &str) = ("accept", "text/event-stream");

#[tokio::test]
async fn events_come_in_order_and_the_last_one_is_the_truth() {
    let api = Api::open().await;
    let answer = post(&api.router, "/generate", &[SSE], json!({ "prompt": REVERSE })).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/event-stream"));
    let events = answer.events();
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let place =
        |name: &str| names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("{name}: {names:?}"));
    assert!(place("file.started") < place("file.chunk") && place("file.chunk") < place("file.finished"));
    assert_eq!(names.last(), Some(&"finished"));
    let generation = &events.last().unwrap().1["generation"];
    let written: String = events
        .iter()
        .filter(|(name, data)| name == "file.chunk" && data["index"] == 0)
        .map(|(_, data)| data["text"].as_str().unwrap())
        .collect();
    assert_eq!(generation["files"][0]["content"], written.as_str());
    assert_eq!((&generation["accepted"], &generation["stored"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn events_with_a_weight_of_nothing_are_not_wanted() {
    let api = Api::open().await;
    for (accept, kind) in [
        ("text/event-stream;q=0, application/json", "application/json"),
        ("application/json, text/event-stream; q=0.0", "application/json"),
        ("text/event-stream;q=0.1", "text/event-stream"),
        ("Text/Event-Stream", "text/event-stream"),
        ("*/*", "application/json"),
    ] {
        let answer =
            post(&api.router, "/generate", &[("accept", accept)], json!({ "prompt": REVERSE })).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, kind), "{accept}");
    }
}

#[tokio::test]
async fn what_is_wrong_before_the_first_event_has_its_status() {
    let api = Api::open().await;
    let answer = post(&api.router, "/generate", &[SSE], json!({ "prompt": "x", "temperature": 9 })).await;
    assert_eq!(answer.status, 422);
    let answer = post(&api.router, "/generate", &[SSE], json!({ "prompt": "no such sample" })).await;
    assert_eq!(answer.status, 200);
    let (name, data) = answer.events().pop().unwrap();
    assert_eq!((name.as_str(), data["problem"]["status"].as_u64()), ("error", Some(422)));
}

#[tokio::test(start_paused = true)]
async fn a_silent_model_is_bridged_by_a_sign_of_life_every_fifteen_seconds() {
    let mut script = Script(vec![]).wait(Duration::from_secs(50));
    script.0.extend(Script::answer("```python a.py\nvalue = 1\n```\n").0);
    let provider = ScriptedProvider::new([script]);
    let answer =
        post(&scripted(&provider), "/generate", &[SSE], json!({ "prompt": "a", "model": "sonnet" })).await;
    let text = answer.text();
    assert_eq!(text.matches(": still here\n\n").count(), 3, "{text}");
    assert_eq!(answer.events().last().unwrap().0, "finished");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_goes_away_closes_the_request() {
    let provider = ScriptedProvider::new([Script::text("```python a.py\nvalue = 1\n").hang()]);
    let router = scripted(&provider);
    let request = Request::post("/generate")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .body(Body::from(json!({ "prompt": "a", "model": "sonnet" }).to_string()))
        .unwrap();
    let mut body = router.clone().oneshot(request).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"event: "));
    assert_eq!(provider.open(), 1);
    drop(body);
    assert_eq!(provider.open(), 0);
}
