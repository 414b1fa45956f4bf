//! Answers beyond the host's bound: links in place of texts, fresh each time.

use std::sync::Arc;

use claude_code_aws::http::Settings;
use claude_code_aws::local::{Question, Reply, Responder, Samples};
use serde_json::{Value, json};

use super::support::{Answer, Api, REVERSE, get, post};

/// Answers any question with code that is a megabyte as a result: in its file, and in the answer's text.
#[derive(Debug)]
struct Long;

#[async_trait::async_trait]
impl Responder for Long {
    async fn answer(&self, question: &Question) -> Reply {
        let lines = format!("value = '{}'\n", "🔥".repeat(60)).repeat(2_300);
        Reply::text(question, &format!("```python long.py\n{lines}```\n"))
    }
}

/// What a caller of this host gets: texts left out, and each file behind its link.
async fn assert_linked(api: &Api, result: &Value, host: &str) {
    assert_eq!((&result["stored"], &result["text"]), (&json!(true), &json!("")));
    for file in result["files"].as_array().unwrap() {
        assert!(file.get("content").is_none() && file["expires_at"].is_string(), "{file:#}");
        let url = file["url"].as_str().unwrap();
        let path = url.strip_prefix(&format!("http://{host}")).unwrap_or_else(|| panic!("{host}: {url}"));
        let content = api.get(path).await;
        assert_eq!(
            (content.status.as_u16(), content.body.len() as u64),
            (200, file["size"].as_u64().unwrap())
        );
    }
}

fn finished(answer: &Answer) -> Value {
    let (name, data) = answer.events().pop().unwrap();
    assert_eq!(name, "finished");
    data["generation"].clone()
}

#[tokio::test]
async fn an_answer_over_a_megabyte_has_links_in_place_of_its_texts() {
    let api = Api::with(Settings::default().with_inline_bytes(1 << 20), Arc::new(Long)).await;
    let body = json!({ "prompt": "something long", "model": "haiku", "max_tokens": 127_999 });
    let answer = api.post("/generate", body).await;
    assert_eq!(answer.status, 200, "{:.300}", answer.text());
    assert!(answer.body.len() < 100_000, "{} bytes", answer.body.len());
    let result = answer.json();
    assert!(result["files"][0]["size"].as_u64().unwrap() > 1 << 19);
    assert_linked(&api, &result, "localhost").await;
}

#[tokio::test]
async fn a_part_of_a_file_is_had_by_its_range() {
    let api = Api::open().await;
    let result = api.post("/generate", json!({ "prompt": REVERSE })).await.json();
    let download = api.get(&format!("/results/{}/download", result["id"].as_str().unwrap())).await.json();
    let link = download["files"][0]["url"].as_str().unwrap().strip_prefix("http://localhost").unwrap();
    let whole = api.get(link).await;
    let part = get(&api.router, link, &[("range", "bytes=4-9")]).await;
    assert_eq!((part.status.as_u16(), &part.body), (206, &whole.body[4..=9].to_vec()));
    assert_eq!(part.header("content-range"), format!("bytes 4-9/{}", whole.body.len()));
    assert_eq!(get(&api.router, link, &[("range", "bytes=999999-")]).await.status, 416);
}

/// Kept whole, linked on the way out: a link of the first answer would have ended long ago.
#[tokio::test]
async fn every_way_to_a_large_result_gives_links_of_its_own() {
    let api = Api::with(Settings::default().with_inline_bytes(10), Arc::new(Samples::built_in())).await;
    let body = json!({ "prompt": REVERSE });
    let (key, sse) = (("idempotency-key", "k"), ("accept", "text/event-stream"));
    for host in ["localhost:1", "localhost:2"] {
        let answer = post(&api.router, "/generate", &[key, ("host", host)], body.clone()).await;
        assert_linked(&api, &answer.json(), host).await;
    }
    let streamed = post(&api.router, "/generate", &[key, sse, ("host", "localhost:3")], body.clone()).await;
    assert_linked(&api, &finished(&streamed), "localhost:3").await;
    let fresh = post(&api.router, "/generate", &[sse, ("host", "localhost:4")], body.clone()).await;
    assert_linked(&api, &finished(&fresh), "localhost:4").await;
    let accepted = post(&api.router, "/generate", &[("prefer", "respond-async")], body).await;
    let place = accepted.header("location").to_owned();
    let log = get(&api.router, &format!("{place}/events"), &[("host", "localhost:5")]).await;
    assert_linked(&api, &finished(&log), "localhost:5").await;
    api.ended(&place).await;
    let job = get(&api.router, &place, &[("host", "localhost:6")]).await.json();
    assert_linked(&api, &job["result"], "localhost:6").await;
}

#[tokio::test]
async fn a_large_refactoring_leaves_its_diff_out_and_says_so() {
    let api = Api::with(Settings::default().with_inline_bytes(10), Arc::new(Samples::built_in())).await;
    let answer = api.post("/refactor", super::routes::refactoring()).await.json();
    assert!(answer.get("diff").is_none(), "{answer:#}");
    let warnings = answer["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning.as_str().unwrap().contains("diff")), "{warnings:?}");
    let small = Api::open().await.post("/refactor", super::routes::refactoring()).await.json();
    assert!(small["diff"].as_str().unwrap().contains("shipping.py"), "{small:#}");
}
