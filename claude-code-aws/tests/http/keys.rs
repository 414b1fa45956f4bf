//! Idempotency-Key: one result, paid once.

use std::time::Duration;

use claude_code_core::ErrorKind;
use claude_code_core::provider::{Billing, ProviderError};
use claude_code_core::testing::{Script, ScriptedProvider};
use serde_json::json;

use super::support::{Api, REVERSE, post, scripted};

const ANSWER: &str = "```python a.py\nvalue = 1\n```\n";

#[tokio::test]
async fn a_hundred_equal_posts_at_once_make_one_send() {
    let api = Api::open().await;
    let key = [("idempotency-key", "5f1e-1")];
    let calls =
        (0..100).map(|_| post(&api.router, "/generate", &key, json!({ "prompt": REVERSE, "cache": "off" })));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(api.twin.sent().len(), 1);
    let mut counted = std::collections::BTreeMap::new();
    for answer in &answers {
        *counted.entry(answer.status.as_u16()).or_insert(0) += 1;
        assert!(answer.status != 409 || answer.header("retry-after").parse::<u64>().is_ok());
    }
    println!("{counted:?}");
    assert!(counted.keys().all(|status| [200, 409, 429].contains(status)) && counted[&200] >= 1);
    let again = post(&api.router, "/generate", &key, json!({ "prompt": REVERSE, "cache": "off" })).await;
    let first = answers.iter().find(|answer| answer.status == 200).unwrap();
    assert_eq!(
        (again.status.as_u16(), again.json()),
        (200, first.json()),
        "the same result for whoever comes later"
    );
    assert_eq!(api.twin.sent().len(), 1);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let api = Api::open().await;
    let key = [("idempotency-key", "k")];
    assert_eq!(post(&api.router, "/generate", &key, json!({ "prompt": REVERSE })).await.status, 200);
    let other = post(&api.router, "/generate", &key, json!({ "prompt": REVERSE, "max_tokens": 9 })).await;
    assert_eq!((other.status.as_u16(), other.json()["kind"].as_str()), (422, Some("key_reused")));
    let streamed = post(
        &api.router,
        "/generate",
        &[key[0], ("accept", "text/event-stream")],
        json!({ "prompt": REVERSE }),
    )
    .await;
    assert_eq!(streamed.events().pop().unwrap().0, "finished");
    assert_eq!(api.twin.sent().len(), 1, "the stream was answered from what is kept");
    for bad in ["", " ", "ä"] {
        let answer =
            post(&api.router, "/generate", &[("idempotency-key", bad)], json!({ "prompt": REVERSE })).await;
        assert_eq!(answer.status, 422, "{bad:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_succeed_later_gives_the_key_back() {
    let busy = Script::fail(ProviderError::new(ErrorKind::AccessDenied, Billing::No, "not yet"));
    let provider = ScriptedProvider::new([busy, Script::answer(ANSWER)]);
    let router = scripted(&provider);
    let body = json!({ "prompt": "a", "model": "sonnet", "cache": "off" });
    let first = post(&router, "/generate", &[("idempotency-key", "k")], body.clone()).await;
    assert_eq!(first.status, 403, "a final answer is kept");
    assert_eq!(
        post(&router, "/generate", &[("idempotency-key", "k")], body.clone()).await.json(),
        first.json()
    );
    let provider =
        ScriptedProvider::new([Script::default().hang(), Script::default().hang(), Script::answer(ANSWER)]);
    let router = scripted(&provider);
    assert_eq!(post(&router, "/generate", &[("idempotency-key", "k")], body.clone()).await.status, 504);
    assert_eq!(post(&router, "/generate", &[("idempotency-key", "k")], body).await.status, 200);
}

#[tokio::test]
async fn a_turn_of_a_conversation_that_is_repeated_is_taken_once() {
    let api = Api::open().await;
    let key = [("idempotency-key", "k")];
    let start = json!({ "action": "start" });
    let id = post(&api.router, "/conversation", &key, start.clone()).await.json()["conversation_id"].clone();
    assert_eq!(post(&api.router, "/conversation", &key, start.clone()).await.json()["conversation_id"], id);
    assert_ne!(post(&api.router, "/conversation", &[], start).await.json()["conversation_id"], id);
    let said = json!({ "action": "message", "conversation_id": id, "message": "vFirewall" });
    let other = post(&api.router, "/conversation", &key, said.clone()).await;
    assert_eq!((other.status.as_u16(), other.json()["kind"].as_str()), (422, Some("key_reused")));
    let key = [("idempotency-key", "k2")];
    let first = post(&api.router, "/conversation", &key, said.clone()).await;
    assert_eq!((first.status.as_u16(), &first.json()["step"]), (200, &json!(2)));
    assert_eq!(post(&api.router, "/conversation", &key, said).await.json(), first.json());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_finds_its_result_under_its_key() {
    let mut script = Script(vec![]).wait(Duration::from_secs(20));
    script.0.extend(Script::answer(ANSWER).0);
    let provider = ScriptedProvider::new([script]);
    let router = scripted(&provider);
    let body = json!({ "prompt": "a", "model": "sonnet", "cache": "off" });
    let key = [("idempotency-key", "k")];
    let gone =
        tokio::time::timeout(Duration::from_secs(5), post(&router, "/generate", &key, body.clone())).await;
    assert!(gone.is_err());
    assert_eq!(post(&router, "/generate", &key, body.clone()).await.status, 409);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(post(&router, "/generate", &key, body).await.status, 200);
    assert_eq!(provider.calls().len(), 1);
}
