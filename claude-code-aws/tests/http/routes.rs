use claude_code_core::testing::{Script, ScriptedProvider};
use serde_json::json;

use super::support::{Api, REVERSE, get, post, send};

#[tokio::test]
async fn a_prompt_becomes_a_result_with_the_schema_of_the_contract() {
    let api = Api::open().await;
    let answer = api.post("/generate", json!({ "prompt": REVERSE })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(
        (&body["accepted"], &body["language"], &body["stored"]),
        (&true.into(), &"python".into(), &true.into())
    );
    assert!(body["files"][0]["content"].as_str().unwrap().contains("def "));
    assert_eq!(body["receipt"]["total_usd"], "0");
    for key in [
        "id",
        "text",
        "model",
        "tier",
        "tier_reason",
        "stop_reason",
        "usage",
        "attempts",
        "diagnostics",
        "warnings",
        "cached",
        "s3_key",
        "generated_at",
    ] {
        assert!(body.get(key).is_some(), "{key}");
    }
    assert!(body.get("prompt").is_none(), "what was asked is not part of the schema");
}

/// What the sample of a refactoring is for.
pub fn refactoring() -> serde_json::Value {
    let code = "def shipping_cost(order):\n    if order:\n        return 1\n    return None\n";
    json!({
        "instructions": "Refactor shipping.py: replace the nested ifs by early returns, without changing what it does.",
        "files": [{ "path": "shipping.py", "content": code }],
    })
}

#[tokio::test]
async fn a_refactoring_has_its_diff() {
    let api = Api::open().await;
    let answer = api.post("/refactor", refactoring()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["files"][0]["content"].as_str().unwrap().contains("def shipping_cost"));
}

#[tokio::test]
async fn a_result_is_listed_shown_downloaded_and_erased() {
    let api = Api::open().await;
    let id =
        api.post("/generate", json!({ "prompt": REVERSE })).await.json()["id"].as_str().unwrap().to_owned();
    let listed = api.get("/results?language=python&from=2020-01-01&limit=5").await.json();
    assert_eq!((listed["items"][0]["id"].as_str(), &listed["next"]), (Some(id.as_str()), &json!(null)));
    let shown = api.get(&format!("/results/{id}")).await.json();
    assert_eq!(shown["id"], id.as_str());
    assert!(shown["files"][0].get("content").is_none() && shown["files"][0]["sha256"].is_string());
    let links =
        get(&api.router, &format!("/results/{id}/download"), &[("host", "localhost:8080")]).await.json();
    assert_eq!(links["sha256"], shown["files"][0]["sha256"]);
    let url = links["url"].as_str().unwrap();
    let path = url.strip_prefix("http://localhost:8080").expect("served by this server");
    let file = api.get(path).await;
    assert_eq!(file.status, 200, "{}", file.text());
    assert!(file.text().contains("def "));
    assert_eq!(file.header("content-type"), "text/plain; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert!(links["expires_at"].as_str().unwrap() > shown["generated_at"].as_str().unwrap());
    let tampered = api.get(&path.replace("X-Amz-Expires=3600", "X-Amz-Expires=360000")).await;
    assert_eq!(tampered.status, 403, "the signature covers the link");
    let erase =
        axum::http::Request::delete(format!("/results/{id}")).body(axum::body::Body::empty()).unwrap();
    assert_eq!(send(&api.router, erase).await.status, 204);
    assert_eq!(api.get(&format!("/results/{id}")).await.status, 404);
    assert_eq!(api.get(path).await.status, 404, "the object is gone too");
    let again = api.post("/generate", json!({ "prompt": REVERSE })).await.json();
    assert!(again["cached"].is_null() && again["id"] != id.as_str(), "and the cache does not serve it on");
}

#[tokio::test]
async fn several_files_come_as_one_archive() {
    let api = Api::open().await;
    let prompt = "Write a Python function that checks whether a string is a palindrome, with tests.";
    let body = api.post("/generate", json!({ "prompt": prompt })).await.json();
    let answer = api.get(&format!("/results/{}/zip", body["id"].as_str().unwrap())).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/zip"));
    let found = unzip(&answer.body);
    for file in body["files"].as_array().unwrap() {
        let content = &found[file["path"].as_str().unwrap()];
        assert_eq!(content, file["content"].as_str().unwrap());
    }
}

/// Reads an archive by its central directory, as tools do.
pub fn unzip(bytes: &[u8]) -> std::collections::BTreeMap<String, String> {
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let end = bytes.len() - 22;
    assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
    let (count, mut at) = (u16_at(end + 10), u32_at(end + 16));
    let mut files = std::collections::BTreeMap::new();
    for _ in 0..count {
        assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
        let (crc, size, name) = (u32_at(at + 16), u32_at(at + 24), u16_at(at + 28));
        let offset = u32_at(at + 42);
        let path = String::from_utf8(bytes[at + 46..at + 46 + name].to_vec()).unwrap();
        let start = offset + 30 + u16_at(offset + 26) + u16_at(offset + 28);
        let content = &bytes[start..start + size];
        assert_eq!(crc32fast::hash(content) as usize, crc);
        files.insert(path, String::from_utf8(content.to_vec()).unwrap());
        at += 46 + name + u16_at(at + 30) + u16_at(at + 32);
    }
    files
}

#[tokio::test]
async fn the_budget_tells_cap_spending_and_the_end_of_the_day() {
    let api = Api::open().await;
    let body = api.get("/budget").await.json();
    assert_eq!((&body["cap"], &body["spent"]), (&json!(null), &json!("0")));
    assert!(body["resets_at"].as_str().unwrap().ends_with("T00:00:00.000Z"));
}

#[tokio::test]
async fn the_page_is_served_with_a_strict_policy() {
    let api = Api::open().await;
    for (path, kind) in [("/", "text/html"), ("/app.js", "text/javascript"), ("/style.css", "text/css")] {
        let answer = api.get(path).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").starts_with(kind), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let text = answer.text();
        assert!(
            !text.contains("innerHTML") && !text.contains("insertAdjacentHTML") && !text.contains("eval(")
        );
    }
}

#[tokio::test]
async fn a_cached_answer_says_so() {
    let api = Api::open().await;
    let first = api.post("/generate", json!({ "prompt": REVERSE })).await.json();
    let second = post(&api.router, "/generate", &[], json!({ "prompt": REVERSE })).await.json();
    assert_eq!(first["id"], second["id"]);
    assert!(second["cached"]["age_seconds"].is_u64());
    assert_eq!(api.twin.sent().len(), 1);
}

#[tokio::test]
async fn words_are_no_code_and_a_task_for_words_takes_them() {
    let words = "It adds two numbers.";
    let router = super::support::scripted(&ScriptedProvider::new([Script::answer(words)]));
    let answer = post(&router, "/generate", &[], json!({ "prompt": "a queue" })).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(
        (&answer.json()["kind"], &answer.json()["partial"]["text"].is_string()),
        (&"no_code".into(), &true)
    );
    let files = json!([{ "path": "a.py", "content": "def add(a, b):\n    return a + b\n" }]);
    for task in ["explain", "review"] {
        let body = json!({ "prompt": "What is it?", "task": task, "files": files });
        let answer = post(&router, "/generate", &[], body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!((&answer.json()["accepted"], &answer.json()["text"]), (&true.into(), &words.into()));
        let without = post(&router, "/generate", &[], json!({ "prompt": "What is it?", "task": task })).await;
        assert_eq!(without.status, 422, "{}", without.text());
    }
    let unknown = post(&router, "/generate", &[], json!({ "prompt": "x", "task": "dance" })).await;
    assert!(matches!(unknown.status.as_u16(), 400 | 422), "{}", unknown.text());
}
