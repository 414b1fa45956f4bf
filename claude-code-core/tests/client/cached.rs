use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use claude_code_core::state::memory::MemoryState;
use claude_code_core::store::memory::MemoryStore;
use claude_code_core::store::{Listing, Page, Stored};
use claude_code_core::testing::{Script, ScriptedProvider, SeededIds, TestClock, builder, store_contract};
use claude_code_core::{CacheMode, ClientBuilder, Cost, Event, GenerateRequest, GenerationStore, Scope};
use claude_code_core::{Error, ErrorKind, Generation, PicoUsd};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use tokio::time::{advance, sleep};

use super::{REVERSE, client, throttled};

#[tokio::test(start_paused = true)]
async fn an_accepted_answer_is_served_again_for_an_hour_at_no_cost() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = client(&provider);
    let first = client.generate("reverse").await.unwrap();
    advance(Duration::from_secs(3599)).await;
    let hit = client.generate("reverse").await.unwrap();
    assert_eq!((hit.id, hit.files, hit.cached.unwrap().age_seconds), (first.id, first.files, 3599));
    assert_eq!(hit.receipt.total(), Cost::ZERO);
    assert_eq!(provider.calls().len(), 1);
    advance(Duration::from_secs(1)).await;
    assert_eq!(client.generate("reverse").await.unwrap().cached, None);
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn another_request_is_another_answer() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = client(&provider);
    let requests = [
        GenerateRequest::new("reverse"),
        GenerateRequest::new("reverse "),
        GenerateRequest::new("reverse").with_language("python"),
        GenerateRequest::new("reverse").with_max_tokens(900),
        GenerateRequest::new("reverse").with_instructions("short"),
        GenerateRequest::new("reverse").with_file("a.py", "a"),
        GenerateRequest::new("reverse").with_model("sonnet"),
        GenerateRequest::new("reverse").without_validation(),
    ];
    let count = requests.len();
    for request in requests {
        assert_eq!(client.generate(request).await.unwrap().cached, None);
    }
    assert_eq!(provider.calls().len(), count);
    let other = client.scoped(Scope::authenticated("somebody else"));
    assert_eq!(other.generate("reverse").await.unwrap().cached, None);
}

