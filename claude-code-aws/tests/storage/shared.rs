//! Several processes over one table: cache, leases and budget.

use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::clock::SystemClock;
use claude_code_aws::local::{BUCKET, Twin};
use claude_code_aws::testing::{Script, ScriptedProvider};
use claude_code_aws::{BudgetScope, Client, Clock, ErrorKind, GenerateRequest, PicoUsd, Policy};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use super::{HandClock, REVERSE, answering, builder, share, state, twin};

fn process(twin: &Twin, provider: &Arc<ScriptedProvider>, clock: Arc<dyn Clock>, seed: u64) -> Client {
    builder(provider.clone(), clock, seed).with_state(state(twin)).build()
}

fn reverse() -> GenerateRequest {
    GenerateRequest::new("reverse").with_model("haiku")
}

#[tokio::test]
async fn two_processes_with_twenty_five_equal_requests_each_send_once() {
    let (_dir, twin) = twin().await;
    let slow =
        Script([Script::default().wait(Duration::from_millis(300)).0, Script::answer(REVERSE).0].concat());
    let provider = ScriptedProvider::new([slow]);
    let processes = [1, 2].map(|seed| process(&twin, &provider, Arc::new(SystemClock), seed));
    let all = (0..25).flat_map(|_| processes.iter().map(|process| process.generate(reverse()).boxed()));
    let results = futures_util::future::join_all(all).await;
    assert!(results.iter().all(|result| result.as_ref().unwrap().accepted));
    assert_eq!(provider.calls().len(), 1);
    assert_eq!(results.iter().filter(|result| result.as_ref().unwrap().cached.is_none()).count(), 1);
}

#[tokio::test]
async fn a_killed_leader_is_replaced_by_one_when_its_lease_ends() {
    let (_dir, twin) = twin().await;
    let dead = ScriptedProvider::new([Script::text("One.\n\nTwo.\n\nThree.\n\nFour.\n\n").hang()]);
    let alive = answering();
    let clock = HandClock::now();
    let mut leader = process(&twin, &dead, clock.clone(), 1).stream(reverse());
    leader.next().await.unwrap().unwrap();
    std::mem::forget(leader);
    let followers = [2, 3].map(|seed| process(&twin, &alive, clock.clone(), seed));
    let mut waiting: FuturesUnordered<_> =
        (0..10).map(|n| followers[n % 2].generate(reverse()).boxed()).collect();
    let early = tokio::time::timeout(Duration::from_millis(600), waiting.next()).await;
    assert!(early.is_err() && alive.calls().is_empty(), "the lease still runs");
    clock.advance(Duration::from_secs(11));
    while let Some(result) = waiting.next().await {
        assert!(result.unwrap().accepted);
    }
    assert_eq!(alive.calls().len(), 1);
}

#[tokio::test]
async fn an_answer_is_a_hit_for_3599_seconds_and_a_miss_at_3600() {
    let (_dir, twin) = twin().await;
    let provider = answering();
    let clock = HandClock::now();
    process(&twin, &provider, clock.clone(), 1).generate(reverse()).await.unwrap();
    clock.advance(Duration::from_secs(3599));
    // Another process each time: only the table can know.
    let hit = process(&twin, &provider, clock.clone(), 2).generate(reverse()).await.unwrap();
    assert_eq!(hit.cached.unwrap().age_seconds, 3599);
    clock.advance(Duration::from_secs(1));
    assert!(process(&twin, &provider, clock, 3).generate(reverse()).await.unwrap().cached.is_none());
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test]
async fn a_large_answer_is_kept_in_the_bucket_and_a_miss_when_that_has_removed_it() {
    let (_dir, twin) = twin().await;
    let large = format!("```python a.py\n{}```\n", "x = 1  # as long as it takes\n".repeat(8_000));
    let provider = ScriptedProvider::new([Script::answer(&large)]);
    let ask = |seed| {
        let client = process(&twin, &provider, Arc::new(SystemClock), seed);
        async move { client.generate(reverse().without_validation()).await.unwrap() }
    };
    let first = ask(1).await;
    let second = ask(2).await;
    assert!(second.cached.is_some() && second.files == first.files);
    let s3 = twin.s3_client();
    let listed = s3.list_objects_v2().bucket(BUCKET).prefix("cache/").send().await.unwrap();
    let key = listed.contents()[0].key().unwrap();
    s3.put_object().bucket(BUCKET).key(key).body(vec![7; 300_000].into()).send().await.unwrap();
    assert!(ask(3).await.cached.is_none(), "a damaged body is not served");
    s3.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    for object in s3.list_objects_v2().bucket(BUCKET).prefix("cache/").send().await.unwrap().contents() {
        s3.delete_object().bucket(BUCKET).key(object.key().unwrap()).send().await.unwrap();
    }
    assert!(ask(4).await.cached.is_none(), "an expired body is a miss");
    assert!(ask(5).await.cached.is_some(), "and the next answer takes its place");
}

#[tokio::test]
async fn callers_under_a_cap_for_five_send_five_times_over_one_table() {
    let hanging = || ScriptedProvider::new([Script::text(REVERSE).hang()]);
    let task =
        |n: u64| GenerateRequest::new(format!("reverse {n:03}")).with_model("haiku").without_validation();
    let estimates = builder(hanging(), HandClock::now(), 1).build();
    let one = (0..60).map(|n| estimates.estimate(task(n)).unwrap().worst_usd.known()).max().unwrap();
    let policy = Policy { max_usd_per_day: Some(PicoUsd(one.0 * 5)), ..Policy::default() };
    for seed in 0..share(20) {
        let (_dir, twin) = twin().await;
        let provider = hanging();
        let hosts = [1, 2, 3].map(|n| {
            let host = builder(provider.clone(), HandClock::now(), seed * 3 + n);
            host.with_state(state(&twin)).with_policy(policy.clone()).build()
        });
        let mut callers: FuturesUnordered<_> =
            (0..60).map(|n| hosts[n as usize % 3].generate(task(n)).boxed()).collect();
        for _ in 0..55 {
            assert_eq!(callers.next().await.unwrap().unwrap_err().kind(), ErrorKind::Budget);
        }
        assert_eq!(provider.calls().len(), 5);
        let view = hosts[0].budget().await.unwrap();
        assert!(view.reserved <= view.cap.unwrap() && view.reserved > PicoUsd(one.0 * 4));
    }
}

#[tokio::test]
async fn a_stop_in_the_table_is_seen_by_another_host() {
    let (_dir, twin) = twin().await;
    let provider = answering();
    let clock = HandClock::now();
    let [here, there] = [1, 2].map(|seed| process(&twin, &provider, clock.clone(), seed));
    there.generate(reverse()).await.unwrap();
    here.stop_budget(BudgetScope::Everybody).await.unwrap();
    clock.advance(Duration::from_secs(2));
    let error = there.generate(GenerateRequest::new("another")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    here.resume_budget(BudgetScope::Everybody).await.unwrap();
    clock.advance(Duration::from_secs(2));
    assert!(there.generate(GenerateRequest::new("another")).await.is_ok());
    assert_eq!(provider.calls().len(), 2);
}
