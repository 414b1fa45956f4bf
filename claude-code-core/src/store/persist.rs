//! Persistence of a finished generation. A result that was paid for is returned even if storing it fails.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::error::{Error, ErrorKind, Result};
use crate::generation::Generation;
use crate::plan::Plan;
use crate::store::{GenerationStore, Stored};

/// An answer that came with the request's last moment is still given this time to be stored: less than what hosts keep
/// back for themselves.
const LEAST: Duration = Duration::from_secs(1);
/// However much time is left, storing takes no longer: the longest answer on a slow line.
const MOST: Duration = Duration::from_secs(60);

/// Where results go.
#[derive(Clone, Debug)]
pub enum StoreMode {
    /// Nowhere.
    None,
    /// Into this store.
    Store(Arc<dyn GenerationStore>),
    /// Nowhere now, and why: the default store is in use by another process.
    Unavailable(String),
}

/// Stores results.
#[derive(Debug)]
pub(crate) struct ResultWriter(pub(crate) StoreMode);

impl ResultWriter {
    pub(crate) fn store(&self) -> Option<&Arc<dyn GenerationStore>> {
        match &self.0 {
            StoreMode::Store(store) => Some(store),
            _ => None,
        }
    }

    /// Why nothing is stored that should be.
    pub(crate) fn problem(&self) -> Option<&str> {
        match &self.0 {
            StoreMode::Unavailable(why) => Some(why),
            _ => None,
        }
    }

    /// Whether a kept answer is to be stored after all: the request that it was made for did not want it, or the store
    /// was down.
    pub(crate) fn lacks(&self, plan: &Plan, generation: &Generation) -> bool {
        self.store().is_some() && !plan.request.skip_store && !generation.stored
    }

    /// The result, stored if it is meant to be; else with the reason. `left` is what is left of the request's time.
    pub(crate) async fn keep(&self, plan: &Plan, mut generation: Generation, left: Duration) -> Generation {
        if plan.request.skip_store {
            return generation;
        }
        match &self.0 {
            StoreMode::None => {}
            StoreMode::Unavailable(why) => generation.stored_problem = Some(why.clone()),
            StoreMode::Store(store) => {
                generation.cache_key = plan.is_cached().then(|| plan.cache_key.clone());
                let put = put(&**store, plan, &generation, left).await;
                generation.cache_key = None;
                match put {
                    Ok(stored) => {
                        generation.stored = true;
                        generation.stored_problem = None;
                        generation.s3_key = Some(stored.s3_key);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the result could not be stored: it is returned all the same");
                        generation.stored_problem = Some(error.to_string());
                    }
                }
            }
        }
        generation
    }
}

/// Stores the result, within a time: a store that hangs must not keep back an answer that was paid for.
async fn put(
    store: &dyn GenerationStore,
    plan: &Plan,
    generation: &Generation,
    left: Duration,
) -> Result<Stored> {
    let limit = left.clamp(LEAST, MOST);
    timeout(limit, store.put(&plan.scope, generation)).await.unwrap_or_else(|_| {
        let seconds = limit.as_secs();
        Err(Error::new(
            ErrorKind::Storage,
            format!("the store did not answer within {seconds} s: it was not waited for"),
        ))
    })
}
