//! Lease: the exclusive right to a row of shared state for ten seconds, renewed every three while its owner lives. An
//! owner that dies is followed when its lease ends by itself. Serves the response cache, jobs, idempotency keys and the
//! service creator's writer.
//!
//! The row's value names its owner, a word that no other taker has; its version is the fencing token of each write. Versions
//! alone would not do: they begin anew where the table has removed a row, and a put whose reply was lost has made one all
//! the same.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{sleep, timeout};

use crate::answer::file::hex;
use crate::clock::{Clock, IdSource, UtcMillis};
use crate::error::Result;
use crate::state::{OnlyIf, PutError, StateKey, StateStore, Versioned};

/// Time to live: an owner that has not renewed its lease for so long is dead, and the next one takes it.
pub const TTL: Duration = Duration::from_secs(10);
/// How often an owner renews its lease: two renewals may fail.
pub const RENEW: Duration = Duration::from_secs(3);
/// How often a write whose version was stale is made again over the version that is there.
const RETRIES: usize = 2;

/// The leases of one process.
#[derive(Clone, Debug)]
pub struct Leases {
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    dropped: Arc<Mutex<Vec<Row>>>,
}

/// Result of acquiring a lease.
#[derive(Debug)]
pub enum Taken {
    /// The lease.
    Held(Lease),
    /// Another owner holds it, or has put its last word there: this row.
    Busy(Versioned),
}

/// A row and the value that only its taker has put there.
#[derive(Clone, Debug)]
struct Row {
    key: StateKey,
    value: Vec<u8>,
}

/// The right to a row, until it is released or ends. Dropped unreleased, it is released by the next
/// [`end_dropped`](Leases::end_dropped), else it ends by itself.
#[derive(Debug)]
pub struct Lease {
    leases: Leases,
    row: Row,
    closed: AtomicBool,
}

impl Leases {
    /// Leases in this state.
    pub fn new(state: Arc<dyn StateStore>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Leases { state, clock, ids, dropped: Arc::default() }
    }

    /// A word that no other owner has.
    pub fn owner(&self) -> String {
        hex(&self.ids.random())
    }

    /// Takes the lease on this row with this value, which must contain an [`owner`](Self::owner) of its own. Fails where
    /// state cannot be reached.
    pub async fn take(&self, key: StateKey, value: Vec<u8>) -> Result<Taken> {
        let now = self.clock.now();
        let row = Row { key, value };
        match self.put(&row, now.plus(TTL), OnlyIf::AbsentAt(now)).await {
            Ok(_) => {}
            Err(PutError::Store(error)) => return Err(error),
            Err(PutError::Conflict) => match self.state.get(&row.key).await? {
                // A put that was made although its reply was lost meets itself when it is repeated.
                Some(found) if found.value == row.value => {}
                Some(found) => return Ok(Taken::Busy(found)),
                // Removed in between: whoever asks again finds it free.
                None => return Ok(Taken::Busy(Versioned { value: Vec::new(), version: 0, expires_at: now })),
            },
        }
        Ok(Taken::Held(Lease { leases: self.clone(), row, closed: AtomicBool::new(false) }))
    }

    /// Releases the leases that were dropped.
    pub async fn end_dropped(&self) {
        let dropped = std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner));
        for row in dropped {
            match self.over(&row, &row.value, self.clock.now()).await {
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a lease could not be released: it ends by itself"),
            }
        }
    }

    /// Writes over a row that is still this owner's. False: it is another's.
    async fn over(&self, row: &Row, value: &[u8], until: UtcMillis) -> Result<bool> {
        for _ in 0..=RETRIES {
            let version = match self.state.get(&row.key).await? {
                Some(found) if found.value == row.value => found.version,
                // A write that failed on its way was made all the same.
                Some(found) if found.value == value => return Ok(true),
                _ => return Ok(false),
            };
            match self.state.put(&row.key, value.to_vec(), until, OnlyIf::Version(version)).await {
                Ok(_) => return Ok(true),
                Err(PutError::Conflict) => {}
                Err(PutError::Store(error)) => return Err(error),
            }
        }
        Ok(false)
    }

    async fn put(&self, row: &Row, until: UtcMillis, only_if: OnlyIf) -> Result<u64, PutError> {
        self.state.put(&row.key, row.value.clone(), until, only_if).await
    }
}

impl Lease {
    /// Extends the lease. False: another owner has taken over.
    pub async fn renew(&self) -> Result<bool> {
        self.write(&self.row.value, self.leases.clock.now().plus(TTL)).await
    }

    /// Renews the lease for as long as this is polled; ready when another owner has taken over.
    pub async fn lost(&self) {
        loop {
            sleep(RENEW).await;
            match timeout(RENEW, self.renew()).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return,
                Ok(Err(error)) => tracing::warn!(%error, "a lease could not be renewed"),
                Err(_) => tracing::warn!("a lease could not be renewed in time"),
            }
        }
    }

    /// Does the work and renews the lease meanwhile. Whatever becomes of the lease, the work is done.
    pub async fn hold<T>(&self, work: impl Future<Output = T>) -> T {
        let renewed = async {
            self.lost().await;
            pending::<Infallible>().await
        };
        match select(pin!(work), pin!(renewed)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    /// Whether nobody has taken over since.
    pub async fn is_held(&self) -> Result<bool> {
        let found = self.leases.state.get(&self.row.key).await?;
        Ok(found.is_some_and(|found| found.value == self.row.value))
    }

    /// Ends the lease at once. False: another owner has taken over; nothing was written.
    pub async fn release(&self) -> Result<bool> {
        self.closed.store(true, Ordering::Relaxed);
        self.write(&self.row.value, self.leases.clock.now()).await
    }

    /// Ends the lease with a last word that stands in its row until this moment. False: another owner has taken over;
    /// nothing was written.
    pub async fn conclude(&self, value: &[u8], until: UtcMillis) -> Result<bool> {
        self.closed.store(true, Ordering::Relaxed);
        self.write(value, until).await
    }

    async fn write(&self, value: &[u8], until: UtcMillis) -> Result<bool> {
        self.leases.over(&self.row, value, until).await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.closed.load(Ordering::Relaxed) {
            self.leases.dropped.lock().unwrap_or_else(PoisonError::into_inner).push(self.row.clone());
        }
    }
}
