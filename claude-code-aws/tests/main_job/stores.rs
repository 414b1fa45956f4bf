use std::sync::Arc;

use claude_code_aws::clock::SystemClock;
use claude_code_aws::local::{self, BUCKET, Twin};
use claude_code_aws::state::{Addition, Counters, StateKey, StateKind, StateStore};
use claude_code_aws::storage::dynamodb::DynamoState;
use claude_code_aws::storage::results::AwsResults;
use claude_code_aws::testing::{TestClock, state_contract, store_contract};
use claude_code_aws::{Clock, ErrorKind, GenerationStore, Scope};

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
async fn results_on_the_disk_hold_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let client = local::open(dir.path()).await.unwrap();
    store_contract::holds(&**client.results().unwrap()).await;
}

#[tokio::test]
async fn state_on_sqlite_holds_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let twin = Twin::open(dir.path()).unwrap();
    state_contract::holds(twin.engines().state().await.unwrap()).await;
}

#[tokio::test]
async fn state_is_one_for_all_that_open_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let twins = [Twin::open(dir.path()).unwrap(), Twin::open(dir.path()).unwrap()];
    let states = [twins[0].engines().state().await.unwrap(), twins[1].engines().state().await.unwrap()];
    let key = StateKey::new(StateKind::Budget, &Scope::local(), "day");
    let one = |n: usize| {
        let (state, key) = (states[n % 2], key.clone());
        async move {
            let addition = Addition {
                initial: Counters::from([("left".into(), 100)]),
                deltas: Counters::from([("left".into(), -1)]),
                floors: Counters::from([("left".into(), 0)]),
                expires_at: SystemClock.now().plus(std::time::Duration::from_secs(60)),
                ..Addition::default()
            };
            state.add(&key, addition).await
        }
    };
    let done = futures_util::future::join_all((0..300).map(one)).await;
    assert_eq!(done.iter().filter(|added| added.is_ok()).count(), 100);
}

/// The disk writes past the wire what the wire would have written: the same objects, the same row.
#[tokio::test]
async fn a_result_on_the_disk_reads_over_s3_and_dynamodb_as_if_it_had_come_that_way() {
    let dir = tempfile::tempdir().unwrap();
    let client = local::open(dir.path()).await.unwrap();
    let twin = Twin::open(dir.path()).unwrap();
    let (s3, dynamodb) = (twin.s3_client(), twin.dynamodb_client());
    let mut told = Vec::new();
    for (id, store) in
        [("direct", &**client.results().unwrap()), ("wired", &results(&twin) as &dyn GenerationStore)]
    {
        let mut g = store_contract::generation(id, 0, &[("a.py", "a = 1\n"), ("ä.py", "b = 2\n")]);
        g.prompt = "ä".repeat(2000);
        store.put(&Scope::local(), &g).await.unwrap();
        let prefix = format!("generated-code/python/20261121T204600123Z-{id}");
        let listed = s3.list_objects_v2().bucket(BUCKET).prefix(&prefix).send().await.unwrap();
        let mut objects = Vec::new();
        for object in listed.contents() {
            let got = s3.get_object().bucket(BUCKET).key(object.key().unwrap()).send().await.unwrap();
            let mut metadata: Vec<_> = got.metadata().unwrap().clone().into_iter().collect();
            metadata.sort();
            let about =
                (object.key().unwrap().replace(id, ""), got.content_type().map(str::to_owned), metadata);
            objects
                .push(format!("{about:?} {:?}", got.body.collect().await.unwrap().to_vec()).replace(id, ""));
        }
        assert_eq!(objects.len(), 4);
        let id_of = aws_sdk_dynamodb::types::AttributeValue::S(id.into());
        let row =
            dynamodb.get_item().table_name("claude-code-results").key("id", id_of).send().await.unwrap();
        let row: std::collections::BTreeMap<_, _> = row.item.unwrap().into_iter().collect();
        // Hashes of the manifest, where the id is inside, differ.
        let objects: Vec<String> = objects.iter().map(|text| without_hash_of_manifest(text)).collect();
        told.push((objects, format!("{row:?}").replace(id, "").len()));
    }
    assert_eq!(told[0].0, told[1].0);
    assert_eq!(told[0].1, told[1].1);
}

fn without_hash_of_manifest(object: &str) -> String {
    match object.contains("manifest") {
        true => object.split("sha256").next().unwrap_or_default().to_owned(),
        false => object.to_owned(),
    }
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
    assert_eq!(store.get(&Scope::local(), "hurt").await.unwrap_err().kind(), ErrorKind::Storage);
}
