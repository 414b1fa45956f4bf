//! Storing what came out. A result that was paid for is returned even if storing it fails.

use std::sync::Arc;

use crate::generation::Generation;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::store::GenerationStore;

/// Where results go.
#[derive(Clone, Debug)]
pub enum Keeping {
    /// Nowhere.
    None,
    /// Into this store.
    Store(Arc<dyn GenerationStore>),
    /// Nowhere now, and why: the default store is in use by another process.
    Unavailable(String),
}

/// Stores results.
#[derive(Debug)]
pub(crate) struct Keeper(pub(crate) Keeping);

impl Keeper {
    pub(crate) fn store(&self) -> Option<&Arc<dyn GenerationStore>> {
        match &self.0 {
            Keeping::Store(store) => Some(store),
            _ => None,
        }
    }

    /// The result, stored if it is whole and meant to be; else with the reason.
    pub(crate) async fn keep(
        &self,
        plan: &Plan,
        mut generation: Generation,
        outcome: &Outcome,
    ) -> Generation {
        if plan.request.skip_store || outcome.error().is_some() {
            return generation;
        }
        match &self.0 {
            Keeping::None => {}
            Keeping::Unavailable(why) => generation.stored_problem = Some(why.clone()),
            Keeping::Store(store) => match store.put(&plan.scope, &generation).await {
                Ok(stored) => {
                    generation.stored = true;
                    generation.s3_key = Some(stored.s3_key);
                }
                Err(error) => {
                    tracing::warn!(%error, "the result could not be stored: it is returned all the same");
                    generation.stored_problem = Some(error.to_string());
                }
            },
        }
        generation
    }
}
