//! What processes that died had reserved: given back where it cannot have been sent, charged where it may have been.

use std::mem::forget;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::{Fault, Hand, MINUTE, State, caps};
use crate::budget::Caps;
use crate::budget::ledger::{Ledger, Reservation};
use crate::budget::reservation::{Change, Slot};
use crate::clock::Clock;
use crate::error::ErrorKind;
use crate::money::price::{Cost, PicoUsd};
use crate::state::{Scope, StateKey, StateKind};

const TEN: Cost = Cost::Priced(PicoUsd(10));
/// A slot of time, and what is promised of the dead.
const SLOT: Duration = Duration::from_secs(15);

/// A process: its ledger over what it shares with others.
fn process(state: &Arc<State>, clock: &Arc<Hand>, caps: Caps) -> Ledger {
    Ledger::new(state.clone(), clock.clone(), caps)
}

async fn figures(ledger: &Ledger) -> (u64, u64, u64) {
    let view = ledger.view(&Scope::local()).await.unwrap();
    (view.spent.0, view.reserved.0, view.unknown.0)
}

fn row(scope: &Scope) -> StateKey {
    StateKey::new(StateKind::Budget, scope, "2026-11-21")
}

/// A process that dies between its first write and its second: nothing was sent.
async fn dies_before_it_sends(ledger: &Ledger, clock: &Hand) {
    let change = Change::reserve(10, None, Slot::Unsent(clock.now().0 / 15_000));
    ledger.apply(&row(&Scope::local()), &change).await.unwrap();
}

#[tokio::test]
async fn what_a_dead_process_may_have_sent_is_unknown_within_a_minute_and_stays_charged() {
    let (state, clock) = (State::new(), Hand::at_noon());
    let died = process(&state, &clock, caps(Some(15), None));
    forget(died.reserve(&Scope::local(), TEN, MINUTE).await.unwrap());
    let other = process(&state, &clock, caps(Some(15), None));
    assert_eq!(figures(&other).await, (0, 10, 0), "it may live");
    clock.moves(MINUTE);
    assert_eq!(figures(&other).await, (0, 10, 10));
    let refused = other.reserve(&Scope::local(), TEN, MINUTE).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Budget, "the provider may bill it: {refused}");
}

#[tokio::test]
async fn what_a_dead_process_cannot_have_sent_is_given_back_within_a_minute() {
    let (state, clock) = (State::new(), Hand::at_noon());
    let caps = caps(None, Some(15));
    dies_before_it_sends(&process(&state, &clock, caps), &clock).await;
    let other = process(&state, &clock, caps);
    assert_eq!(other.reserve(&Scope::local(), TEN, MINUTE).await.unwrap_err().kind(), ErrorKind::Budget);
    clock.moves(MINUTE);
    let written = state.changes().len();
    assert_eq!(figures(&other).await, (0, 0, 0));
    assert_eq!(state.changes().len(), written, "a look writes nothing");
    let held = other.reserve(&Scope::local(), TEN, MINUTE).await.unwrap();
    assert_eq!(figures(&other).await, (0, 10, 0), "there is room for it now");
    other.settle(held, Cost::Priced(PicoUsd(4)), false, MINUTE).await;
    assert_eq!(figures(&other).await, (4, 0, 0));
}

#[tokio::test]
async fn several_that_meet_the_same_dead_process_give_it_back_once() {
    let (state, clock) = (State::new(), Hand::at_noon());
    dies_before_it_sends(&process(&state, &clock, caps(None, None)), &clock).await;
    clock.moves(MINUTE);
    for _ in 0..3 {
        let open = process(&state, &clock, caps(None, None));
        let both = [
            open.reserve(&Scope::local(), TEN, MINUTE).await,
            open.reserve(&Scope::local(), TEN, MINUTE).await,
        ];
        for held in both {
            open.settle(held.unwrap(), Cost::ZERO, false, MINUTE).await;
        }
        open.settle_deferred().await;
    }
    for (key, totals) in state.totals().await {
        assert!(totals.values().all(|total| *total == 0), "{key}: {totals:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_that_goes_on_for_long_is_not_taken_for_a_dead_one() {
    let (state, clock) = (State::new(), Hand::at_noon());
    let (sends, looks) =
        (process(&state, &clock, caps(None, None)), process(&state, &clock, caps(None, None)));
    let mut held = sends.reserve(&Scope::local(), TEN, MINUTE).await.unwrap();
    let work = async {
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_secs(10)).await;
            clock.moves(Duration::from_secs(10));
            assert_eq!(figures(&looks).await, (0, 10, 0));
        }
    };
    sends.keep(&mut held, work).await;
    sends.settle(held, Cost::Priced(PicoUsd(4)), false, MINUTE).await;
    assert_eq!(figures(&looks).await, (4, 0, 0));
}

