//! Callers race for a cap: reserve, send or not, settle, drop.

use std::sync::Arc;

use loom::thread;

use crate::state::counters::{Counters, Rows};
use crate::reservation::{BALANCE, Change, DeferredReleases, LeftBehind, RESERVED, Reservation, SPENT, Slot, UNKNOWN};

const CEILING: i64 = 10;
const COST: i64 = 4;
const UNSENT: Slot = Slot::Unsent(0);
const SENT: Slot = Slot::Sent(0);

/// The two rows of a send: the scope's, which the ledger takes first, and everybody's.
type Key = &'static str;
const ALL: Key = "all";
const OWN: Key = "own";

struct Cell {
    rows: Rows<Key>,
    deferred: DeferredReleases<Key>,
}

impl Cell {
    fn new() -> Arc<Self> {
        Arc::new(Cell { rows: Rows::new(), deferred: DeferredReleases::new() })
    }

    fn apply(&self, row: Key, change: &Change) -> Result<Counters, Counters> {
        self.rows.add(&row, &Counters::new(), &change.deltas, &change.floors, &change.removed)
    }

    /// As `Ledger::reserve`: each row under its own cap, all or nothing; sent only when both have it.
    fn reserve(&self, caps: [Option<i64>; 2]) -> Option<Reservation<Key>> {
        let [all, own] = caps;
        let mut reservation = self.deferred.reservation(CEILING);
        let held = self.apply(OWN, &Change::reserve(CEILING, own, UNSENT)).is_ok() && {
            reservation.took(OWN, UNSENT, Vec::new());
            self.apply(ALL, &Change::reserve(CEILING, all, SENT)).is_ok()
        } && {
            reservation.took(ALL, SENT, Vec::new());
            let moved = self.apply(OWN, &Change::renew(CEILING, UNSENT, SENT)).is_ok()
                || self.apply(OWN, &Change::reserve(CEILING, own, SENT)).is_ok();
            if moved {
                reservation.rows[0].slot = SENT;
            }
            moved
        };
        if !held {
            drop(reservation);
            self.settle_deferred();
            return None;
        }
        Some(reservation)
    }

    fn settle(&self, reservation: Reservation<Key>, spent: Option<i64>) {
        for (row, change) in reservation.close(spent) {
            let _ = self.apply(row, &change);
        }
    }

    fn settle_deferred(&self) {
        while let Some((row, change)) = self.deferred.pop() {
            let _ = self.apply(row, &change);
        }
    }

    /// Balance, spent, reserved and unknown of a row. What is charged is what is spent and reserved, at every moment.
    fn read(&self, row: Key) -> [i64; 4] {
        let nothing = Change::default();
        let totals = self.apply(row, &nothing).unwrap_or_else(|totals| totals);
        let of = |name| totals.get(name).copied().unwrap_or(0);
        assert_eq!(-of(BALANCE), of(SPENT) + of(RESERVED), "{totals:?}");
        [of(BALANCE), of(SPENT), of(RESERVED), of(UNKNOWN)]
    }
}

#[test]
fn callers_who_race_for_a_cap_of_two_get_two() {
    loom::model(|| {
        let cell = Cell::new();
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let cell = cell.clone();
                thread::spawn(move || cell.reserve([Some(2 * CEILING), None]))
            })
            .collect();
        let mine = cell.reserve([Some(2 * CEILING), None]);
        let reservations: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).chain([mine]).collect();
        assert_eq!(reservations.iter().flatten().count(), 2);
        assert_eq!(cell.read(ALL), [-2 * CEILING, 0, 2 * CEILING, 0]);
    });
}

/// A cap with room for one reservation, and for another beside what the first has cost.
const ONE: i64 = CEILING + COST;

