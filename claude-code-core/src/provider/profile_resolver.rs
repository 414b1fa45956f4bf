//! Which model an id stands for that does not name it: an application inference profile. The service is asked once, and
//! what it said is remembered; a request is never held up for long by it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::error::ErrorKind;
use crate::model::ModelId;
use crate::model::catalogue::Catalogue;
use crate::provider::ModelFacts;

/// How long a request waits for it. Without an answer it goes on, without a price.
const LIMIT: Duration = Duration::from_secs(3);
/// Time to live of a refusal: it ends only after a change of a policy.
const REFUSED: Duration = Duration::from_secs(300);
/// How long a look-up that failed otherwise is not repeated: requests that come at once share it, later ones try again.
const FAILED: Duration = Duration::from_secs(5);
/// Ids of which something is kept; they come from callers, so they must be bounded.
const IDS: usize = 256;

/// Model behind an inference profile, as the service reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResolvedProfile {
    /// It stands for this model, in this geography.
    Model(ModelId),
    /// It did not tell; in the words of the warning why not, and what to do.
    Unknown(String),
}

/// Cache of resolved profiles. Clones of a client share it.
#[derive(Debug)]
pub(crate) struct ProfileResolver {
    facts: Option<Arc<dyn ModelFacts>>,
    catalogue: &'static Catalogue,
    seen: Mutex<HashMap<ModelId, Seen>>,
    /// Held by who asks for an id: the others who want it find the answer when they have it.
    asking: Mutex<HashMap<ModelId, Arc<tokio::sync::Mutex<()>>>>,
}

/// Answer for an id with its expiry; none: it does not expire.
#[derive(Clone, Debug)]
struct Seen {
    identity: ResolvedProfile,
    until: Option<Instant>,
}

impl ProfileResolver {
    /// Nothing known; `facts` is asked.
    pub(crate) fn new(facts: Option<Arc<dyn ModelFacts>>, catalogue: &'static Catalogue) -> Self {
        ProfileResolver { facts, catalogue, seen: Mutex::default(), asking: Mutex::default() }
    }

    /// What is known already. None: nothing, or the id names its model itself.
    pub(crate) fn known(&self, name: &str) -> Option<ResolvedProfile> {
        let seen = self.seen().get(&self.opaque(name)?).cloned()?;
        seen.until.is_none_or(|until| Instant::now() < until).then_some(seen.identity)
    }

    /// What an id stands for, asked at most once and for no longer than `left`. None: the id names its model itself, or there
    /// is nobody to ask.
    pub(crate) async fn find(&self, name: &str, left: Duration) -> Option<ResolvedProfile> {
        let (id, facts) = (self.opaque(name)?, self.facts.as_ref()?);
        if let Some(known) = self.known(name) {
            return Some(known);
        }
        let gate = self.gates().entry(id.clone()).or_default().clone();
        let asked = async {
            let _asking = gate.lock().await;
            if let Some(known) = self.known(name) {
                return known;
            }
            self.ask(&**facts, &id).await
        };
        let limit = LIMIT.min(left);
        let found = timeout(limit, asked).await;
        drop(gate);
        self.gates().retain(|_, gate| Arc::strong_count(gate) > 1);
        if let Ok(identity) = found {
            return Some(identity);
        }
        let late = format!("which model it stands for was not told within {} s", limit.as_secs_f64());
        let late = ResolvedProfile::Unknown(late);
        // That a hurried request did not wait long says nothing about the service.
        if limit == LIMIT {
            self.keep(&id, &late, Some(FAILED));
        }
        Some(late)
    }

    async fn ask(&self, facts: &dyn ModelFacts, id: &ModelId) -> ResolvedProfile {
        let (identity, believed) = match facts.resolve(id.clone()).await {
            Ok(model) => (ResolvedProfile::Model(model), None),
            Err(fault) => {
                let refused = matches!(fault.kind, ErrorKind::AccessDenied | ErrorKind::NotFound);
                (ResolvedProfile::Unknown(fault.message), Some(if refused { REFUSED } else { FAILED }))
            }
        };
        self.keep(id, &identity, believed);
        identity
    }

    fn keep(&self, id: &ModelId, identity: &ResolvedProfile, believed: Option<Duration>) {
        let mut seen = self.seen();
        if seen.len() >= IDS && !seen.contains_key(id) {
            seen.retain(|_, seen| seen.until.is_none());
            if seen.len() >= IDS {
                return;
            }
        }
        let until = believed.map(|time| Instant::now() + time);
        seen.insert(id.clone(), Seen { identity: identity.clone(), until });
    }

    /// The id, if only the service can tell which model it is.
    fn opaque(&self, name: &str) -> Option<ModelId> {
        let id = ModelId::new(name).ok()?;
        (id.is_profile_arn() && self.catalogue.find(&id).is_none()).then_some(id)
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<ModelId, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gates(&self) -> MutexGuard<'_, HashMap<ModelId, Arc<tokio::sync::Mutex<()>>>> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
