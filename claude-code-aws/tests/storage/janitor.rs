use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use claude_code_aws::local::{BUCKET, Twin};
use claude_code_aws::storage::sweep::Janitor;
use claude_code_aws::testing::store_contract;
use claude_code_aws::{GenerationStore, Scope};

use super::{HandClock, TABLE, results, state, twin};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn keys(twin: &Twin) -> Vec<String> {
    let listed = twin.s3_client().list_objects_v2().bucket(BUCKET).send().await.unwrap();
    listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
}

/// Two results, and what two others left behind whose rows never came: one of one file, one of several.
async fn littered(twin: &Twin, clock: &Arc<HandClock>) -> Vec<String> {
    let store = results(twin, clock);
    for (id, files) in [
        ("01-kept", vec![("a.py", "a\n")]),
        ("02-kept", vec![("app/a.b.py", "a\n"), ("b.py", "b\n")]),
        ("03-lost", vec![("a.py", "a\n")]),
        ("04-lost", vec![("app/deep/a.py", "a\n"), ("b.py", "b\n")]),
    ] {
        let mut g = store_contract::generation(id, 0, &files);
        g.prompt = "long ".repeat(600);
        store.put(&Scope::authenticated("somebody"), &g).await.unwrap();
        if id.ends_with("lost") {
            let key = AttributeValue::S(id.to_owned());
            twin.dynamodb_client().delete_item().table_name(TABLE).key("id", key).send().await.unwrap();
        }
    }
    keys(twin).await.into_iter().filter(|key| key.contains("-lost")).collect()
}

#[tokio::test]
async fn objects_without_a_row_go_after_a_day_and_all_others_stay() {
    let (_dir, twin) = twin().await;
    let clock = HandClock::now();
    let lost = littered(&twin, &clock).await;
    assert_eq!(lost.len(), 7, "three of a single file, four of two files: {lost:?}");
    let before = keys(&twin).await;
    let janitor = Janitor::new(results(&twin, &clock));

    clock.advance(DAY - Duration::from_secs(60));
    let swept = janitor.sweep().await.unwrap();
    assert_eq!((swept.young, swept.orphans.len()), (before.len() as u64, 0));
    assert_eq!(keys(&twin).await, before, "nothing younger than a day is touched");

    clock.advance(Duration::from_secs(120));
    let looked = janitor.look().await.unwrap();
    assert_eq!((looked.orphans.len(), looked.with_row), (7, 7));
    assert_eq!(keys(&twin).await, before, "looking removes nothing");

    let swept = janitor.sweep().await.unwrap();
    assert_eq!(swept, looked);
    let mut orphans = swept.orphans.clone();
    orphans.sort();
    assert_eq!(orphans, lost);
    let left: Vec<String> = before.into_iter().filter(|key| !lost.contains(key)).collect();
    assert_eq!(keys(&twin).await, left);
    assert!(janitor.sweep().await.unwrap().orphans.is_empty());
}

#[tokio::test]
async fn a_row_that_came_after_all_keeps_its_objects() {
    let (_dir, twin) = twin().await;
    let clock = HandClock::now();
    littered(&twin, &clock).await;
    clock.advance(DAY * 2);
    let janitor = Janitor::new(results(&twin, &clock));
    assert_eq!(janitor.look().await.unwrap().orphans.len(), 7);
    // The put is repeated: its objects are there, by their bytes, and only the row is new.
    let mut late = store_contract::generation("03-lost", 0, &[("a.py", "a\n")]);
    late.prompt = "long ".repeat(600);
    results(&twin, &clock).put(&Scope::authenticated("somebody"), &late).await.unwrap();
    assert_eq!(janitor.sweep().await.unwrap().orphans.len(), 4);
    assert!(
        results(&twin, &HandClock::now()).get(&Scope::authenticated("somebody"), "03-lost").await.is_ok()
    );
}

#[tokio::test]
async fn large_values_of_state_go_after_a_day_and_foreign_names_stay() {
    use claude_code_aws::StateStore;
    use claude_code_aws::state::{OnlyIf, StateKey, StateKind};
    let (_dir, twin) = twin().await;
    let clock = HandClock::now();
    let key = StateKey::new(StateKind::Cache, &Scope::local(), "large");
    let until = claude_code_aws::Clock::now(&*clock).plus(DAY);
    state(&twin).put(&key, vec![7; 200_000], until, OnlyIf::Any).await.unwrap();
    let foreign = "generated-code/notes.txt";
    twin.s3_client().put_object().bucket(BUCKET).key(foreign).body(vec![1].into()).send().await.unwrap();
    clock.advance(DAY * 2);
    let swept = Janitor::new(results(&twin, &clock)).sweep().await.unwrap();
    assert_eq!((swept.orphans.len(), swept.bytes), (1, 200_000));
    assert_eq!(keys(&twin).await, [foreign]);
    assert_eq!(state(&twin).get(&key).await.unwrap(), None, "a value without its body is absent");
}
