//! Usage: counted in the state table, told as JSON and as a page, the caller's own only.

use std::sync::Arc;

use claude_code_aws::http::Settings;
use claude_code_aws::local::Samples;
use serde_json::json;

use super::support::{Api, REVERSE, get, post};

async fn two_callers() -> Api {
    let settings = Settings::default().with_tokens(["t-1".to_owned(), "t-2".to_owned()]);
    Api::with(settings, Arc::new(Samples::built_in())).await
}

#[tokio::test]
async fn a_caller_sees_its_own_requests_by_day_model_and_tier() {
    let api = two_callers().await;
    let (one, two) = ([("authorization", "Bearer t-1")], [("authorization", "Bearer t-2")]);
    for _ in 0..2 {
        assert_eq!(post(&api.router, "/generate", &one, json!({ "prompt": REVERSE })).await.status, 200);
    }
    let report = get(&api.router, "/usage?days=1", &one).await.json();
    let total = &report["total"];
    assert_eq!(
        (&total["requests"], &total["accepted"], &total["cached"]),
        (&json!(2), &json!(2), &json!(1)),
        "{report}"
    );
    assert_eq!(total["failed"], 0);
    assert!(total["p90_seconds"].as_f64().unwrap() > 0.0);
    for by in ["day", "model", "tier"] {
        let report = get(&api.router, &format!("/usage?by={by}"), &one).await.json();
        let groups = report["groups"].as_array().unwrap();
        assert_eq!((groups.len(), &groups[0]["requests"]), (1, &json!(2)), "{report}");
        assert!(groups[0][by].is_string());
    }
    assert_eq!(get(&api.router, "/usage", &two).await.json()["total"]["requests"], 0, "nobody else's");
    for query in ["days=0", "days=41", "by=colour", "days=many", "scope=other"] {
        assert_eq!(get(&api.router, &format!("/usage?{query}"), &one).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn a_browser_that_opens_the_figures_is_sent_to_the_page_that_shows_them() {
    let api = two_callers().await;
    let html = [("accept", "text/html,application/xhtml+xml;q=0.9")];
    let opened = get(&api.router, "/usage", &html).await;
    assert_eq!((opened.status.as_u16(), opened.header("location")), (303, "./#/usage"));
    assert_eq!(get(&api.router, "/usage", &[("accept", "application/json")]).await.status, 401);
}
