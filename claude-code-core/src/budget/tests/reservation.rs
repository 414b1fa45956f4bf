use crate::budget::reservation::{BALANCE, Change, DeferredReleases, RESERVED, SPENT, UNKNOWN};
use crate::state::Counters;

fn deltas<const N: usize>(deltas: [(&'static str, i64); N]) -> Counters {
    deltas.into()
}

fn left(deferred: &DeferredReleases<&'static str>) -> Vec<(&'static str, Change)> {
    std::iter::from_fn(|| deferred.pop()).collect()
}

#[test]
fn each_change_moves_its_counters_together() {
    let reserve = Change::reserve(10, Some(25));
    assert_eq!(reserve.deltas, deltas([(BALANCE, -10), (RESERVED, 10)]));
    assert_eq!(reserve.floors, deltas([(BALANCE, -25)]), "the cap of the moment is the floor");
    assert!(Change::reserve(10, None).floors.is_empty());
    let release = Change::release(10);
    assert_eq!((release.deltas, release.floors), (deltas([(BALANCE, 10), (RESERVED, -10)]), Counters::new()));
    let settle = Change::settle(10, 4);
    assert_eq!(settle.deltas, deltas([(BALANCE, 6), (RESERVED, -10), (SPENT, 4)]));
    assert_eq!(Change::settle(10, 13).deltas[BALANCE], -3, "what cost more than was held is charged too");
    assert_eq!(Change::leave(10).deltas, deltas([(UNKNOWN, 10)]));
}

#[test]
fn a_reservation_that_is_dropped_before_it_was_sent_is_given_back_on_each_row() {
    let deferred = DeferredReleases::new();
    let mut reservation = deferred.reservation(10);
    reservation.took("all");
    reservation.took("own");
    assert!(left(&deferred).is_empty(), "nothing before the drop");
    drop(reservation);
    assert_eq!(left(&deferred), [("all", Change::release(10)), ("own", Change::release(10))]);
}

#[test]
fn one_that_is_dropped_after_it_was_sent_stays_charged_and_is_marked() {
    let deferred = DeferredReleases::new();
    let mut reservation = deferred.reservation(10);
    reservation.took("all");
    reservation.sent_flag().mark();
    drop(reservation);
    assert_eq!(left(&deferred), [("all", Change::leave(10))]);
}

#[test]
fn what_holds_nothing_leaves_nothing_behind() {
    let deferred = DeferredReleases::new();
    drop(deferred.reservation(10));
    let mut free = deferred.reservation(0);
    free.took("all");
    drop(free);
    assert!(left(&deferred).is_empty());
}

#[test]
fn a_closed_reservation_gives_its_rows_and_their_change_once() {
    let deferred = DeferredReleases::new();
    for (spent, expected) in [(Some(4), Change::settle(10, 4)), (None, Change::leave(10))] {
        let mut reservation = deferred.reservation(10);
        reservation.took("all");
        reservation.took("own");
        reservation.sent_flag().mark();
        assert_eq!(reservation.close(spent), (vec!["all", "own"], expected));
        assert!(left(&deferred).is_empty(), "the drop adds nothing");
    }
}
