//! In-memory store of services, for tests and for hosts without a store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::store::{Row, RowKey, ServiceStore};
use crate::Result;
use crate::state::{OnlyIf, PutError, Scope};

/// Services in memory.
#[derive(Default)]
pub struct MemoryServices(Mutex<Kept>);

impl std::fmt::Debug for MemoryServices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kept = self.kept();
        write!(f, "MemoryServices({} rows, {} files)", kept.rows.len(), kept.files.len())
    }
}

#[derive(Default)]
struct Kept {
    rows: HashMap<RowKey, Row>,
    files: HashMap<String, Vec<u8>>,
}

impl MemoryServices {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl ServiceStore for MemoryServices {
    async fn row(&self, key: &RowKey) -> Result<Option<Row>> {
        Ok(self.kept().rows.get(key).cloned())
    }

    async fn put_row(
        &self,
        key: &RowKey,
        scope: &Scope,
        body: &Value,
        only_if: OnlyIf,
    ) -> Result<u64, PutError> {
        let mut kept = self.kept();
        let old = kept.rows.get(key).map(|row| row.version);
        let holds = match only_if {
            OnlyIf::Any => true,
            OnlyIf::AbsentAt(_) => old.is_none(),
            OnlyIf::Version(version) => old == Some(version),
        };
        if !holds {
            return Err(PutError::Conflict);
        }
        let version = old.unwrap_or(0) + 1;
        kept.rows.insert(key.clone(), Row { scope: scope.clone(), body: body.clone(), version });
        Ok(version)
    }

    async fn file(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.kept().files.get(key).cloned())
    }

    async fn put_file(&self, key: &str, content: &str) -> Result<()> {
        self.kept().files.insert(key.to_owned(), content.as_bytes().to_vec());
        Ok(())
    }

    async fn rows(&self, pk: &str, limit: usize, before: Option<&str>) -> Result<Vec<Row>> {
        let kept = self.kept();
        let is_asked = |key: &RowKey| key.pk == pk && before.is_none_or(|before| key.sk.as_str() < before);
        let mut found: Vec<(&RowKey, &Row)> = kept.rows.iter().filter(|(key, _)| is_asked(key)).collect();
        found.sort_by(|(a, _), (b, _)| b.sk.cmp(&a.sk));
        Ok(found.into_iter().take(limit).map(|(_, row)| row.clone()).collect())
    }

    async fn delete_row(&self, key: &RowKey) -> Result<()> {
        self.kept().rows.remove(key);
        Ok(())
    }

    async fn delete_files(&self, prefix: &str) -> Result<()> {
        self.kept().files.retain(|key, _| !key.starts_with(prefix));
        Ok(())
    }
}
