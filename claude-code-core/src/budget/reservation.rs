//! The budget's cell: counters that change together or not at all, and reservations on them. It knows no store and no clock;
//! `loom-tests` runs this very file under every order of its threads.

use std::collections::VecDeque;

use crate::provider::sent_flag::SentFlag;
use crate::state::counters::Counters;
use crate::sync::{Arc, Mutex, PoisonError};

/// What is charged, spent and reserved together, counted below zero. A condition cannot add, so the floor under this
/// one counter is minus the cap: each caller brings the cap that counts now, whatever the row began with.
pub(crate) const BALANCE: &str = "balance";
/// Settled.
pub(crate) const SPENT: &str = "spent";
/// Held by sends under way, and by those whose outcome is unknown.
pub(crate) const RESERVED: &str = "reserved";
/// The part of `reserved` whose outcome is unknown: it stays.
pub(crate) const UNKNOWN: &str = "unknown";

/// A change of one budget row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) deltas: Counters,
    pub(crate) floors: Counters,
}

impl Change {
    fn of<const N: usize>(deltas: [(&'static str, i64); N]) -> Self {
        Change { deltas: deltas.into(), floors: Counters::new() }
    }

    /// Holds an amount, if the cap has room for it.
    pub(crate) fn reserve(amount: i64, cap: Option<i64>) -> Self {
        let mut change = Change::of([(BALANCE, -amount), (RESERVED, amount)]);
        change.floors.extend(cap.map(|cap| (BALANCE, -cap)));
        change
    }

    /// Gives a held amount back: nothing was sent.
    pub(crate) fn release(amount: i64) -> Self {
        Change::of([(BALANCE, amount), (RESERVED, -amount)])
    }

    /// Books what a send cost and frees the rest of what was held for it.
    pub(crate) fn settle(held: i64, spent: i64) -> Self {
        Change::of([(BALANCE, held.saturating_sub(spent)), (RESERVED, -held), (SPENT, spent)])
    }

    /// Leaves the amount charged and notes that its outcome is unknown.
    pub(crate) fn leave(held: i64) -> Self {
        Change::of([(UNKNOWN, held)])
    }
}

/// Changes that dropped reservations left behind. Nothing waits in a drop: the next call applies them.
#[derive(Debug)]
pub(crate) struct DeferredReleases<K>(Arc<Mutex<VecDeque<(K, Change)>>>);

impl<K> DeferredReleases<K> {
    /// Nothing left behind yet.
    pub(crate) fn new() -> Self {
        DeferredReleases(Arc::new(Mutex::new(VecDeque::new())))
    }

    /// A reservation of this amount, on no row yet.
    pub(crate) fn reservation(&self, amount: i64) -> Reservation<K> {
        Reservation {
            rows: Vec::new(),
            amount,
            sent_flag: SentFlag::default(),
            deferred: DeferredReleases(self.0.clone()),
        }
    }

    /// The next change that was left behind.
    pub(crate) fn pop(&self) -> Option<(K, Change)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Money held for one send. Dropped before the request has left it is given back; after, it stays charged at its ceiling,
/// marked unknown. A process that is killed does neither: the amount stays reserved.
#[derive(Debug)]
pub(crate) struct Reservation<K> {
    rows: Vec<K>,
    amount: i64,
    sent_flag: SentFlag,
    deferred: DeferredReleases<K>,
}

impl<K> Reservation<K> {
    /// The amount is held on this row too.
    pub(crate) fn took(&mut self, row: K) {
        self.rows.push(row);
    }

    /// What tells that the send may be on the bill.
    pub(crate) fn sent_flag(&self) -> SentFlag {
        self.sent_flag.clone()
    }

    /// The first row and the amount, to be kept elsewhere and settled later: a drop gives nothing back.
    pub(crate) fn detached(mut self) -> (Option<K>, i64) {
        (std::mem::take(&mut self.rows).into_iter().next(), self.amount)
    }

    /// Ends the reservation: its rows and the change that each of them takes. `spent` is none where it is unknown.
    pub(crate) fn close(mut self, spent: Option<i64>) -> (Vec<K>, Change) {
        let change = match spent {
            Some(spent) => Change::settle(self.amount, spent),
            None => Change::leave(self.amount),
        };
        (std::mem::take(&mut self.rows), change)
    }
}

impl<K> Drop for Reservation<K> {
    fn drop(&mut self) {
        if self.rows.is_empty() || self.amount == 0 {
            return;
        }
        let left = self.sent_flag.is_sent();
        let change = if left { Change::leave(self.amount) } else { Change::release(self.amount) };
        let mut deferred = self.deferred.0.lock().unwrap_or_else(PoisonError::into_inner);
        deferred.extend(self.rows.drain(..).map(|row| (row, change.clone())));
    }
}
