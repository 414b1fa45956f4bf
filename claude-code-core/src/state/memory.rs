//! In-memory state store: for clients without a shared store, and for tests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::UtcMillis;
use crate::error::Error;
use crate::state::counters::Rows;
use crate::state::{AddError, Addition, Counters, OnlyIf, PutError, StateKey, StateStore, Versioned};

/// Values beyond this many are looked through for expired ones, and again when there are twice as many as were left.
const SWEEP: usize = 1024;

/// State in memory, for as long as the process lives.
#[derive(Debug)]
pub struct MemoryState {
    values: Mutex<Values>,
    counters: Rows<StateKey>,
}

/// The values, the last version given out, and how many there may be before expired ones go.
#[derive(Debug)]
struct Values {
    all: HashMap<StateKey, Versioned>,
    /// Over all keys: a value that comes after an expired one went must not have that one's version.
    last: u64,
    most: usize,
}

impl Default for MemoryState {
    fn default() -> Self {
        let values = Values { all: HashMap::new(), last: 0, most: SWEEP };
        MemoryState { values: Mutex::new(values), counters: Rows::new() }
    }
}

impl MemoryState {
    fn values(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Values {
    /// Drops what has expired, where there is much.
    fn sweep(&mut self, now: UtcMillis) {
        if self.all.len() >= self.most {
            self.all.retain(|_, value| now < value.expires_at);
            self.most = SWEEP.max(self.all.len() * 2);
        }
    }
}

#[async_trait::async_trait]
impl StateStore for MemoryState {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        Ok(self.values().all.get(key).cloned())
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        expires_at: UtcMillis,
        only_if: OnlyIf,
    ) -> Result<u64, PutError> {
        let mut values = self.values();
        if let OnlyIf::AbsentAt(now) = only_if {
            values.sweep(now);
        }
        let old = values.all.get(key);
        let allowed = match (only_if, old) {
            (OnlyIf::Any, _) | (OnlyIf::AbsentAt(_), None) => true,
            (OnlyIf::AbsentAt(now), Some(old)) => now >= old.expires_at,
            (OnlyIf::Version(version), Some(old)) => old.version == version,
            (OnlyIf::Version(_), None) => false,
        };
        if !allowed {
            return Err(PutError::Conflict);
        }
        values.last += 1;
        let version = values.last;
        values.all.insert(key.clone(), Versioned { value, version, expires_at });
        Ok(version)
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        let Addition { initial, deltas, floors, removed, .. } = addition;
        self.counters.add(key, &initial, &deltas, &floors, &removed).map_err(AddError::OutOfBounds)
    }
}
