use crate::budget::reservation::{
    BALANCE, Change, DeferredReleases, LeftBehind, RESERVED, SPENT, Slot, UNKNOWN,
};
use crate::state::Counters;

const SENT: Slot = Slot::Sent(7);
const UNSENT: Slot = Slot::Unsent(7);

fn counters<const N: usize>(named: [(&'static str, i64); N]) -> Counters {
    named.into_iter().map(|(name, count)| (name.into(), count)).collect()
}

fn left(deferred: &DeferredReleases<&'static str>) -> Vec<(&'static str, Change)> {
    std::iter::from_fn(|| deferred.pop()).collect()
}

#[test]
fn each_change_moves_its_counters_together() {
    let reserve = Change::reserve(10, Some(25), UNSENT);
    assert_eq!(reserve.deltas, counters([(BALANCE, -10), (RESERVED, 10), ("unsent@7", 10)]));
    assert_eq!(reserve.floors, counters([(BALANCE, -25)]), "the cap of the moment is the floor");
    assert!(Change::reserve(10, None, SENT).floors.is_empty());
    let release = Change::release(10, SENT);
    assert_eq!(release.deltas, counters([(BALANCE, 10), (RESERVED, -10), ("sent@7", -10)]));
    assert!(release.floors.is_empty());
    let settle = Change::settle(10, 4, SENT);
    assert_eq!(settle.deltas, counters([(BALANCE, 6), (RESERVED, -10), (SPENT, 4), ("sent@7", -10)]));
    let over = Change::settle(10, 13, SENT);
    assert_eq!(over.deltas[BALANCE], -3, "what cost more than was held is charged too");
    assert_eq!(Change::leave(10, SENT).deltas, counters([(UNKNOWN, 10), ("sent@7", -10)]));
    let detached = Change::settle_detached(10, 4);
    assert_eq!(detached.deltas, counters([(BALANCE, 6), (RESERVED, -10), (SPENT, 4)]));
}

#[test]
fn out_of_what_others_may_give_back_an_amount_is_taken_only_while_it_is_there() {
    let there = counters([("unsent@7", 0)]);
    let moved = Change::renew(10, UNSENT, SENT);
    assert_eq!(moved.deltas, counters([("unsent@7", -10), ("sent@7", 10)]));
    for change in [moved, Change::release(10, UNSENT), Change::detach(10, UNSENT)] {
        assert_eq!(change.floors, there, "{change:?}");
    }
    assert!(Change::renew(10, SENT, Slot::Sent(8)).floors.is_empty(), "nobody takes what may have been sent");
}

#[test]
fn what_is_three_slots_behind_was_left_by_the_dead() {
    let totals = counters([
        ("sent@6", 1),
        ("sent@7", 2),
        ("sent@8", 4),
        ("sent@nine", 8),
        ("spent", 16),
        ("unsent@2", 0),
        ("unsent@3", 0),
        ("unsent@7", 32),
        ("unsent@8", 64),
    ]);
    let left = LeftBehind::of(&totals, 10);
    assert_eq!((left.sent, left.unsent), (3, vec![(UNSENT, 32)]));
    assert_eq!(left.empty, ["unsent@2"], "and an empty one goes when nobody can come back to it");
    assert_eq!(LeftBehind::of(&totals, 8), LeftBehind::default(), "a clock that is behind sees none");
}

#[test]
fn a_reservation_that_is_dropped_before_it_was_sent_is_given_back_on_each_row() {
    let deferred = DeferredReleases::new();
    let mut reservation = deferred.reservation(10);
    reservation.took("own", UNSENT, Vec::new());
    reservation.took("all", SENT, Vec::new());
    assert!(left(&deferred).is_empty(), "nothing before the drop");
    drop(reservation);
    assert_eq!(left(&deferred), [("own", Change::release(10, UNSENT)), ("all", Change::release(10, SENT))]);
}

#[test]
fn one_that_is_dropped_after_it_was_sent_stays_charged_and_is_marked() {
    let deferred = DeferredReleases::new();
    let mut reservation = deferred.reservation(10);
    reservation.took("all", SENT, Vec::new());
    reservation.sent_flag().mark();
    drop(reservation);
    assert_eq!(left(&deferred), [("all", Change::leave(10, SENT))]);
}

#[test]
fn what_holds_nothing_leaves_nothing_behind() {
    let deferred = DeferredReleases::new();
    drop(deferred.reservation(10));
    let mut free = deferred.reservation(0);
    free.took("all", SENT, Vec::new());
    drop(free);
    assert!(left(&deferred).is_empty());
}

#[test]
fn a_closed_reservation_gives_its_rows_and_their_change_once() {
    let deferred = DeferredReleases::new();
    for (spent, expected) in [(Some(4), Change::settle(10, 4, SENT)), (None, Change::leave(10, SENT))] {
        let mut reservation = deferred.reservation(10);
        reservation.took("own", SENT, vec!["sent@1".into()]);
        reservation.took("all", SENT, Vec::new());
        reservation.sent_flag().mark();
        let removes = Change { removed: vec!["sent@1".into()], ..expected.clone() };
        assert_eq!(reservation.close(spent), [("own", removes), ("all", expected)]);
        assert!(left(&deferred).is_empty(), "the drop adds nothing");
    }
}
