use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use claude_code_core::provider::{Billing, ProviderError};
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{CacheMode, ErrorKind, GenerateRequest};
use futures_util::StreamExt;

use super::{REVERSE, client};

/// Tasks that are all different, so that each is sent.
fn tasks(count: usize) -> Vec<GenerateRequest> {
    (0..count).map(|n| GenerateRequest::new(format!("task {n}"))).collect()
}

#[tokio::test(start_paused = true)]
async fn every_request_of_a_batch_is_answered_under_its_index() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let mut indices: Vec<usize> = client(&provider).batch(tasks(5), 2).map(|item| item.index).collect().await;
    indices.sort_unstable();
    assert_eq!((indices, provider.calls().len()), (vec![0, 1, 2, 3, 4], 5));
}

#[tokio::test(start_paused = true)]
async fn no_more_of_a_batch_than_asked_for_is_under_way() {
    let provider = ScriptedProvider::new([Script(Vec::new()).hang()]);
    let mut batch = client(&provider).batch(tasks(10), 3);
    assert!(tokio::time::timeout(Duration::from_millis(1), batch.next()).await.is_err());
    assert_eq!((provider.calls().len(), provider.open()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_a_batch_is_that_items_own() {
    let refused = ProviderError::new(ErrorKind::AccessDenied, Billing::No, "no access");
    let provider =
        ScriptedProvider::new([Script::answer(REVERSE), Script::fail(refused), Script::answer(REVERSE)]);
    let one_model = |request: GenerateRequest| request.with_model("haiku");
    let results: Vec<_> = client(&provider).batch(tasks(3).into_iter().map(one_model), 1).collect().await;
    let kinds: Vec<_> = results.into_iter().map(|item| item.result.err().map(|error| error.kind())).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::AccessDenied), None]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_takes_its_requests_as_there_is_room_for_them() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = taken.clone();
    let requests = tasks(100).into_iter().inspect(move |_| _ = counted.fetch_add(1, Ordering::Relaxed));
    let mut batch = client(&provider).batch(requests, 4);
    assert_eq!(taken.load(Ordering::Relaxed), 0, "nothing before the first poll");
    batch.next().await.unwrap();
    assert!(taken.load(Ordering::Relaxed) <= 5);
    drop(batch);
    assert_eq!(provider.open(), 0, "dropping it closes what is under way");
}

#[tokio::test(start_paused = true)]
async fn equal_requests_of_a_batch_are_sent_once() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let equal = vec![GenerateRequest::new("the same").with_cache(CacheMode::Use); 8];
    let items: Vec<_> = client(&provider).batch(equal, 8).collect().await;
    assert!(items.iter().all(|item| item.result.is_ok()));
    assert_eq!((items.len(), provider.calls().len()), (8, 1));
}
