//! The stores in memory: for clients that keep nothing, and for tests.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::budget::reservation::Rows;
use crate::clock::UtcMillis;
use crate::error::{Error, ErrorKind};
use crate::generation::Generation;
use crate::state::{AddError, Addition, Counters, OnlyIf, PutError, Scope, StateKey, StateStore, Versioned};
use crate::store::{GenerationStore, Listing, Page, ResultRow, Stored, not_found, object_key};

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
        let Addition { initial, deltas, floors, .. } = addition;
        self.counters.add(key, &initial, &deltas, &floors).map_err(AddError::OutOfBounds)
    }
}

/// Results in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<(Scope, String), Generation>>);

impl MemoryStore {
    fn results(&self) -> MutexGuard<'_, BTreeMap<(Scope, String), Generation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl GenerationStore for MemoryStore {
    async fn put(&self, scope: &Scope, generation: &Generation) -> Result<Stored, Error> {
        crate::answer::file::stored_names(&generation.files)?;
        let s3_key = object_key(generation);
        let mut kept = generation.clone();
        kept.stored = true;
        kept.s3_key = Some(s3_key.clone());
        let mut results = self.results();
        match results.get(&(scope.clone(), generation.id.clone())) {
            Some(old) if old.files != kept.files => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("result {} exists with other files", kept.id),
                ));
            }
            _ => results.insert((scope.clone(), kept.id.clone()), kept),
        };
        Ok(Stored { s3_key })
    }

    async fn get(&self, scope: &Scope, id: &str) -> Result<Generation, Error> {
        let kept =
            self.results().get(&(scope.clone(), id.to_owned())).cloned().ok_or_else(|| not_found(id))?;
        Ok(Generation { cache_key: None, ..kept })
    }

    async fn list(&self, scope: &Scope, listing: &Listing) -> Result<Page, Error> {
        let results = self.results();
        let mut rows: Vec<ResultRow> = results
            .iter()
            .filter(|((of, _), g)| of == scope && g.language == listing.language)
            .filter(|(_, g)| listing.from.is_none_or(|from| g.generated_at >= from))
            .filter(|(_, g)| listing.to.is_none_or(|to| g.generated_at < to))
            .map(|(_, g)| ResultRow::of(g))
            .collect();
        rows.sort_by(|a, b| (&b.generated_at, &b.id).cmp(&(&a.generated_at, &a.id)));
        let after = |row: &ResultRow| format!("{}/{}", row.generated_at, row.id);
        if let Some(cursor) = &listing.cursor {
            rows.retain(|row| after(row) < *cursor);
        }
        let limit = listing.limit.clamp(1, 100) as usize;
        let next = (rows.len() > limit).then(|| after(&rows[limit - 1]));
        rows.truncate(limit);
        Ok(Page { items: rows, next })
    }

    async fn delete(&self, scope: &Scope, id: &str) -> Result<Option<String>, Error> {
        let removed = self.results().remove(&(scope.clone(), id.to_owned()));
        removed.map(|removed| removed.cache_key).ok_or_else(|| not_found(id))
    }
}
