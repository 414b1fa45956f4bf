//! What goes on and what stops when a part of the shared state cannot be reached, or does not answer.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use claude_code_core::state::memory::MemoryState;
use claude_code_core::state::{
    AddError, Addition, Counters, OnlyIf, PutError, StateKey, StateKind, Versioned,
};
use claude_code_core::store::{Listing, Page, Stored};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{
    ClientBuilder, Error, ErrorKind, Generation, GenerationStore, Policy, Scope, StateStore, UtcMillis,
};

use super::{REVERSE, capped, on, on_haiku};

/// State of which some kinds cannot be reached.
#[derive(Debug)]
struct Partly {
    inner: MemoryState,
    down: &'static [StateKind],
}

impl Partly {
    fn reach(&self, key: &StateKey) -> Result<(), Error> {
        match self.down.contains(&key.kind) {
            true => Err(Error::new(ErrorKind::Storage, "the table cannot be reached")),
            false => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl StateStore for Partly {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        self.reach(key)?;
        self.inner.get(key).await
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        until: UtcMillis,
        if_: OnlyIf,
    ) -> Result<u64, PutError> {
        self.reach(key)?;
        self.inner.put(key, value, until, if_).await
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        self.reach(key)?;
        self.inner.add(key, addition).await
    }
}

/// State whose counters alone cannot be reached: the sign that stops all sending still can.
#[derive(Debug, Default)]
struct NoCounters(MemoryState);

#[async_trait::async_trait]
impl StateStore for NoCounters {
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
        self.0.put(key, value, until, if_).await
    }

    async fn add(&self, _: &StateKey, _: Addition) -> Result<Counters, AddError> {
        Err(AddError::Store(Error::new(ErrorKind::Storage, "the table cannot be reached")))
    }
}

fn answering() -> Arc<ScriptedProvider> {
    ScriptedProvider::new([Script::answer(REVERSE)])
}

#[tokio::test(start_paused = true)]
async fn with_a_cap_nothing_is_sent_while_the_ledger_cannot_count() {
    let provider = answering();
    let error = on(&provider, Arc::new(NoCounters::default()), capped(10)).generate(on_haiku(1)).await;
    assert_eq!((error.unwrap_err().kind(), provider.calls().len()), (ErrorKind::Storage, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_cap_a_ledger_that_cannot_count_stops_nobody() {
    let provider = answering();
    let client = on(&provider, Arc::new(NoCounters::default()), Policy::default());
    assert!(client.generate(on_haiku(1)).await.unwrap().accepted);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_given_while_cache_and_leases_cannot_be_reached() {
    let provider = answering();
    let state = Partly { inner: MemoryState::default(), down: &[StateKind::Cache, StateKind::Lease] };
    let client = on(&provider, Arc::new(state), capped(10));
    assert!(client.generate(on_haiku(1)).await.unwrap().accepted);
    assert_eq!(provider.calls().len(), 1);
}

/// State that answers for some time, and then never again.
#[derive(Debug, Default)]
struct Hangs {
    inner: MemoryState,
    hangs: AtomicBool,
}

impl Hangs {
    fn from_now_on() -> Arc<Self> {
        Arc::new(Hangs { hangs: true.into(), ..Hangs::default() })
    }

    async fn reach(&self) {
        if self.hangs.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }
}

#[async_trait::async_trait]
impl StateStore for Hangs {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        self.reach().await;
        self.inner.get(key).await
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        until: UtcMillis,
        if_: OnlyIf,
    ) -> Result<u64, PutError> {
        self.reach().await;
        self.inner.put(key, value, until, if_).await
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        self.reach().await;
        self.inner.add(key, addition).await
    }
}

#[tokio::test(start_paused = true)]
async fn state_that_never_answers_costs_an_uncapped_request_a_part_of_its_time() {
    for seconds in [5, 900] {
        let (provider, begun) = (answering(), tokio::time::Instant::now());
        let request = on_haiku(1).with_timeout(Duration::from_secs(seconds));
        let g = on(&provider, Hangs::from_now_on(), Policy::default()).generate(request).await.unwrap();
        assert!(
            g.accepted && begun.elapsed() <= Duration::from_secs(seconds.min(45)),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_cap_state_that_never_answers_is_an_error_within_the_requests_time() {
    let (provider, begun) = (answering(), tokio::time::Instant::now());
    let request = on_haiku(1).with_timeout(Duration::from_secs(5));
    let error = on(&provider, Hangs::from_now_on(), capped(10)).generate(request).await.unwrap_err();
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::Storage, 0), "{error}");
    assert!(begun.elapsed() <= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn state_that_stops_answering_after_the_send_keeps_no_paid_answer_back() {
    let (state, provider) = (Arc::new(Hangs::default()), answering());
    let client = on(&provider, state.clone(), capped(10));
    let mut stream = client.stream(on_haiku(1).with_timeout(Duration::from_secs(60)));
    futures_util::StreamExt::next(&mut stream).await.unwrap().unwrap();
    state.hangs.store(true, Ordering::SeqCst);
    let begun = tokio::time::Instant::now();
    assert!(stream.collect().await.unwrap().accepted);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    state.hangs.store(false, Ordering::SeqCst);
    let view = client.budget().await.unwrap();
    assert!(view.reserved > claude_code_core::PicoUsd::ZERO, "a send that was not settled stays charged");
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_was_seen_counts_while_the_state_does_not_answer() {
    let (state, provider) = (Arc::new(Hangs::default()), answering());
    let client = on(&provider, state.clone(), Policy::default());
    client.stop_budget(claude_code_core::BudgetScope::Everybody).await.unwrap();
    state.hangs.store(true, Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(60)).await;
    let error = client.generate(on_haiku(1)).await.unwrap_err();
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::Budget, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_renewed_ends_no_work() {
    let slow =
        Script([Script::default().wait(Duration::from_secs(60)).0, Script::answer(REVERSE).0].concat());
    let (provider, state) = (ScriptedProvider::new([slow]), Arc::new(Hangs::default()));
    let client = on(&provider, state.clone(), Policy::default());
    let running = tokio::spawn(async move { client.generate(on_haiku(1)).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    state.hangs.store(true, Ordering::SeqCst);
    assert!(running.await.unwrap().unwrap().accepted);
    assert_eq!(provider.calls().len(), 1);
}

/// A store that takes results and never says so.
#[derive(Debug)]
struct Silent;

#[async_trait::async_trait]
impl GenerationStore for Silent {
    async fn put(&self, _: &Scope, _: &Generation) -> Result<Stored, Error> {
        pending().await
    }

    async fn get(&self, _: &Scope, _: &str) -> Result<Generation, Error> {
        pending().await
    }

    async fn list(&self, _: &Scope, _: &Listing) -> Result<Page, Error> {
        pending().await
    }

    async fn delete(&self, _: &Scope, _: &str) -> Result<Option<String>, Error> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_keeps_no_answer_back() {
    let client = |builder: ClientBuilder| builder.with_store(Arc::new(Silent)).build();
    for (seconds, most) in [(5, 5), (900, 60)] {
        let client = client(builder(answering()));
        let begun = tokio::time::Instant::now();
        let request = on_haiku(1).with_timeout(Duration::from_secs(seconds));
        let g = client.generate(request.clone()).await.unwrap();
        assert!(g.accepted && !g.stored && begun.elapsed() <= Duration::from_secs(most));
        assert!(g.stored_problem.unwrap().contains("did not answer within"), "and why");
        let begun = tokio::time::Instant::now();
        assert!(client.generate(request).await.unwrap().cached.is_some());
        assert!(begun.elapsed() <= Duration::from_secs(10), "a hit waits less");
    }
}
