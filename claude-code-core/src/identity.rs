//! Which model an id stands for that does not name it: an application inference profile. The service is asked once, and
//! what it said is remembered; a request is never held up for long by it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::catalogue::Catalogue;
use crate::model::ModelId;
use crate::provider::ModelFacts;

/// How long a request waits for it. Without an answer it goes on, without a price.
const LIMIT: Duration = Duration::from_secs(3);
/// How long a refusal is believed before the service is asked again: somebody has to change a policy meanwhile.
const REFUSED: Duration = Duration::from_secs(300);
/// Ids of which something is kept; they come from callers, so they must be bounded.
const IDS: usize = 256;

/// What the service said of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// It stands for this model, in this geography.
    Model(ModelId),
    /// It did not tell; in the words of the warning why not, and what to do.
    Unknown(String),
}

/// What is known of ids. Clones of a client share it.
#[derive(Debug)]
pub(crate) struct Identities {
    facts: Option<Arc<dyn ModelFacts>>,
    seen: Mutex<HashMap<ModelId, (Identity, Instant)>>,
    /// Held by who asks: the others find the answer when they have it.
    asking: tokio::sync::Mutex<()>,
}

impl Identities {
    /// Nothing known; `facts` is asked.
    pub(crate) fn new(facts: Option<Arc<dyn ModelFacts>>) -> Self {
        Identities { facts, seen: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// What is known already. None: nothing, or the id names its model itself.
    pub(crate) fn known(&self, name: &str) -> Option<Identity> {
        let (identity, since) = self.seen().get(&opaque(name)?).cloned()?;
        let stays = matches!(identity, Identity::Model(_)) || since.elapsed() < REFUSED;
        stays.then_some(identity)
    }

    /// What an id stands for, asked at most once and for no longer than `left`. None: the id names its model itself, or there
    /// is nobody to ask.
    pub(crate) async fn find(&self, name: &str, left: Duration) -> Option<Identity> {
        let (id, facts) = (opaque(name)?, self.facts.as_ref()?);
        if let Some(known) = self.known(name) {
            return Some(known);
        }
        let asked = async {
            let _asking = self.asking.lock().await;
            if let Some(known) = self.known(name) {
                return known;
            }
            let identity = match facts.resolve(id.clone()).await {
                Ok(model) => Identity::Model(model),
                Err(fault) => Identity::Unknown(fault.message),
            };
            self.keep(&id, &identity);
            identity
        };
        let limit = LIMIT.min(left);
        if let Ok(identity) = timeout(limit, asked).await {
            return Some(identity);
        }
        let late = format!("which model it stands for was not told within {} s", limit.as_secs_f64());
        let late = Identity::Unknown(late);
        // That a hurried request did not wait long says nothing about the service.
        if limit == LIMIT {
            self.keep(&id, &late);
        }
        Some(late)
    }

    fn keep(&self, id: &ModelId, identity: &Identity) {
        let mut seen = self.seen();
        if seen.len() >= IDS && !seen.contains_key(id) {
            seen.retain(|_, (identity, _)| matches!(identity, Identity::Model(_)));
            if seen.len() >= IDS {
                return;
            }
        }
        seen.insert(id.clone(), (identity.clone(), Instant::now()));
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<ModelId, (Identity, Instant)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id, if only the service can tell which model it is.
fn opaque(name: &str) -> Option<ModelId> {
    let id = ModelId::new(name).ok()?;
    (id.is_profile_arn() && Catalogue::builtin().find(&id).is_none()).then_some(id)
}
