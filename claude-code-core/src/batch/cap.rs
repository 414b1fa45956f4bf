//! Spending cap of a batch: each request reserves its maximum cost before it is sent, so that concurrent requests
//! cannot pass the cap together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::error::{Error, ErrorKind, Result};
use crate::money::price::{Cost, PicoUsd};

/// Sends that a request is given room for: its own, and a resume or repair or two.
const SENDS: u64 = 3;

/// The cap, what is spent of it, and what is reserved by requests under way. Clones share everything.
#[derive(Clone, Debug)]
pub struct SpendingCap {
    cap: PicoUsd,
    used: Arc<Mutex<Used>>,
    freed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Used {
    spent: u64,
    reserved: u64,
}

/// Room under a cap for one request. Dropped, it is given back.
#[derive(Debug)]
pub struct Room {
    amount: u64,
    of: SpendingCap,
}

impl SpendingCap {
    /// A cap of which so much is spent already.
    pub fn new(cap: PicoUsd, spent: PicoUsd) -> Self {
        let used = Used { spent: spent.0, reserved: 0 };
        SpendingCap { cap, used: Arc::new(Mutex::new(used)), freed: Arc::default() }
    }

    /// Reserves room for a request whose single send costs at most `worst` and which may cost at most `limit`. Waits while
    /// requests under way may still give room back.
    ///
    /// Fails with [`ErrorKind::Budget`] where there is none left, or where the price is unknown.
    pub async fn reserve(&self, worst: Cost, limit: PicoUsd) -> Result<Room> {
        let Some(worst) = worst.priced() else {
            let why = format!(
                "the model has no known price and ${} is the batch's cap: name another model",
                self.cap
            );
            return Err(Error::new(ErrorKind::Budget, why));
        };
        let wanted = worst.0.saturating_mul(SENDS).min(limit.0).max(worst.0);
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // Before the look: what is freed after it must not be missed.
            freed.as_mut().enable();
            if let Some(room) = self.take(wanted, worst.0)? {
                return Ok(room);
            }
            freed.await;
        }
    }

    /// None: there may be room later.
    fn take(&self, wanted: u64, least: u64) -> Result<Option<Room>> {
        let mut used = self.used();
        let left = self.cap.0.saturating_sub(used.spent).saturating_sub(used.reserved);
        // Less than wanted is taken only where nothing more will come.
        if left >= wanted || (used.reserved == 0 && left >= least) {
            let amount = wanted.min(left);
            used.reserved += amount;
            return Ok(Some(Room { amount, of: self.clone() }));
        }
        if used.reserved > 0 {
            return Ok(None);
        }
        let spent = PicoUsd(used.spent);
        let least = PicoUsd(least);
        Err(Error::new(
            ErrorKind::Budget,
            format!(
                "the batch's cap is ${}: ${spent} is spent, and this request can cost ${least}: raise --max-usd",
                self.cap
            ),
        ))
    }

    /// Reserves room for a batch job, all of it or nothing. Waits while requests under way may still give room back.
    pub async fn reserve_job(&self, ceiling: Cost) -> Result<Room> {
        self.reserve(ceiling, ceiling.known()).await
    }

    /// What is spent.
    pub fn spent(&self) -> PicoUsd {
        PicoUsd(self.used().spent)
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// The most that the request may cost.
    pub fn limit(&self) -> PicoUsd {
        PicoUsd(self.amount)
    }

    /// Takes a part of the room for one of the requests that it was reserved for.
    pub fn split(&mut self, amount: PicoUsd) -> Room {
        let amount = amount.0.min(self.amount);
        self.amount -= amount;
        Room { amount, of: self.of.clone() }
    }

    /// Makes the room this large, or as large as the cap allows now. Waits for nobody.
    pub fn extend(&mut self, amount: PicoUsd) {
        let mut used = self.of.used();
        let left = self.of.cap.0.saturating_sub(used.spent).saturating_sub(used.reserved);
        let more = amount.0.saturating_sub(self.amount).min(left);
        used.reserved += more;
        drop(used);
        self.amount += more;
    }

    /// Books what the request cost and gives back the rest.
    pub fn settle(mut self, cost: Cost) {
        let mut used = self.of.used();
        used.spent = used.spent.saturating_add(cost.known().0);
        used.reserved = used.reserved.saturating_sub(self.amount);
        drop(used);
        self.amount = 0;
        self.of.freed.notify_waiters();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.amount > 0 {
            let mut used = self.of.used();
            used.reserved = used.reserved.saturating_sub(self.amount);
            drop(used);
            self.of.freed.notify_waiters();
        }
    }
}
