use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use claude_code_core::provider::{ModelCall, ModelEvent, ProviderError, StopReason};
use claude_code_core::state::memory::MemoryState;
use claude_code_core::state::{
    AddError, Addition, Counters, OnlyIf, PutError, StateKey, StateKind, Versioned,
};
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{
    CacheMode, Error, ErrorKind, GenerateRequest, ModelProvider, Policy, Scope, StateStore, Usage, UtcMillis,
};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::advance;

use super::{Chance, Jittery, REVERSE, cut, on, share};

/// Answers every send with its number.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl ModelProvider for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn stream(&self, _: ModelCall) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
        let n = self.0.fetch_add(1, Ordering::SeqCst);
        let stop = ModelEvent::Stop { reason: StopReason::EndTurn, detail: None };
        let text = ModelEvent::Text(format!("```python a.py\nn = {n}\n```\n"));
        futures_util::stream::iter([Ok(text), Ok(stop), Ok(ModelEvent::Usage(Usage::new(9, 9)))]).boxed()
    }
}

/// Scopes that would be one if keys were only joined: separators, escapes, prefixes, empty ones.
const SCOPES: [&str; 6] = ["a", "a#b", "a%23b", "", "%", "%all"];

#[tokio::test(start_paused = true)]
async fn no_scope_ever_gets_anothers_answer() {
    let provider = Arc::new(Counting::default());
    let state = Arc::new(MemoryState::default());
    let clients = [1, 2].map(|_| on(&provider, state.clone(), Policy::default()));
    let (chance, started) = (Chance::new(7), tokio::time::Instant::now());
    // Another process may still hold an answer that one has refreshed: every one within its hour is right.
    let mut model: HashMap<(usize, u64), Vec<(String, Duration)>> = HashMap::new();
    let operations = share(100_000);
    let (mut hits, mut misses) = (0, 0);
    for _ in 0..operations {
        let (who, what) = (chance.below(6) as usize, chance.below(4));
        let client = clients[chance.below(2) as usize].scoped(Scope::authenticated(SCOPES[who]));
        let mode =
            [CacheMode::Use, CacheMode::Use, CacheMode::Use, CacheMode::Refresh][chance.below(4) as usize];
        advance(Duration::from_secs(chance.below(240))).await;
        let now = started.elapsed();
        let request = GenerateRequest::new(format!("task {what}"))
            .with_model("haiku")
            .without_validation()
            .with_cache(mode);
        let g = client.generate(request).await.unwrap();
        let code = g.code().unwrap().to_owned();
        let known = model.entry((who, what)).or_default();
        known.retain(|(_, until)| now < *until);
        let hit = mode == CacheMode::Use && !known.is_empty();
        assert_eq!(g.cached.is_some(), hit, "{:?}", SCOPES[who]);
        if hit {
            hits += 1;
            assert!(known.iter().any(|(right, _)| *right == code), "{:?}", SCOPES[who]);
        } else {
            misses += 1;
            known.push((code, now + Duration::from_secs(3600)));
        }
    }
    assert!(hits > operations / 10 && misses > operations / 10);
    println!("{operations} operations: {hits} hits, {misses} misses, 0 across scopes");
}

/// State that gives back damaged or swapped answers once told to.
#[derive(Debug, Default)]
struct Tampered {
    inner: MemoryState,
    flips: AtomicBool,
    swaps: AtomicBool,
    first: std::sync::Mutex<Option<Versioned>>,
}

