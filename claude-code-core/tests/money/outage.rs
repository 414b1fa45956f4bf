//! What goes on and what stops when a part of the shared state cannot be reached.

use std::sync::Arc;

use claude_code_core::memory::MemoryState;
use claude_code_core::state::{
    AddError, Addition, Counters, OnlyIf, PutError, StateKey, StateKind, Versioned,
};
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{Error, Kind, Policy, StateStore, UtcMillis};

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
            true => Err(Error::new(Kind::Storage, "the table cannot be reached")),
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
        Err(AddError::Store(Error::new(Kind::Storage, "the table cannot be reached")))
    }
}

fn answering() -> Arc<ScriptedProvider> {
    ScriptedProvider::new([Script::answer(REVERSE)])
}

#[tokio::test(start_paused = true)]
async fn with_a_cap_nothing_is_sent_while_the_ledger_cannot_count() {
    let provider = answering();
    let error = on(&provider, Arc::new(NoCounters::default()), capped(10)).generate(on_haiku(1)).await;
    assert_eq!((error.unwrap_err().kind, provider.calls().len()), (Kind::Storage, 0));
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
