use std::sync::Arc;

use claude_code_aws::local::{self, BUCKET, Twin};
use claude_code_aws::storage::dynamodb::DynamoState;
use claude_code_aws::storage::results::AwsResults;
use claude_code_aws::testing::{TestClock, state_contract, store_contract};
use claude_code_aws::{ErrorKind, GenerationStore, Scope};

async fn twin(dir: &std::path::Path) -> Twin {
    drop(local::open(dir).await.unwrap());
    Twin::open(dir).unwrap()
}

fn results(twin: &Twin) -> AwsResults {
    AwsResults::new(twin.dynamodb_client(), twin.s3_client(), "claude-code-results", BUCKET)
        .with_clock(Arc::new(TestClock::default()))
}

#[tokio::test]
async fn results_on_s3_and_dynamodb_hold_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    store_contract::holds(&results(&twin(dir.path()).await)).await;
}

#[tokio::test]
async fn state_on_dynamodb_holds_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let twin = twin(dir.path()).await;
    let state =
        DynamoState::new(twin.dynamodb_client(), "claude-code-state").with_bucket(twin.s3_client(), BUCKET);
    state_contract::holds(&state).await;
}

#[tokio::test]
async fn a_long_prompt_is_cut_in_the_row_and_whole_in_s3() {
    let dir = tempfile::tempdir().unwrap();
    let twin = twin(dir.path()).await;
    let store = results(&twin);
    let mut g = store_contract::generation("long", 0, &[("a.py", "a = 1\n")]);
    g.prompt = "ä".repeat(2000);
    store.put(&Scope::local(), &g).await.unwrap();
    assert_eq!(store.get(&Scope::local(), "long").await.unwrap().prompt, g.prompt);
    let page = store_contract::page(&store).await;
    let row = page.items.iter().find(|row| row.id == "long").unwrap();
    assert_eq!(row.prompt.len(), 2048);
    let key = "generated-code/python/20261121T204600123Z-long.prompt.txt";
    let object = twin.s3_client().get_object().bucket(BUCKET).key(key).send().await.unwrap();
    assert_eq!(object.body.collect().await.unwrap().to_vec(), g.prompt.as_bytes());
}

#[tokio::test]
async fn a_damaged_object_is_not_returned() {
    let dir = tempfile::tempdir().unwrap();
    let twin = twin(dir.path()).await;
    let store = results(&twin);
    let g = store_contract::generation("hurt", 0, &[("a.py", "a = 1\n")]);
    let stored = store.put(&Scope::local(), &g).await.unwrap();
    let put =
        twin.s3_client().put_object().bucket(BUCKET).key(&stored.s3_key).body(b"a = 2\n".to_vec().into());
    put.send().await.unwrap();
    assert_eq!(store.get(&Scope::local(), "hurt").await.unwrap_err().kind, ErrorKind::Storage);
}
