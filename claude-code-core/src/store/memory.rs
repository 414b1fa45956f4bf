//! In-memory generation store, for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::generation::Generation;
use crate::state::Scope;
use crate::store::{GenerationStore, Listing, Page, ResultRow, Stored, not_found, object_key};

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
            .filter(|(_, g)| listing.batch.is_none() || g.batch_id == listing.batch)
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
