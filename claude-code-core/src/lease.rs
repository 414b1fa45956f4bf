//! Equal requests of several processes ask once: whoever holds the lease row leads, the others wait for the answer.
//! A dead leader's lease ends by itself. If leases cannot be reached, everybody leads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, IdSource};
use crate::plan::Plan;
use crate::state::{OnlyIf, PutError, StateKey, StateKind, StateStore};

/// How often a follower looks again.
const LOOK: Duration = Duration::from_millis(250);
/// Longer than the leader's own deadline by this, so that it is never overtaken while it may still answer.
const GRACE: Duration = Duration::from_secs(1);

/// The right to ask, until it is released or ends. Dropped with its request, it is released with the next one.
#[derive(Debug)]
pub(crate) struct Lease {
    held: Option<Held>,
    dropped: Arc<Mutex<Vec<Held>>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            self.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(held);
        }
    }
}

#[derive(Debug)]
struct Held {
    key: StateKey,
    fence: u64,
}

impl Lease {
    /// For a request that shares its answer with nobody.
    pub(crate) fn none() -> Self {
        Lease { held: None, dropped: Arc::default() }
    }
}

/// The lease rows.
#[derive(Clone, Debug)]
pub(crate) struct Leases {
    /// None: state is not shared with other processes, and flights do the same within one.
    shared: Option<Arc<dyn StateStore>>,
    clock: Arc<dyn Clock>,
    owner: String,
    dropped: Arc<Mutex<Vec<Held>>>,
}

impl Leases {
    pub(crate) fn new(
        shared: Option<Arc<dyn StateStore>>,
        clock: Arc<dyn Clock>,
        ids: &dyn IdSource,
    ) -> Self {
        Leases { shared, owner: crate::file::hex(&ids.random()), clock, dropped: Arc::default() }
    }

    /// The lease for this plan, or none while another process holds it.
    pub(crate) async fn take(&self, plan: &Plan) -> Option<Lease> {
        let Some(state) = &self.shared else { return Some(Lease::none()) };
        self.give_back(&**state).await;
        let key = StateKey::new(StateKind::Lease, &plan.scope, plan.cache_key.clone());
        let now = self.clock.now();
        let expires_at = plan.limits.deadline.max(now).plus(GRACE);
        match state.put(&key, self.owner.clone().into_bytes(), expires_at, OnlyIf::AbsentAt(now)).await {
            Ok(fence) => Some(Lease { held: Some(Held { key, fence }), dropped: self.dropped.clone() }),
            Err(PutError::Conflict) if now < plan.limits.deadline => None,
            Err(PutError::Conflict) => Some(Lease::none()),
            Err(PutError::Store(error)) => {
                tracing::warn!(%error, "leases cannot be reached: going on without one");
                Some(Lease::none())
            }
        }
    }

    /// Waits a little before the next look.
    pub(crate) async fn pause(&self, plan: &Plan) {
        let left = plan.limits.deadline.since(self.clock.now());
        tokio::time::sleep(LOOK.min(left.max(Duration::from_millis(1)))).await;
    }

    /// Whether nobody has taken over since. A request without a lease has nobody to fear.
    pub(crate) async fn is_held(&self, lease: &Lease) -> bool {
        let (Some(state), Some(held)) = (&self.shared, &lease.held) else { return true };
        match state.get(&held.key).await {
            Ok(Some(row)) => row.version == held.fence,
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Ends the lease at once, if it is still this one.
    pub(crate) async fn release(&self, mut lease: Lease) {
        let (Some(state), Some(held)) = (&self.shared, lease.held.take()) else { return };
        self.end(&**state, held).await;
    }

    async fn give_back(&self, state: &dyn StateStore) {
        let dropped = std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner));
        for held in dropped {
            self.end(state, held).await;
        }
    }

    async fn end(&self, state: &dyn StateStore, held: Held) {
        let ended = state.put(&held.key, Vec::new(), self.clock.now(), OnlyIf::Version(held.fence)).await;
        if let Err(PutError::Store(error)) = ended {
            tracing::warn!(%error, "a lease could not be released: it ends by itself");
        }
    }
}