/// One caller does this with its reservation, another keeps the own: what the first spent, and both rows at the end.
fn beside(first: fn(&Cell, Reservation<Key>) -> i64) {
    loom::model(move || {
        let cell = Cell::new();
        let other = {
            let cell = cell.clone();
            thread::spawn(move || cell.reserve([Some(ONE), None]).map_or(0, |reservation| first(&cell, reservation)))
        };
        let kept = cell.reserve([Some(ONE), None]);
        assert!(-cell.read(ALL)[0] <= ONE);
        let spent = other.join().unwrap();
        cell.settle_deferred();
        let held = kept.iter().count() as i64 * CEILING;
        assert_eq!(cell.read(ALL), [-spent - held, spent, held, 0]);
        assert_eq!(cell.read(OWN), [-spent - held, spent, held, 0]);
    });
}

#[test]
fn a_cap_holds_while_another_settles() {
    beside(|cell, reservation| {
        reservation.sent_flag().mark();
        cell.settle(reservation, Some(COST));
        COST
    });
}

#[test]
fn a_cap_holds_while_another_gives_up_before_it_sends() {
    beside(|_, reservation| {
        drop(reservation);
        0
    });
}

#[test]
fn callers_with_different_caps_keep_each_its_own() {
    loom::model(|| {
        let cell = Cell::new();
        let tight = {
            let cell = cell.clone();
            thread::spawn(move || cell.reserve([Some(CEILING), None]))
        };
        let wide = cell.reserve([Some(2 * CEILING), None]);
        let tight = tight.join().unwrap();
        assert!(wide.is_some(), "there is room for both under the wide cap");
        assert_eq!(cell.read(ALL)[2], (1 + tight.iter().count() as i64) * CEILING);
    });
}

#[test]
fn what_the_scopes_row_refuses_is_given_back_to_everybodys() {
    loom::model(|| {
        let cell = Cell::new();
        let caps = [Some(3 * CEILING), Some(CEILING)];
        let other = {
            let cell = cell.clone();
            thread::spawn(move || cell.reserve(caps))
        };
        let mine = cell.reserve(caps);
        let other = other.join().unwrap();
        cell.settle_deferred();
        let reservations = mine.iter().count() + other.iter().count();
        assert_eq!(reservations, 1);
        assert_eq!(cell.read(ALL)[2], CEILING);
    });
}

#[test]
fn a_sent_hold_that_is_dropped_stays_charged_and_is_marked_once() {
    loom::model(|| {
        let cell = Cell::new();
        let dropped = {
            let cell = cell.clone();
            thread::spawn(move || {
                let reservation = cell.reserve([None, None]).expect("there is no cap");
                reservation.sent_flag().mark();
                drop(reservation);
            })
        };
        // Another call applies what it finds, at any moment.
        cell.settle_deferred();
        dropped.join().unwrap();
        cell.settle_deferred();
        assert_eq!(cell.read(ALL), [-CEILING, 0, CEILING, CEILING]);
    });
}

#[test]
fn what_the_dead_left_is_given_back_once_and_nobody_sends_without_room() {
    loom::model(|| {
        let cell = Cell::new();
        // A process died before it could send, and a slow one stands where the clock of the others is far ahead.
        cell.apply(OWN, &Change::reserve(CEILING, None, UNSENT)).unwrap();
        let slow = {
            let cell = cell.clone();
            thread::spawn(move || cell.reserve([None, Some(2 * CEILING)]))
        };
        let totals = cell.rows.add(&OWN, &Counters::new(), &Counters::new(), &Counters::new(), &[]).unwrap();
        for (slot, amount) in LeftBehind::of(&totals, 3).unsent {
            let _ = cell.apply(OWN, &Change::release(amount, slot));
        }
        let slow = slow.join().unwrap();
        let [balance, spent, reserved, _] = cell.read(OWN);
        assert!(-balance <= 2 * CEILING && spent == 0, "{balance}");
        assert!(slow.is_none() || reserved >= CEILING, "what may be sent is reserved: {reserved}");
    });
}