#[tokio::test]
async fn a_send_whose_process_stood_still_is_settled_as_if_it_had_not() {
    let (state, clock) = (State::new(), Hand::at_noon());
    let sends = process(&state, &clock, caps(Some(100), None));
    let held = sends.reserve(&Scope::local(), TEN, MINUTE).await.unwrap();
    clock.moves(MINUTE * 10);
    let other = process(&state, &clock, caps(Some(100), None));
    assert_eq!(figures(&other).await, (0, 10, 10), "it is taken for dead");
    let between = other.reserve(&Scope::local(), TEN, MINUTE).await.unwrap();
    other.settle(between, Cost::Priced(PicoUsd(1)), false, MINUTE).await;
    sends.settle(held, Cost::Priced(PicoUsd(4)), false, MINUTE).await;
    assert_eq!(figures(&other).await, (5, 0, 0));
}

#[tokio::test]
async fn one_that_stood_still_before_it_could_send_is_reserved_anew_under_the_cap() {
    for (cap, is_sent) in [(25, true), (15, false)] {
        let (state, clock) = (State::new(), Hand::at_noon());
        let caps = caps(None, Some(cap));
        let sends = process(&state, &clock, caps);
        let own = row(&Scope::local());
        // Between its two writes the process is paused, and another one takes it for dead and the room for itself.
        let others = process(&state, &clock, caps);
        let moves = clock.clone();
        state.before_next("BUDGET#%all#2026-11-21", async move {
            moves.moves(MINUTE);
            let held = others.reserve(&Scope::local(), TEN, MINUTE).await.unwrap();
            others.settle(held, TEN, false, MINUTE).await;
            others.settle_deferred().await;
        });
        let held = sends.reserve(&Scope::local(), TEN, MINUTE).await;
        assert_eq!(held.is_ok(), is_sent, "{held:?}");
        let charged = -state.totals().await[&own.to_string()]["balance"];
        assert_eq!(
            charged,
            if is_sent { 20 } else { 10 },
            "never more than the cap, never less than was sent"
        );
    }
}

#[tokio::test]
async fn slots_that_are_over_and_empty_go_with_the_next_settlement() {
    let (state, clock) = (State::new(), Hand::at_noon());
    let ledger = process(&state, &clock, caps(None, None));
    for _ in 0..100 {
        let held = ledger.reserve(&Scope::local(), TEN, MINUTE).await.unwrap();
        ledger.settle(held, Cost::ZERO, false, MINUTE).await;
        clock.moves(SLOT);
    }
    for (key, totals) in state.totals().await {
        assert!(totals.len() <= 4 + 2 * 9, "{key} has {} counters", totals.len());
    }
}

#[tokio::test]
async fn a_send_costs_one_write_more_than_its_rows_and_nothing_for_the_dead() {
    let (state, clock) = (State::new(), Hand::at_noon());
    let ledger = process(&state, &clock, caps(Some(1000), None));
    let held = ledger.reserve(&Scope::local(), TEN, MINUTE).await.unwrap();
    ledger.settle(held, Cost::ZERO, false, MINUTE).await;
    assert_eq!(state.changes().len(), 5, "own, all and the move of own; both settled");
    // With the dead of a day in the row it is the same.
    for _ in 0..20 {
        forget(ledger.reserve(&Scope::local(), TEN, MINUTE).await.unwrap());
        clock.moves(MINUTE);
    }
    let before = state.changes().len();
    let held = ledger.reserve(&Scope::local(), TEN, MINUTE).await.unwrap();
    ledger.settle(held, Cost::ZERO, false, MINUTE).await;
    assert_eq!(state.changes().len(), before + 5);
    assert_eq!(figures(&ledger).await, (0, 200, 200));
}