#[tokio::test(start_paused = true)]
async fn refresh_asks_anew_and_off_keeps_nothing() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = client(&provider);
    let with = |mode| GenerateRequest::new("reverse").with_cache(mode);
    client.generate(with(CacheMode::Off)).await.unwrap();
    assert_eq!(client.generate(with(CacheMode::Use)).await.unwrap().cached, None);
    assert_eq!(client.generate(with(CacheMode::Refresh)).await.unwrap().cached, None);
    assert!(client.generate(with(CacheMode::Use)).await.unwrap().cached.is_some());
    assert_eq!(provider.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn only_accepted_answers_are_kept() {
    let bad = [
        Script::truncated("```py\nhalf"),
        Script::answer(""),
        Script::fail(throttled()),
        Script::text("refused").stop(claude_code_core::provider::StopReason::Refusal),
        Script::answer("```json a.json\n{\"a\": \n```\n"),
    ];
    for script in bad {
        let provider = ScriptedProvider::new([script, Script::answer(REVERSE)]);
        let client = client(&provider);
        let _ = client.generate(GenerateRequest::new("reverse").with_max_sends(1)).await;
        let second = client.generate(GenerateRequest::new("reverse").with_max_sends(1)).await.unwrap();
        assert_eq!(second.cached, None);
        assert_eq!(provider.calls().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hit_replays_as_a_stream_and_writes_no_row() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let store = Arc::new(MemoryStore::default());
    let client = builder(provider).with_store(store.clone()).build();
    client.generate("reverse").await.unwrap();
    assert_eq!(store_contract::page(&*store).await.items.len(), 1);
    let events: Vec<Event> = client.stream("reverse").try_collect().await.unwrap();
    assert!(matches!(&events[0], Event::FileStarted { path: Some(path), .. } if path == "reverse.py"));
    assert!(matches!(events.last(), Some(Event::Finished(g)) if g.cached.is_some() && g.stored));
    assert_eq!(store_contract::page(&*store).await.items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hit_that_is_handed_on_tells_what_was_saved() {
    let client = client(&ScriptedProvider::new([Script::answer(REVERSE)]));
    let cost = client.generate("reverse").await.unwrap().receipt.total().known();
    let all = (0..3).map(|_| client.generate("reverse").boxed());
    for hit in futures_util::future::join_all(all).await {
        let saved = hit.unwrap().receipt.saved.by_response_cache_usd;
        assert_eq!(saved, cost.into());
    }
}

/// A store that is down as often as told, and then works.
#[derive(Debug, Default)]
struct Recovers {
    inner: MemoryStore,
    down: AtomicUsize,
}

#[async_trait::async_trait]
impl GenerationStore for Recovers {
    async fn put(&self, scope: &Scope, generation: &Generation) -> Result<Stored, Error> {
        match self.down.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err(Error::new(ErrorKind::Storage, "the table cannot be reached")),
            Err(_) => self.inner.put(scope, generation).await,
        }
    }

    async fn get(&self, scope: &Scope, id: &str) -> Result<Generation, Error> {
        self.inner.get(scope, id).await
    }

    async fn list(&self, scope: &Scope, listing: &Listing) -> Result<Page, Error> {
        self.inner.list(scope, listing).await
    }

    async fn delete(&self, scope: &Scope, id: &str) -> Result<Option<String>, Error> {
        self.inner.delete(scope, id).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_not_stored_is_stored_by_the_next_request_that_wants_it() {
    for (down, first) in
        [(0, GenerateRequest::new("reverse").without_store()), (1, GenerateRequest::new("reverse"))]
    {
        let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
        let store = Arc::new(Recovers { down: down.into(), ..Recovers::default() });
        let client = builder(provider.clone()).with_store(store.clone()).build();
        let paid = client.generate(first).await.unwrap();
        assert!(!paid.stored);
        let skips = client.generate(GenerateRequest::new("reverse").without_store()).await.unwrap();
        assert!(skips.cached.is_some() && !skips.stored, "who does not want it stored stores nothing");
        for _ in 0..2 {
            let hit = client.generate("reverse").await.unwrap();
            assert_eq!((hit.id.as_str(), hit.stored, hit.stored_problem), (paid.id.as_str(), true, None));
            assert!(hit.cached.is_some() && hit.s3_key.is_some());
        }
        let kept = client.results().unwrap().get(client.scope(), &paid.id).await.unwrap();
        assert_eq!((kept.files, kept.receipt.total()), (paid.files, paid.receipt.total()), "the original");
        advance(Duration::from_secs(3600)).await;
        assert_eq!(client.generate("reverse").await.unwrap().cached, None, "its hour is not begun anew");
        assert_eq!(provider.calls().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_erased_result_is_not_served_again() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let (state, clock) = (Arc::new(MemoryState::default()), Arc::new(TestClock::default()));
    let store = Arc::new(MemoryStore::default());
    let host = |seed| {
        ClientBuilder::new(provider.clone(), clock.clone(), Arc::new(SeededIds::new(seed)))
            .with_state(state.clone())
            .with_store(store.clone())
            .build()
    };
    let (one, two) = (host(1), host(2));
    let g = one.generate("reverse").await.unwrap();
    assert!(one.generate("reverse").await.unwrap().cached.is_some());
    let stranger = two.scoped(Scope::authenticated("somebody else")).erase(&g.id).await;
    assert_eq!(stranger.unwrap_err().kind(), ErrorKind::NotFound);
    one.erase(&g.id).await.unwrap();
    assert_eq!(one.erase(&g.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    let again = two.generate("reverse").await.unwrap();
    assert!(again.cached.is_none() && again.id != g.id);
    let none = client(&provider).erase(&g.id).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_equal_requests_send_once() {
    let provider = ScriptedProvider::new([slow(&Script::answer(REVERSE))]);
    let client = client(&provider);
    let all = (0..1000).map(|_| client.generate("reverse").boxed());
    let results = futures_util::future::join_all(all).await;
    assert_eq!(provider.calls().len(), 1);
    let paid = results.iter().filter(|r| r.as_ref().unwrap().cached.is_none()).count();
    assert_eq!((paid, results.len()), (1, 1000));
    let ids: std::collections::HashSet<_> = results.iter().map(|r| r.as_ref().unwrap().id.clone()).collect();
    assert_eq!(ids.len(), 1);
}

/// An answer after three seconds.
fn slow(answer: &Script) -> Script {
    Script([Script::default().wait(Duration::from_secs(3)).0, answer.0.clone()].concat())
}

#[tokio::test(start_paused = true)]
async fn who_may_pay_send_or_keep_less_waits_for_nobody_elses_answer() {
    let reverse = || GenerateRequest::new("reverse");
    let others = [
        reverse().with_max_usd(PicoUsd::from_usd("0.5").unwrap()),
        reverse().with_max_sends(1),
        reverse().without_store(),
        reverse().with_cache(CacheMode::Refresh),
    ];
    for other in others {
        let provider = ScriptedProvider::new([slow(&Script::answer(REVERSE))]);
        let client = client(&provider);
        let both = futures_util::future::join(client.generate(reverse()), client.generate(other)).await;
        assert!(both.0.unwrap().cached.is_none() && both.1.unwrap().cached.is_none());
        assert_eq!(provider.calls().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_equal_request_keeps_its_own_time() {
    let provider = ScriptedProvider::new([slow(&Script::answer(REVERSE))]);
    let client = client(&provider);
    let hurried = GenerateRequest::new("reverse").with_timeout(Duration::from_secs(2));
    let begun = tokio::time::Instant::now();
    let (first, second) = futures_util::future::join(client.generate("reverse"), async {
        (client.generate(hurried).await, begun.elapsed())
    })
    .await;
    assert_eq!((second.0.unwrap_err().kind(), second.1.as_secs()), (ErrorKind::Timeout, 2));
    assert!(first.unwrap().accepted, "the one that asks goes on");
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_has_more_time_than_the_request_that_asks_does_not_fail_with_it() {
    let provider = ScriptedProvider::new([slow(&Script::answer(REVERSE))]);
    let client = client(&provider);
    let hurried = GenerateRequest::new("reverse").with_timeout(Duration::from_secs(2));
    let (first, second) =
        futures_util::future::join(client.generate(hurried), client.generate("reverse")).await;
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(second.unwrap().accepted);
}

#[tokio::test(start_paused = true)]
async fn a_failure_costs_once_however_many_waited_for_it() {
    let provider = ScriptedProvider::new([slow(&Script::truncated("```py\nhalf"))]);
    let client = client(&provider);
    let all = (0..50).map(|_| client.generate(GenerateRequest::new("reverse").with_max_sends(1)).boxed());
    let failures = futures_util::future::join_all(all).await.into_iter().map(Result::unwrap_err);
    let receipts: Vec<_> = failures.map(|failure| failure.receipt().unwrap().total().known()).collect();
    assert_eq!((receipts.len(), receipts.iter().filter(|cost| **cost > PicoUsd::ZERO).count()), (50, 1));
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_the_leader_leaves_the_next_waiter_drives_on() {
    let slow =
        Script([Script::text("Here.\n").wait(Duration::from_secs(3)).0, Script::answer(REVERSE).0].concat());
    let provider = ScriptedProvider::new([slow]);
    let client = client(&provider);
    let mut leader = client.stream("reverse");
    leader.next().await.unwrap().unwrap();
    let follower = tokio::spawn({
        let client = client.clone();
        async move { client.generate("reverse").await }
    });
    sleep(Duration::from_millis(1)).await;
    drop(leader);
    assert!(follower.await.unwrap().unwrap().accepted);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_the_last_waiter_goes_the_request_is_closed() {
    let provider = ScriptedProvider::new([Script::text("One.\n\nTwo.\n\nThree.\n\nFour.\n\n").hang()]);
    let client = client(&provider);
    let (mut one, mut two) = (client.stream("reverse"), client.stream("reverse"));
    assert!(one.next().await.unwrap().is_ok());
    assert!(two.next().now_or_never().is_none());
    drop(one);
    assert_eq!(provider.open(), 1);
    drop(two);
    assert_eq!(provider.open(), 0);
}

fn process(
    state: &Arc<MemoryState>,
    provider: &Arc<ScriptedProvider>,
    seed: u64,
    clock: &Arc<TestClock>,
) -> claude_code_core::Client {
    ClientBuilder::new(provider.clone(), clock.clone(), Arc::new(SeededIds::new(seed)))
        .with_state(state.clone())
        .build()
}

#[tokio::test(start_paused = true)]
async fn equal_requests_of_several_processes_send_once() {
    let provider = ScriptedProvider::new([slow(&Script::answer(REVERSE))]);
    let (state, clock) = (Arc::new(MemoryState::default()), Arc::new(TestClock::default()));
    let (one, two) = (process(&state, &provider, 1, &clock), process(&state, &provider, 2, &clock));
    let all = (0..25).flat_map(|_| [one.generate("reverse").boxed(), two.generate("reverse").boxed()]);
    let results = futures_util::future::join_all(all).await;
    assert!(results.iter().all(|r| r.as_ref().unwrap().accepted));
    assert_eq!(provider.calls().len(), 1);
}

fn hanging() -> Arc<ScriptedProvider> {
    ScriptedProvider::new([Script::text("One.\n\nTwo.\n\nThree.\n\nFour.\n\n").hang()])
}

#[tokio::test(start_paused = true)]
async fn a_dead_leader_is_replaced_within_seconds_whatever_its_own_time_was() {
    let (dead, alive) = (hanging(), ScriptedProvider::new([Script::answer(REVERSE)]));
    let (state, clock) = (Arc::new(MemoryState::default()), Arc::new(TestClock::default()));
    let mut leader = process(&state, &dead, 1, &clock).stream("reverse");
    leader.next().await.unwrap().unwrap();
    std::mem::forget(leader);
    let begun = tokio::time::Instant::now();
    let g = process(&state, &alive, 2, &clock).generate("reverse").await.unwrap();
    assert!(g.accepted && g.cached.is_none());
    assert!((9..=11).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(alive.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_lives_keeps_its_lease_however_long_its_answer_takes() {
    let slow =
        Script([Script::default().wait(Duration::from_secs(300)).0, Script::answer(REVERSE).0].concat());
    let provider = ScriptedProvider::new([slow]);
    let (state, clock) = (Arc::new(MemoryState::default()), Arc::new(TestClock::default()));
    let all = [1, 2].map(|seed| {
        let process = process(&state, &provider, seed, &clock);
        async move { process.generate("reverse").await.unwrap() }
    });
    let [one, two] = all;
    let (one, two) = futures_util::future::join(one, two).await;
    assert_eq!((one.id == two.id, provider.calls().len()), (true, 1));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_request_that_is_given_back_keeps_nobody_waiting() {
    let (dropped, alive) = (hanging(), ScriptedProvider::new([Script::answer(REVERSE)]));
    let (state, clock) = (Arc::new(MemoryState::default()), Arc::new(TestClock::default()));
    let first = process(&state, &dropped, 1, &clock);
    let mut stream = first.stream("reverse");
    stream.next().await.unwrap().unwrap();
    drop(stream);
    first.release_leases().await;
    let begun = tokio::time::Instant::now();
    assert!(process(&state, &alive, 2, &clock).generate("reverse").await.unwrap().accepted);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}
