//! The budget's cell: counters that change together or not at all, and reservations on them. It knows no store and no clock;
//! `loom-tests` runs this very file under every order of its threads.

use std::collections::VecDeque;

use crate::provider::sent_flag::SentFlag;
use crate::state::counters::{CounterName, Counters};
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

/// How long a slot is.
pub(crate) const SLOT_MS: i64 = 15_000;
/// A slot that is so many behind has no owner that lives: each renews what it holds every ten seconds.
const DEAD: i64 = 3;
/// An empty slot that is so many behind is removed: no owner that is late comes back to it.
const GONE: i64 = 8;

/// A slot of time in a row: the counter of what was reserved, or last renewed, within those fifteen seconds. What stays in
/// one that is over belongs to processes that died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Nothing can have been sent: a dead process's part is given back.
    Unsent(i64),
    /// It may have been sent, and billed: a dead process's part stays charged.
    Sent(i64),
}

impl Slot {
    fn name(self) -> CounterName {
        match self {
            Slot::Unsent(number) => format!("unsent@{number}").into(),
            Slot::Sent(number) => format!("sent@{number}").into(),
        }
    }

    fn named(name: &str) -> Option<Self> {
        let (kind, number) = name.split_once('@')?;
        let number = number.parse().ok()?;
        match kind {
            "unsent" => Some(Slot::Unsent(number)),
            "sent" => Some(Slot::Sent(number)),
            _ => None,
        }
    }

    pub(crate) fn is_unsent(self) -> bool {
        matches!(self, Slot::Unsent(_))
    }

    pub(crate) fn number(self) -> i64 {
        let (Slot::Unsent(number) | Slot::Sent(number)) = self;
        number
    }
}

/// What dead processes left in a row, as it is in this slot of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftBehind {
    /// What can be given back, slot by slot.
    pub(crate) unsent: Vec<(Slot, i64)>,
    /// What stays charged.
    pub(crate) sent: i64,
    /// Empty slots that can go.
    pub(crate) empty: Vec<CounterName>,
}

impl LeftBehind {
    pub(crate) fn of(totals: &Counters, now: i64) -> Self {
        let mut left = LeftBehind::default();
        for (name, amount) in totals {
            match Slot::named(name).map(|slot| (slot, now - slot.number())) {
                Some((_, behind)) if *amount == 0 && behind >= GONE => left.empty.push(name.clone()),
                Some((slot @ Slot::Unsent(_), behind)) if *amount > 0 && behind >= DEAD => {
                    left.unsent.push((slot, *amount));
                }
                Some((Slot::Sent(_), behind)) if behind >= DEAD => left.sent += *amount,
                _ => {}
            }
        }
        left
    }
}

/// A change of one budget row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) deltas: Counters,
    pub(crate) floors: Counters,
    pub(crate) removed: Vec<CounterName>,
}