#[tokio::test]
async fn a_job_whose_process_was_paused_while_its_money_was_reserved_is_held_all_the_same() {
    let (state, clock) = (State::new(), Hand::at_noon());
    let (sends, others) =
        (process(&state, &clock, caps(None, None)), process(&state, &clock, caps(None, None)));
    let moves = clock.clone();
    state.before_next("BUDGET#%all#2026-11-21", async move {
        moves.moves(MINUTE);
        drop(others.reserve(&Scope::local(), TEN, MINUTE).await.unwrap());
        others.settle_deferred().await;
    });
    let (day, amount) = sends.reserve_detached(&Scope::local(), TEN, MINUTE).await.unwrap().unwrap();
    clock.moves(MINUTE * 60);
    assert_eq!(figures(&sends).await, (0, 10, 0), "jobs outlive processes");
    sends.settle_detached(&Scope::local(), &day, amount, PicoUsd(4)).await;
    assert_eq!(figures(&sends).await, (4, 0, 0));
    for (key, totals) in state.totals().await {
        assert_eq!(totals["balance"], -4, "{key}: {totals:?}");
    }
}

#[tokio::test]
async fn a_caller_that_hangs_up_while_its_money_is_reserved_holds_nothing_a_minute_later() {
    for row in ["BUDGET#local#2026-11-21", "BUDGET#%all#2026-11-21"] {
        let (state, clock) = (State::new(), Hand::at_noon());
        let ledger = process(&state, &clock, caps(Some(15), Some(15)));
        state.before_next(row, std::future::pending());
        let scope = Scope::local();
        assert!(ledger.reserve(&scope, TEN, MINUTE).now_or_never().is_none(), "it waits for {row}");
        clock.moves(MINUTE);
        assert_eq!(figures(&ledger).await, (0, 0, 0), "{row}");
        assert!(ledger.reserve(&scope, TEN, MINUTE).await.is_ok());
    }
}

/// The store fails when the amount on the scope's row is moved on, right before the send.
async fn fails_before_the_send(state: &Arc<State>, ledger: &Ledger) -> crate::error::Result<Reservation> {
    let failing = state.clone();
    state.before_next("BUDGET#%all#2026-11-21", async move { failing.is(Fault::Down) });
    let held = ledger.reserve(&Scope::local(), TEN, MINUTE).await;
    state.is(Fault::None);
    held
}

#[tokio::test]
async fn a_store_that_fails_right_before_the_send_stops_it_where_there_is_a_cap() {
    let (state, clock) = (State::new(), Hand::at_noon());
    let capped = process(&state, &clock, caps(Some(15), None));
    let refused = fails_before_the_send(&state, &capped).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Storage, "{refused}");
    assert_eq!(
        figures(&capped).await,
        (0, 10, 0),
        "what cannot be given back stays charged, and never twice"
    );
}

#[tokio::test]
async fn without_a_cap_such_a_send_is_recorded_also_where_it_was_taken_for_a_dead_ones() {
    let (state, clock) = (State::new(), Hand::at_noon());
    let slow = process(&state, &clock, caps(None, None));
    let held = fails_before_the_send(&state, &slow).await.unwrap();
    clock.moves(MINUTE);
    let others = process(&state, &clock, caps(None, None));
    drop(others.reserve(&Scope::local(), TEN, MINUTE).await.unwrap());
    others.settle_deferred().await;
    assert_eq!(
        state.totals().await[&row(&Scope::local()).to_string()]["balance"],
        0,
        "given back as a dead one's"
    );
    slow.settle(held, Cost::Priced(PicoUsd(4)), false, MINUTE).await;
    assert_eq!(figures(&slow).await, (4, 0, 0));
    for (key, totals) in state.totals().await {
        assert_eq!(totals["balance"], -4, "{key}: {totals:?}");
    }
}
