//! A batch with a journal: what an earlier run has paid for is given and not asked for again.

use std::io::Write;
use std::sync::Arc;

use claude_code_aws::clock::{SystemClock, SystemIds};
use claude_code_aws::files::batch_journal::{Entry, Journal, Look};
use claude_code_aws::files::batch_manifest::{Key, Manifest};
use claude_code_core::provider::{Billing, ProviderError};
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{Client, ClientBuilder, ErrorKind, GenerateRequest};
use futures_util::StreamExt;

const HELLO: &str = "```python hello.py\nprint('hello')\n```\n";

fn client(provider: &Arc<ScriptedProvider>) -> Client {
    ClientBuilder::new(provider.clone(), Arc::new(SystemClock), Arc::new(SystemIds)).build()
}

fn requests(prompts: &[&str]) -> Vec<GenerateRequest> {
    prompts.iter().map(|prompt| GenerateRequest::new(*prompt)).collect()
}

async fn entries(
    path: &std::path::Path,
    provider: &Arc<ScriptedProvider>,
    prompts: &[&str],
) -> Vec<(usize, bool)> {
    let batch = Journal::open(path).unwrap().batch(&client(provider), requests(prompts), 4);
    let mut entries: Vec<Entry> = batch.collect().await;
    entries.sort_by_key(|entry| entry.item.index);
    assert!(entries.iter().all(|entry| entry.item.result.as_ref().is_ok_and(|answer| answer.accepted)));
    entries.iter().map(|entry| (entry.item.index, entry.resumed)).collect()
}

#[tokio::test]
async fn a_journal_gives_what_it_has_and_sends_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let provider = ScriptedProvider::new([Script::answer(HELLO)]);
    assert_eq!(entries(&path, &provider, &["a", "b"]).await, [(0, false), (1, false)]);
    // A kill in the middle of a line.
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"key\":\"01").unwrap();
    drop(file);
    assert_eq!(entries(&path, &provider, &["b", "c", "a"]).await, [(0, true), (1, false), (2, true)]);
    assert_eq!(provider.calls().len(), 3);
    let lines = std::fs::read_to_string(&path).unwrap();
    assert!(lines.lines().count() == 3 && lines.ends_with('\n'), "{lines}");
}

#[tokio::test]
async fn a_failure_is_not_kept_and_an_open_journal_is_refused_to_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let refused = ProviderError::new(ErrorKind::InvalidRequest, Billing::No, "no");
    let provider = ScriptedProvider::new([Script::fail(refused), Script::answer(HELLO)]);
    let batch = Journal::open(&path).unwrap().batch(&client(&provider), requests(&["a"]), 1);
    assert_eq!(Journal::open(&path).unwrap_err().kind(), ErrorKind::Conflict);
    let failed: Vec<Entry> = batch.collect().await;
    assert_eq!(failed[0].item.result.as_ref().unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert_eq!(entries(&path, &provider, &["a"]).await, [(0, false)]);
}

#[tokio::test]
async fn an_answer_without_the_end_of_its_line_is_kept_and_the_next_one_begins_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let provider = ScriptedProvider::new([Script::answer(HELLO)]);
    entries(&path, &provider, &["a"]).await;
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.trim_end()).unwrap();
    assert_eq!(entries(&path, &provider, &["a", "b"]).await, [(0, true), (1, false)]);
    assert_eq!(entries(&path, &provider, &["a", "b"]).await, [(0, true), (1, true)]);
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test]
async fn each_repeat_of_a_request_has_an_answer_of_its_own_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let provider = ScriptedProvider::new([Script::answer(HELLO)]);
    assert_eq!(entries(&path, &provider, &["a", "a", "a"]).await, [(0, false), (1, false), (2, false)]);
    assert_eq!(provider.calls().len(), 1, "equal requests are sent once");
    let paid = |path| {
        let batch = Journal::open(path).unwrap().batch(&client(&provider), requests(&["a", "a", "a"]), 4);
        batch.map(|entry| entry.item.result.unwrap().receipt.total().known().0).collect::<Vec<u64>>()
    };
    let costs = paid(&path).await;
    assert_eq!(costs.iter().filter(|cost| **cost > 0).count(), 1, "one is paid for: {costs:?}");
}

#[tokio::test]
async fn a_repeat_of_a_journalled_request_shares_its_answer_and_is_not_paid_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let provider = ScriptedProvider::new([Script::answer(HELLO)]);
    entries(&path, &provider, &["a"]).await;
    assert_eq!(entries(&path, &provider, &["b", "a", "a"]).await, [(0, false), (1, true), (2, true)]);
    assert_eq!(provider.calls().len(), 2);
    let mut batch = Journal::open(&path).unwrap().batch(&client(&provider), requests(&["a", "a"]), 1);
    let (first, repeat) = (batch.next().await.unwrap(), batch.next().await.unwrap());
    let of = |entry: &Entry| entry.item.result.as_ref().unwrap().receipt.total().known().0;
    assert!(of(&first) > 0 && of(&repeat) == 0, "{} and {}", of(&first), of(&repeat));
    drop(batch);
    // One that keeps off the cache wants an answer of its own.
    let mut alone = requests(&["a", "a"]);
    alone[1].cache = claude_code_core::CacheMode::Off;
    let batch = Journal::open(&path).unwrap().batch(&client(&provider), alone, 1);
    assert_eq!(batch.map(|entry| entry.resumed).collect::<Vec<_>>().await, [true, false]);
    assert_eq!(provider.calls().len(), 3);
}

#[tokio::test]
async fn a_look_counts_repeats_of_an_answered_request_as_answered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let provider = ScriptedProvider::new([Script::answer(HELLO)]);
    let mut journal = Journal::open(&path).unwrap();
    let keys: Vec<Key> = requests(&["a", "a", "b"]).iter().map(Key::of).collect();
    journal.begin(Manifest::new("id", &keys)).unwrap();
    let mut batch = journal.batch(&client(&provider), requests(&["a", "a", "b"]), 1);
    batch.next().await.unwrap();
    let look = Look::at(&path).unwrap();
    assert_eq!((look.requests, look.answers), (3, 2));
}

#[tokio::test]
async fn a_look_at_an_open_journal_changes_nothing_and_tells_how_far_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let provider = ScriptedProvider::new([Script::answer(HELLO)]);
    let mut journal = Journal::open(&path).unwrap();
    let keys: Vec<Key> = requests(&["a", "b"]).iter().map(Key::of).collect();
    journal.begin(Manifest::new("id", &keys)).unwrap();
    let mut batch = journal.batch(&client(&provider), requests(&["a", "b"]), 1);
    batch.next().await.unwrap();
    let look = Look::at(&path).unwrap();
    assert_eq!((look.requests, look.answers, look.is_open), (2, 1, true));
    drop(batch);
    assert!(!Look::at(&path).unwrap().is_open);
    assert_eq!(Journal::open(&path).unwrap().manifest().unwrap().batch, "id");
}

#[test]
fn a_manifest_tells_what_is_new_and_what_is_gone() {
    let keys = |prompts: &[&str]| requests(prompts).iter().map(Key::of).collect::<Vec<_>>();
    let before = Manifest::new("id", &keys(&["a", "b", "c"]));
    let after = Manifest::new("id", &keys(&["b", "c", "d", "e"]));
    assert_eq!(after.difference(&before), (2, 1));
    assert_eq!(after.difference(&after), (0, 0));
}