#[async_trait::async_trait]
impl StateStore for Tampered {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        let mut found = self.inner.get(key).await?;
        if let (StateKind::Cache, Some(found)) = (key.kind, &mut found) {
            if self.flips.load(Ordering::SeqCst) {
                let text = String::from_utf8(found.value.clone()).unwrap();
                found.value = text.replace("[::-1]", "[::-2]").into_bytes();
            }
            if self.swaps.load(Ordering::SeqCst) {
                found.value = self.first.lock().unwrap().clone().unwrap().value;
            }
        }
        Ok(found)
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        until: UtcMillis,
        if_: OnlyIf,
    ) -> Result<u64, PutError> {
        if key.kind == StateKind::Cache {
            let kept = Versioned { value: value.clone(), version: 1, expires_at: until };
            self.first.lock().unwrap().get_or_insert(kept);
        }
        self.inner.put(key, value, until, if_).await
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        self.inner.add(key, addition).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_answer_is_a_miss() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let state = Arc::new(Tampered::default());
    let process = || on(&provider, state.clone(), Policy::default());
    process().generate("reverse").await.unwrap();
    assert!(process().generate("reverse").await.unwrap().cached.is_some());
    state.flips.store(true, Ordering::SeqCst);
    let g = process().generate("reverse").await.unwrap();
    assert!(g.cached.is_none() && g.files[0].content.contains("[::-1]"));
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_under_another_requests_key_is_a_miss() {
    let provider = Arc::new(Counting::default());
    let state = Arc::new(Tampered::default());
    let process = || on(&provider, state.clone(), Policy::default());
    process().generate("one").await.unwrap();
    process().generate("two").await.unwrap();
    state.swaps.store(true, Ordering::SeqCst);
    assert!(process().generate("one").await.unwrap().cached.is_some(), "its own answer is a hit");
    assert!(process().generate("two").await.unwrap().cached.is_none());
}

#[tokio::test(start_paused = true)]
async fn five_kinds_of_bad_outcome_store_nothing_in_shared_state() {
    let bad = [
        Script::truncated("```py\nhalf"),
        Script::answer(""),
        Script::text("```python a.py\nx = 1\n").then_fail(cut()),
        Script::text("no").stop(StopReason::Refusal),
        Script::answer("```json a.json\n{\"a\": \n```\n"),
    ];
    for script in bad {
        let provider = ScriptedProvider::new([script]);
        let state = Arc::new(Tampered::default());
        let client = on(&provider, state.clone(), Policy::default());
        let _ = client.generate(GenerateRequest::new("reverse").with_max_sends(1)).await;
        assert!(state.first.lock().unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_another_process_until_its_own_time_was_over_sends_nothing() {
    for seed in 0..20 {
        let hanging = ScriptedProvider::new([Script::text(REVERSE).hang()]);
        let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
        let state = Arc::new(Jittery(MemoryState::default(), Chance::new(seed)));
        let leader = on(&hanging, state.clone(), Policy::default());
        let leading = tokio::spawn(async move { leader.generate("reverse").await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        let hurried = GenerateRequest::new("reverse").with_timeout(Duration::from_secs(20));
        // The scripted providers share a name, and with it the key.
        let error = on(&provider, state, Policy::default()).generate(hurried).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(provider.calls().is_empty(), "a send without time left would only be paid for");
        assert!(!leading.is_finished());
        leading.abort();
    }
}

/// A reader so slow that its request outlives its lease: the answer of the process that took over stays.
#[tokio::test(start_paused = true)]
async fn a_leader_that_lost_its_lease_does_not_overwrite_the_next_ones_answer() {
    let provider = Arc::new(Counting::default());
    let state = Arc::new(MemoryState::default());
    let [first, second, third] = [1, 2, 3].map(|_| on(&provider, state.clone(), Policy::default()));
    let request = || GenerateRequest::new("reverse").with_timeout(Duration::from_secs(60));
    let mut slow = first.stream(request());
    slow.next().await.unwrap().unwrap();
    advance(Duration::from_secs(62)).await;
    let second = second.generate(request()).await.unwrap();
    assert_eq!((second.cached, second.code().unwrap()), (None, "n = 1\n"));
    let mut last = None;
    while let Some(event) = slow.next().await {
        last = Some(event.unwrap());
    }
    assert!(matches!(last, Some(claude_code_core::Event::Finished(g)) if g.code().unwrap() == "n = 0\n"));
    let third = third.generate(request()).await.unwrap();
    assert_eq!((third.cached.is_some(), third.code().unwrap()), (true, "n = 1\n"));
}

/// State whose every conditional put is made, its reply lost, and then made again, as the SDK would.
#[derive(Debug, Default)]
struct Repeating(MemoryState);

#[async_trait::async_trait]
impl StateStore for Repeating {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        self.0.get(key).await
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        until: UtcMillis,
        if_: OnlyIf,
    ) -> Result<u64, PutError> {
        self.0.put(key, value.clone(), until, if_).await?;
        self.0.put(key, value, until, if_).await
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        self.0.add(key, addition).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_reply_was_lost_locks_nobody_out() {
    let (provider, begun) = (Arc::new(Counting::default()), tokio::time::Instant::now());
    let state = Arc::new(Repeating::default());
    for mode in [CacheMode::Use, CacheMode::Refresh] {
        let client = on(&provider, state.clone(), Policy::default());
        assert!(client.generate(GenerateRequest::new("reverse").with_cache(mode)).await.unwrap().accepted);
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn answers_of_two_servers_or_scripts_are_never_one() {
    let (provider, state) = (Arc::new(Counting::default()), Arc::new(MemoryState::default()));
    let from = |name: &str| Policy { answers_from: name.to_owned(), ..Policy::default() };
    for name in ["", "a", "b"] {
        for n in 0..2 {
            let g = on(&provider, state.clone(), from(name)).generate("reverse").await.unwrap();
            assert_eq!(g.cached.is_some(), n == 1, "{name:?}");
        }
    }
}