impl Change {
    fn of<const N: usize>(deltas: [(&'static str, i64); N]) -> Self {
        let deltas = deltas.into_iter().map(|(name, delta)| (name.into(), delta)).collect();
        Change { deltas, ..Change::default() }
    }

    /// Takes the amount out of a slot. Out of one that others may give back it can be taken only while it is there.
    fn out_of(mut self, slot: Slot, amount: i64) -> Self {
        if amount != 0 {
            self.deltas.insert(slot.name(), -amount);
            if let Slot::Unsent(_) = slot {
                self.floors.insert(slot.name(), 0);
            }
        }
        self
    }

    fn into(mut self, slot: Slot, amount: i64) -> Self {
        if amount != 0 {
            self.deltas.insert(slot.name(), amount);
        }
        self
    }

    /// Holds an amount, in no slot.
    pub(crate) fn hold(amount: i64) -> Self {
        Change::of([(BALANCE, -amount), (RESERVED, amount)])
    }

    /// Holds an amount in this slot, if the cap has room for it.
    pub(crate) fn reserve(amount: i64, cap: Option<i64>, slot: Slot) -> Self {
        let mut change = Change::hold(amount).into(slot, amount);
        change.floors.extend(cap.map(|cap| (BALANCE.into(), -cap)));
        change
    }

    /// Takes a held amount from one slot into another.
    pub(crate) fn renew(amount: i64, from: Slot, to: Slot) -> Self {
        Change::default().out_of(from, amount).into(to, amount)
    }

    /// Leaves the amount reserved, in no slot: what holds it outlives the process.
    pub(crate) fn detach(amount: i64, slot: Slot) -> Self {
        Change::default().out_of(slot, amount)
    }

    /// Gives a held amount back: nothing was sent.
    pub(crate) fn release(amount: i64, slot: Slot) -> Self {
        Change::of([(BALANCE, amount), (RESERVED, -amount)]).out_of(slot, amount)
    }

    /// Books what a detached reservation cost and frees the rest of it.
    pub(crate) fn settle_detached(held: i64, spent: i64) -> Self {
        Change::of([(BALANCE, held.saturating_sub(spent)), (RESERVED, -held), (SPENT, spent)])
    }

    /// Books what a send cost and frees the rest of what was held for it.
    pub(crate) fn settle(held: i64, spent: i64, slot: Slot) -> Self {
        Change::settle_detached(held, spent).out_of(slot, held)
    }

    /// Leaves the amount charged and notes that its outcome is unknown.
    pub(crate) fn leave(held: i64, slot: Slot) -> Self {
        Change::of([(UNKNOWN, held)]).out_of(slot, held)
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

    /// A change to be made by the next call.
    pub(crate) fn push(&self, key: K, change: Change) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back((key, change));
    }
}

/// A row on which an amount is held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HeldRow<K> {
    pub(crate) key: K,
    /// Where the amount is.
    pub(crate) slot: Slot,
    /// Slots of the row that can go.
    pub(crate) empty: Vec<CounterName>,
}

/// Money held for one send. Dropped before the request has left it is given back; after, it stays charged at its ceiling,
/// marked unknown. Of a process that is killed the [slot](Slot) tells the same.
#[derive(Debug)]
pub(crate) struct Reservation<K> {
    pub(crate) rows: Vec<HeldRow<K>>,
    amount: i64,
    sent_flag: SentFlag,
    deferred: DeferredReleases<K>,
}

impl<K> Reservation<K> {
    /// The amount is held on this row too.
    pub(crate) fn took(&mut self, key: K, slot: Slot, empty: Vec<CounterName>) {
        self.rows.push(HeldRow { key, slot, empty });
    }

    /// How much is held on each row.
    pub(crate) fn amount(&self) -> i64 {
        self.amount
    }

    /// What tells that the send may be on the bill.
    pub(crate) fn sent_flag(&self) -> SentFlag {
        self.sent_flag.clone()
    }

    /// The rows, each with the change that lets go of its slot, and the amount, to be kept elsewhere and settled later: a
    /// drop gives nothing back.
    pub(crate) fn detached(mut self) -> (Vec<(K, Change)>, i64) {
        let amount = self.amount;
        let rows = std::mem::take(&mut self.rows).into_iter();
        (rows.map(|row| (row.key, Change::detach(amount, row.slot))).collect(), amount)
    }

    /// Ends the reservation: its rows and the change that each of them takes. `spent` is none where it is unknown.
    pub(crate) fn close(mut self, spent: Option<i64>) -> Vec<(K, Change)> {
        let held = self.amount;
        let close = |row: HeldRow<K>| {
            let change = match spent {
                Some(spent) => Change::settle(held, spent, row.slot),
                None => Change::leave(held, row.slot),
            };
            (row.key, Change { removed: row.empty, ..change })
        };
        std::mem::take(&mut self.rows).into_iter().map(close).collect()
    }
}

impl<K> Drop for Reservation<K> {
    fn drop(&mut self) {
        if self.amount == 0 {
            return;
        }
        let sent = self.sent_flag.is_sent();
        for row in self.rows.drain(..) {
            let change = match sent {
                true => Change::leave(self.amount, row.slot),
                false => Change::release(self.amount, row.slot),
            };
            self.deferred.push(row.key, change);
        }
    }
}
