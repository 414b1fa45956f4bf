//! The budget's parts each alone: the cell, the ledger over state in memory, the kill switch, and the usage report.

mod ledger;
mod left_behind;
mod reservation;
mod stopped;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::budget::Caps;
use crate::budget::ledger::Ledger;
use crate::clock::{Clock, UtcMillis};
use crate::error::{Error, ErrorKind};
use crate::money::price::PicoUsd;
use crate::state::memory::MemoryState;
use crate::state::{AddError, Addition, Counters, OnlyIf, PutError, StateKey, StateStore, Versioned};

/// 2026-11-21, noon.
const NOON: i64 = 1_795_262_400_000;
const MINUTE: Duration = Duration::from_secs(60);

/// A clock that a test moves.
#[derive(Debug)]
struct Hand(Mutex<i64>);

impl Hand {
    fn at_noon() -> Arc<Self> {
        Arc::new(Hand(Mutex::new(NOON)))
    }

    fn moves(&self, by: Duration) {
        *self.0.lock().unwrap() += i64::try_from(by.as_millis()).unwrap();
    }
}

impl Clock for Hand {
    fn now(&self) -> UtcMillis {
        UtcMillis(*self.0.lock().unwrap())
    }
}

/// What befalls each call of the state.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Down,
    Hangs,
}

/// State that remembers its additions, and fails as it is told.
#[derive(Debug)]
struct State {
    memory: MemoryState,
    fault: Mutex<Fault>,
    added: Mutex<Vec<(String, Addition)>>,
    rows: Mutex<BTreeSet<StateKey>>,
    reads: Mutex<usize>,
    before: Mutex<Option<Before>>,
}

/// What happens before the next addition to a row.
struct Before(&'static str, BoxFuture<'static, ()>);

impl std::fmt::Debug for Before {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Before({})", self.0)
    }
}

impl State {
    fn new() -> Arc<Self> {
        Arc::new(State {
            memory: MemoryState::default(),
            fault: Mutex::new(Fault::None),
            added: Mutex::default(),
            rows: Mutex::default(),
            reads: Mutex::default(),
            before: Mutex::default(),
        })
    }

    fn before_next(&self, row: &'static str, happens: impl Future<Output = ()> + Send + 'static) {
        *self.before.lock().unwrap() = Some(Before(row, happens.boxed()));
    }

    /// The rows that were added to, as they are.
    async fn totals(&self) -> BTreeMap<String, Counters> {
        let rows = self.rows.lock().unwrap().clone();
        let mut totals = BTreeMap::new();
        for row in rows {
            totals.insert(row.to_string(), self.memory.add(&row, Addition::default()).await.unwrap());
        }
        totals
    }

    fn is(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    async fn fault(&self) -> Result<(), Error> {
        let fault = *self.fault.lock().unwrap();
        match fault {
            Fault::None => Ok(()),
            Fault::Down => Err(Error::new(ErrorKind::Storage, "the table is gone")),
            Fault::Hangs => std::future::pending().await,
        }
    }

    /// The rows that were changed, with what was added to them; looks add nothing.
    fn changes(&self) -> Vec<(String, Counters)> {
        let added = self.added.lock().unwrap();
        let changes = added.iter().map(|(key, addition)| (key.clone(), addition.deltas.clone()));
        changes.filter(|(_, deltas)| deltas.values().any(|delta| *delta != 0)).collect()
    }
}

#[async_trait::async_trait]
impl StateStore for State {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        *self.reads.lock().unwrap() += 1;
        self.fault().await?;
        self.memory.get(key).await
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        expires_at: UtcMillis,
        only_if: OnlyIf,
    ) -> Result<u64, PutError> {
        self.fault().await?;
        self.memory.put(key, value, expires_at, only_if).await
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        self.fault().await?;
        let before = self.before.lock().unwrap().take_if(|before| before.0 == key.to_string());
        if let Some(Before(_, happens)) = before {
            happens.await;
        }
        self.added.lock().unwrap().push((key.to_string(), addition.clone()));
        self.rows.lock().unwrap().insert(key.clone());
        self.memory.add(key, addition).await
    }
}

fn caps(all: Option<u64>, each: Option<u64>) -> Caps {
    Caps { all: all.map(PicoUsd), each: each.map(PicoUsd), free: false }
}

fn ledger(state: &Arc<State>, caps: Caps) -> Ledger {
    Ledger::new(state.clone(), Hand::at_noon(), caps)
}
