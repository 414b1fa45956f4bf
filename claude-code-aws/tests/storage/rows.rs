//! What fits into a row and what goes to the manifest.

use aws_sdk_dynamodb::types::AttributeValue;
use claude_code_aws::local::BUCKET;
use claude_code_aws::testing::store_contract;
use claude_code_aws::{ErrorKind, Generation, GenerationStore, Scope};

use super::{HandClock, TABLE, results, twin};

/// A result of so many files whose paths have so many bytes each.
fn of_long_paths(id: &str, files: usize, bytes: usize) -> Generation {
    let path = |n: usize| {
        let mut path = format!("{n:04}");
        while path.len() < bytes - 3 {
            let part = "d".repeat((bytes - 3 - path.len() - 1).clamp(1, 200));
            path = format!("{path}/{part}");
        }
        format!("{}.py", &path[..bytes - 3])
    };
    let paths: Vec<String> = (0..files).map(path).collect();
    let pairs: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "a = 1\n")).collect();
    store_contract::generation(id, 0, &pairs)
}

#[tokio::test]
async fn five_hundred_long_paths_are_listed_in_the_manifest_and_come_back() {
    let (_dir, twin) = twin().await;
    let clock = HandClock::now();
    let store = results(&twin, &clock);
    let g = of_long_paths("long", 500, 870);
    store.put(&Scope::local(), &g).await.unwrap();
    let row = twin.dynamodb_client().get_item().table_name(TABLE).key("id", AttributeValue::S("long".into()));
    let row = row.send().await.unwrap().item.unwrap();
    assert!(!row.contains_key("files"));
    assert_eq!(row["files_in_manifest"], AttributeValue::N("500".into()));
    let kept = store.get(&Scope::local(), "long").await.unwrap();
    assert!(kept.files == g.files);
    let links = store.download(&Scope::local(), "long").await.unwrap();
    assert!(links.len() == 500 && links[499].path == *g.files[499].path.as_ref().unwrap());
    store.delete(&Scope::local(), "long").await.unwrap();
    let left =
        twin.s3_client().list_objects_v2().bucket(BUCKET).prefix("generated-code/").send().await.unwrap();
    assert_eq!(left.key_count(), Some(0), "a spilled list is read before its row goes");
}

/// A row's entry of a file: its path and about 100 bytes of hash, size, names and overhead. 440 of them stand on either side
/// of the limit; to the byte `row.rs` tests it.
#[tokio::test]
async fn rows_just_under_and_just_over_400_kb_are_stored_and_only_the_larger_one_spills() {
    let (_dir, twin) = twin().await;
    let dynamodb = twin.dynamodb_client();
    let store = results(&twin, &HandClock::now());
    for (bytes, inline) in [(820, true), (844, false)] {
        let g = of_long_paths(&format!("edge{bytes}"), 440, bytes);
        store.put(&Scope::local(), &g).await.unwrap();
        let row = dynamodb.get_item().table_name(TABLE).key("id", AttributeValue::S(g.id.clone()));
        let row = row.send().await.unwrap().item.unwrap();
        assert_eq!(row.contains_key("files"), inline, "440 paths of {bytes} bytes");
    }
}

#[tokio::test]
async fn a_row_that_is_too_large_even_so_is_refused_before_it_is_sent() {
    let (_dir, twin) = twin().await;
    let store = results(&twin, &HandClock::now());
    let mut g = store_contract::generation("huge", 0, &[("a.py", "a = 1\n")]);
    g.model = "m".repeat(410_000);
    let error = store.put(&Scope::local(), &g).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("409600 are allowed"), "{error}");
}

#[tokio::test]
async fn metadata_is_ascii_whatever_the_id_is() {
    let (_dir, twin) = twin().await;
    let store = results(&twin, &HandClock::now());
    let g = store_contract::generation("größe", 0, &[("a.py", "a = 1\n")]);
    let stored = store.put(&Scope::local(), &g).await.unwrap();
    let head = twin.s3_client().head_object().bucket(BUCKET).key(stored.s3_key).send().await.unwrap();
    let metadata = head.metadata().unwrap();
    assert_eq!(metadata["id"], "gr%C3%B6%C3%9Fe");
    assert!(metadata.values().all(|value| value.is_ascii()));
}
