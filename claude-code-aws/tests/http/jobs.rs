use claude_code_core::testing::{Script, ScriptedProvider};
use serde_json::json;

use super::support::{Api, REVERSE, get, post, scripted};

const ASYNC: (&str, &str) = ("prefer", "respond-async");

#[tokio::test]
async fn a_job_is_accepted_worked_on_and_has_its_result() {
    let api = Api::open().await;
    let accepted = post(&api.router, "/generate", &[ASYNC], json!({ "prompt": REVERSE })).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    let place = accepted.header("location").to_owned();
    assert_eq!(place, format!("/jobs/{}", accepted.json()["id"].as_str().unwrap()));
    let log = api.get(&format!("{place}/events")).await;
    let events = log.events();
    assert_eq!(events.last().unwrap().0, "finished");
    let job = api.ended(&place).await;
    assert_eq!((&job["state"], &job["progress"]["files_finished"]), (&json!("done"), &json!(1)));
    assert_eq!(job["result"]["accepted"], true);
    assert_eq!(job["result"], events.last().unwrap().1["generation"]);
    assert!(job.get("request").is_none());
}

#[tokio::test]
async fn the_log_goes_on_behind_the_last_event_that_was_seen() {
    let api = Api::open().await;
    let accepted = post(&api.router, "/generate", &[ASYNC], json!({ "prompt": REVERSE })).await;
    let path = format!("{}/events", accepted.header("location"));
    let whole = api.get(&path).await;
    let ids: Vec<u64> =
        whole.text().lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    let rest = get(&api.router, &path, &[("last-event-id", "2")]).await;
    assert_eq!(rest.events(), whole.events()[2..]);
}

#[tokio::test]
async fn an_event_that_nobody_can_have_seen_has_nothing_behind_it() {
    let api = Api::open().await;
    let accepted = post(&api.router, "/generate", &[ASYNC], json!({ "prompt": REVERSE })).await;
    let path = format!("{}/events", accepted.header("location"));
    assert_eq!(api.get(&path).await.events().last().unwrap().0, "finished");
    let last = u64::MAX.to_string();
    let rest = get(&api.router, &path, &[("last-event-id", &last)]).await;
    assert_eq!((rest.status.as_u16(), rest.text().as_str()), (200, ""));
}

/// Words between files come in pieces of some bytes: each would be a row.
#[tokio::test(start_paused = true)]
async fn words_beside_the_files_are_logged_together() {
    let words = "Here is what I think of it. ".repeat(200);
    let answer = format!("{words}\n\n```python a.py\nvalue = 1\n```\n\n{words}\n");
    let provider = ScriptedProvider::new([Script::answer(&answer)]);
    let router = scripted(&provider);
    let accepted = post(&router, "/generate", &[ASYNC], json!({ "prompt": "a", "model": "sonnet" })).await;
    let events = get(&router, &format!("{}/events", accepted.header("location")), &[]).await.events();
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["text", "file.started", "file.chunk", "file.finished", "text", "finished"]);
    let told: String = events
        .iter()
        .filter(|(name, _)| name == "text")
        .map(|(_, data)| data["text"].as_str().unwrap())
        .collect();
    assert_eq!(told.matches("Here is").count(), 400, "nothing of it is lost");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_says_why() {
    let provider = ScriptedProvider::new([Script::default().hang()]);
    let router = scripted(&provider);
    let accepted = post(&router, "/generate", &[ASYNC], json!({ "prompt": "a", "model": "sonnet" })).await;
    let log = get(&router, &format!("{}/events", accepted.header("location")), &[]).await;
    assert_eq!(log.events().last().unwrap().0, "error");
    let job = get(&router, accepted.header("location"), &[]).await.json();
    assert_eq!((&job["state"], &job["problem"]["status"]), (&json!("failed"), &json!(504)));
}

#[tokio::test]
async fn a_job_under_a_key_is_one_job() {
    let api = Api::open().await;
    let headers = [ASYNC, ("idempotency-key", "k")];
    let one = post(&api.router, "/generate", &headers, json!({ "prompt": REVERSE })).await;
    let two = post(&api.router, "/generate", &headers, json!({ "prompt": REVERSE })).await;
    assert_eq!((two.status.as_u16(), one.header("location")), (202, two.header("location")));
    assert_eq!(post(&api.router, "/generate", &[ASYNC], json!({ "prompt": "" })).await.status, 422);
}
