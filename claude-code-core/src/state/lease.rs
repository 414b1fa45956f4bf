//! Equal requests of several processes ask once: whoever holds the lease row leads, the others wait for the answer.
//! A leader renews its lease for as long as it works; that of a dead one ends by itself, within seconds. If leases
//! cannot be reached, everybody leads.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{sleep, timeout};

use crate::clock::{Clock, IdSource, UtcMillis};
use crate::error::Error;
use crate::plan::Plan;
use crate::state::{OnlyIf, PutError, StateKey, StateKind, StateStore, Versioned};

/// How often a follower looks again.
const LOOK: Duration = Duration::from_millis(250);
/// A leader that shows no life for so long is dead, and the next one asks.
const LEASE: Duration = Duration::from_secs(10);
/// How often a leader shows that it lives: two times may fail.
const RENEW: Duration = Duration::from_secs(3);

/// The right to ask, until it is released or ends. Dropped with its request, it is given back by the next call.
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

/// A row and the value that only its taker has put there. Versions begin anew where the table has removed a row, and a
/// put whose reply was lost has made one: who holds the row is told by its value.
#[derive(Debug)]
struct Held {
    key: StateKey,
    owner: Vec<u8>,
}

impl Lease {
    /// For a request that shares its answer with nobody.
    pub(crate) fn none() -> Self {
        Lease { held: None, dropped: Arc::default() }
    }
}

/// The lease rows.
#[derive(Debug)]
pub(crate) struct Leases {
    /// None: state is not shared with other processes, and flights do the same within one.
    shared: Option<Arc<dyn StateStore>>,
    clock: Arc<dyn Clock>,
    process: String,
    taken: AtomicU64,
    dropped: Arc<Mutex<Vec<Held>>>,
}

impl Leases {
    pub(crate) fn new(
        shared: Option<Arc<dyn StateStore>>,
        clock: Arc<dyn Clock>,
        ids: &dyn IdSource,
    ) -> Self {
        let process = crate::answer::file::hex(&ids.random());
        Leases { shared, process, clock, taken: AtomicU64::new(0), dropped: Arc::default() }
    }

    /// The lease for this plan, or none while another process holds it.
    pub(crate) async fn take(&self, plan: &Plan) -> Option<Lease> {
        let Some(state) = &self.shared else { return Some(Lease::none()) };
        self.release_leases().await;
        let key = StateKey::new(StateKind::Lease, &plan.scope, plan.cache_key.clone());
        let nth = self.taken.fetch_add(1, Ordering::Relaxed);
        let held = Held { key, owner: format!("{}/{nth}", self.process).into_bytes() };
        let now = self.clock.now();
        let taken = match put(&**state, &held, now.plus(LEASE), OnlyIf::AbsentAt(now)).await {
            // A put that was made although its reply was lost meets itself when it is repeated.
            Err(PutError::Conflict) => row(&**state, &held).await.map(|row| row.is_some()),
            Err(PutError::Store(error)) => Err(error),
            Ok(()) => Ok(true),
        };
        match taken {
            Ok(true) => Some(Lease { held: Some(held), dropped: self.dropped.clone() }),
            Ok(false) if now < plan.limits.deadline => None,
            Ok(false) => Some(Lease::none()),
            Err(error) => {
                tracing::warn!(%error, "leases cannot be reached: going on without one");
                Some(Lease::none())
            }
        }
    }

    /// Waits a little before the next look.
    pub(crate) async fn pause(&self, plan: &Plan) {
        let left = plan.limits.deadline.since(self.clock.now());
        sleep(LOOK.min(left.max(Duration::from_millis(1)))).await;
    }

    /// Does the work and renews the lease meanwhile. Whatever becomes of the lease, the work is done.
    pub(crate) async fn hold<T>(&self, lease: &Lease, work: impl Future<Output = T>) -> T {
        match select(pin!(work), pin!(self.renew(lease))).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    /// Renews the lease for as long as this is polled and nobody has taken over.
    async fn renew(&self, lease: &Lease) -> Infallible {
        let (Some(state), Some(held)) = (&self.shared, &lease.held) else { return pending().await };
        loop {
            sleep(RENEW).await;
            let until = self.clock.now().plus(LEASE);
            match timeout(RENEW, over(&**state, held, until)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return pending().await,
                Ok(Err(error)) => tracing::warn!(%error, "a lease could not be renewed"),
                Err(_) => tracing::warn!("a lease could not be renewed in time"),
            }
        }
    }

    /// Whether nobody has taken over since. A request without a lease has nobody to fear.
    pub(crate) async fn is_held(&self, lease: &Lease) -> bool {
        let (Some(state), Some(held)) = (&self.shared, &lease.held) else { return true };
        row(&**state, held).await.map_or(true, |row| row.is_some())
    }

    /// Ends the lease at once, if it is still this one.
    pub(crate) async fn release(&self, mut lease: Lease) {
        let (Some(state), Some(held)) = (&self.shared, lease.held.take()) else { return };
        self.end(&**state, &held).await;
    }

    /// Ends the leases of requests that were dropped.
    pub(crate) async fn release_leases(&self) {
        let Some(state) = &self.shared else { return };
        let dropped = std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner));
        for held in dropped {
            self.end(&**state, &held).await;
        }
    }

    async fn end(&self, state: &dyn StateStore, held: &Held) {
        if let Err(error) = over(state, held, self.clock.now()).await {
            tracing::warn!(%error, "a lease could not be released: it ends by itself");
        }
    }
}

/// The row, if it is still this one's.
async fn row(state: &dyn StateStore, held: &Held) -> Result<Option<Versioned>, Error> {
    Ok(state.get(&held.key).await?.filter(|row| row.value == held.owner))
}

/// Moves the end of a lease that is still this one's. False: it is another's.
async fn over(state: &dyn StateStore, held: &Held, until: UtcMillis) -> Result<bool, Error> {
    let Some(row) = row(state, held).await? else { return Ok(false) };
    match put(state, held, until, OnlyIf::Version(row.version)).await {
        // Taken over at this moment, or put with its reply lost: the next look tells.
        Ok(()) | Err(PutError::Conflict) => Ok(true),
        Err(PutError::Store(error)) => Err(error),
    }
}

async fn put(state: &dyn StateStore, held: &Held, until: UtcMillis, only_if: OnlyIf) -> Result<(), PutError> {
    state.put(&held.key, held.owner.clone(), until, only_if).await.map(|_| ())
}
