use std::time::Duration;

use super::{Fault, MINUTE, NOON, State, caps, ledger};
use crate::budget::ledger::Ledger;
use crate::budget::{BudgetView, Caps};
use crate::error::ErrorKind;
use crate::money::price::{Cost, PicoUsd};
use crate::state::Scope;

fn priced(pico: u64) -> Cost {
    Cost::Priced(PicoUsd(pico))
}

fn figures(view: BudgetView) -> (u64, u64, u64) {
    (view.spent.0, view.reserved.0, view.unknown.0)
}

async fn view(ledger: &Ledger, scope: &Scope) -> (u64, u64, u64) {
    figures(ledger.view(scope).await.unwrap())
}

#[tokio::test]
async fn a_send_is_reserved_on_the_scopes_row_and_on_everybodys_and_settled_on_both() {
    let (state, ann) = (State::new(), Scope::authenticated("ann"));
    let ledger = ledger(&state, caps(None, None));
    let held = ledger.reserve(&ann, priced(10), MINUTE).await.unwrap();
    assert_eq!(view(&ledger, &ann).await, (0, 10, 0));
    ledger.settle(held, priced(4), false, MINUTE).await;
    assert_eq!(view(&ledger, &ann).await, (4, 0, 0));
    assert_eq!(view(&ledger, &Scope::authenticated("bob")).await, (0, 0, 0));
    let rows: Vec<String> = state.changes().into_iter().map(|(key, _)| key).collect();
    let [all, own] = ["BUDGET#%all#2026-11-21", "BUDGET#ann#2026-11-21"];
    assert_eq!(rows, [own, all, own, own, all], "it moves on as sent only when both rows have it");
    let added = state.added.lock().unwrap();
    assert!(added.iter().all(|(_, addition)| addition.expires_at.0 == NOON + 40 * 86_400_000));
    let first = &added[0].1.initial;
    assert!(first.len() == 4 && first.values().all(|start| *start == 0), "{first:?}");
}

#[tokio::test]
async fn an_unknown_outcome_stays_charged_at_its_ceiling() {
    let (state, own) = (State::new(), Scope::local());
    let ledger = ledger(&state, caps(Some(15), None));
    let held = ledger.reserve(&own, priced(10), MINUTE).await.unwrap();
    ledger.settle(held, priced(4), true, MINUTE).await;
    assert_eq!(view(&ledger, &own).await, (0, 10, 10));
    assert!(ledger.reserve(&own, priced(6), MINUTE).await.is_err());
    assert!(ledger.reserve(&own, priced(5), MINUTE).await.is_ok(), "the cap itself may be reached");
}

#[tokio::test]
async fn a_refusal_names_the_cap_its_figures_and_its_setting() {
    let (state, own) = (State::new(), Scope::local());
    let dollar = 1_000_000_000_000;
    let open = ledger(&state, caps(None, None));
    let first = open.reserve(&own, priced(2 * dollar), MINUTE).await.unwrap();
    open.settle(first, priced(dollar), false, MINUTE).await;
    let _held = open.reserve(&own, priced(2 * dollar), MINUTE).await.unwrap();
    let figures =
        "is $5: $1 is spent, $2 is reserved, and this send can cost $3: wait until midnight UTC or raise";
    for (caps, whose, setting) in [
        (caps(Some(5 * dollar), None), "the day's cap", "MAX_USD_PER_DAY"),
        (caps(None, Some(5 * dollar)), "this user's cap for the day", "MAX_USD_PER_DAY_PER_SCOPE"),
    ] {
        let error = ledger(&state, caps).reserve(&own, priced(3 * dollar), MINUTE).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Budget, &*format!("{whose} {figures} {setting}"))
        );
    }
}

#[tokio::test]
async fn what_either_cap_refuses_is_given_back_to_the_other_row() {
    for (caps, refusing) in
        [(caps(Some(100), Some(5)), "this user's cap"), (caps(Some(5), Some(100)), "the day's cap")]
    {
        let (state, ann) = (State::new(), Scope::authenticated("ann"));
        let ledger = ledger(&state, caps);
        let refused = ledger.reserve(&ann, priced(10), MINUTE).await.unwrap_err();
        assert!(refused.message().starts_with(refusing), "{refused}");
        let left: Vec<i64> = state
            .totals()
            .await
            .into_values()
            .map(|totals| totals.get("balance").copied().unwrap_or(0))
            .collect();
        assert!(left.iter().all(|balance| *balance == 0), "{left:?}");
    }
}

#[tokio::test]
async fn of_a_dropped_send_the_next_call_applies_what_it_left() {
    let (state, own) = (State::new(), Scope::local());
    let ledger = ledger(&state, caps(None, None));
    drop(ledger.reserve(&own, priced(10), MINUTE).await.unwrap());
    assert_eq!(view(&ledger, &own).await, (0, 0, 0), "nothing was sent");
    let held = ledger.reserve(&own, priced(10), MINUTE).await.unwrap();
    held.sent_flag().mark();
    drop(held);
    assert_eq!(view(&ledger, &own).await, (0, 10, 10));
}

#[tokio::test]
async fn an_unpriced_send_is_refused_under_a_cap_and_counts_as_nothing_without() {
    let (state, own) = (State::new(), Scope::local());
    for capped in [caps(Some(7), None), caps(None, Some(7)), caps(Some(9), Some(7))] {
        let error = ledger(&state, capped).reserve(&own, Cost::UNPRICED, MINUTE).await.unwrap_err();
        let told = "the model has no known price and $0.000000000007 is the day's cap: name a model of the catalogue";
        assert_eq!((error.kind(), error.message()), (ErrorKind::Budget, told));
    }
    assert!(state.changes().is_empty());
    let open = ledger(&state, caps(None, None));
    let held = open.reserve(&own, Cost::Unpriced { known: PicoUsd(3) }, MINUTE).await.unwrap();
    open.settle(held, Cost::Unpriced { known: PicoUsd(3) }, false, MINUTE).await;
    assert_eq!(view(&open, &own).await, (3, 0, 0), "what is known of it is spent");
}

#[tokio::test]
async fn samples_are_counted_nowhere() {
    let (state, own) = (State::new(), Scope::local());
    let free = ledger(&state, Caps { free: true, ..caps(Some(1), Some(1)) });
    let held = free.reserve(&own, priced(10), MINUTE).await.unwrap();
    free.settle(held, Cost::ZERO, false, MINUTE).await;
    assert!(state.changes().is_empty());
}

#[tokio::test]
async fn of_two_caps_the_one_with_less_left_is_viewed_and_the_scopes_where_they_are_even() {
    let (state, ann) = (State::new(), Scope::authenticated("ann"));
    let open = ledger(&state, caps(None, None));
    let held = open.reserve(&Scope::authenticated("bob"), priced(10), MINUTE).await.unwrap();
    for (caps, cap, reserved) in [
        // Everybody has 20 - 10 left, the scope 30, 10 or 9.
        (caps(Some(20), Some(30)), Some(20), 10),
        (caps(Some(20), Some(10)), Some(10), 0),
        (caps(Some(20), Some(9)), Some(9), 0),
        (caps(Some(20), None), Some(20), 10),
        (caps(None, Some(30)), Some(30), 0),
        (caps(None, None), None, 0),
    ] {
        let view = ledger(&state, caps).view(&ann).await.unwrap();
        assert_eq!((view.cap.map(|cap| cap.0), view.reserved.0), (cap, reserved));
        assert!(!view.stopped);
    }
    drop(held);
}

#[tokio::test]
async fn a_view_tells_that_sending_is_stopped_for_everybody_or_for_the_scope() {
    let (ann, bob) = (Scope::authenticated("ann"), Scope::authenticated("bob"));
    let ledger = ledger(&State::new(), caps(None, None));
    ledger.kill_switch.set(&ann, true).await.unwrap();
    let stopped = async |scope: &Scope| ledger.view(scope).await.unwrap().stopped;
    assert_eq!((stopped(&ann).await, stopped(&bob).await), (true, false));
    assert_eq!(ledger.reserve(&ann, priced(1), MINUTE).await.unwrap_err().kind(), ErrorKind::Budget);
    ledger.kill_switch.set(&Scope::all(), true).await.unwrap();
    assert!(stopped(&bob).await);
}

#[tokio::test]
async fn a_state_that_is_down_refuses_under_a_cap_and_stops_nobody_without() {
    let (state, own) = (State::new(), Scope::local());
    state.is(Fault::Down);
    for capped in [caps(Some(100), None), caps(None, Some(100))] {
        let error = ledger(&state, capped).reserve(&own, priced(1), MINUTE).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Storage, "the table is gone"));
    }
    let open = ledger(&state, caps(None, None));
    let held = open.reserve(&own, priced(1), MINUTE).await.unwrap();
    state.is(Fault::None);
    open.settle(held, priced(1), false, MINUTE).await;
    assert!(state.changes().is_empty(), "what was not reserved is not settled");
    assert!(ledger(&state, caps(None, None)).view(&own).await.is_ok());
    state.is(Fault::Down);
    assert_eq!(open.view(&own).await.unwrap_err().kind(), ErrorKind::Storage);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_hangs_is_awaited_for_a_part_of_the_time() {
    let (state, own) = (State::new(), Scope::local());
    let (capped, open) = (ledger(&state, caps(Some(100), None)), ledger(&state, caps(None, None)));
    let held = open.reserve(&own, priced(1), MINUTE).await.unwrap();
    state.is(Fault::Hangs);
    let began = tokio::time::Instant::now();
    let error = capped.reserve(&own, priced(1), Duration::from_secs(8)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("did not answer in time"), "{}", error.message());
    assert_eq!(began.elapsed(), Duration::from_secs(2), "a quarter");
    let unheld = open.reserve(&own, priced(1), Duration::from_secs(8)).await.unwrap();
    open.settle(unheld, priced(1), false, Duration::from_secs(8)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(4), "nothing is held, so nothing is settled");
    open.settle(held, priced(1), false, Duration::from_secs(8)).await;
    assert_eq!(began.elapsed(), Duration::from_secs(12));
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_was_seen_counts_while_the_state_hangs() {
    let (state, own) = (State::new(), Scope::local());
    let ledger = ledger(&state, caps(None, None));
    ledger.kill_switch.set(&own, true).await.unwrap();
    state.is(Fault::Hangs);
    assert_eq!(ledger.reserve(&own, priced(1), MINUTE).await.unwrap_err().kind(), ErrorKind::Budget);
}

#[tokio::test]
async fn amounts_beyond_a_quarter_of_the_range_are_held_there() {
    let (state, own) = (State::new(), Scope::local());
    let ledger = ledger(&state, caps(None, None));
    let _held = ledger.reserve(&own, Cost::Priced(PicoUsd::MAX), MINUTE).await.unwrap();
    let quarter = u64::try_from(i64::MAX / 4).unwrap();
    assert_eq!(view(&ledger, &own).await, (0, quarter, 0));
    let _other = ledger.reserve(&own, Cost::Priced(PicoUsd::MAX), MINUTE).await.unwrap();
    assert_eq!(view(&ledger, &own).await, (0, 2 * quarter, 0), "and sums do not wrap");
}

#[test]
fn the_tightest_cap_is_the_smaller_of_those_that_are_set() {
    for (all, each, tightest) in [
        (Some(2), Some(3), Some(2)),
        (Some(3), Some(2), Some(2)),
        (None, Some(1), Some(1)),
        (None, None, None),
    ] {
        assert_eq!(caps(all, each).tightest().map(|cap| cap.0), tightest);
    }
    let view = |cap: Option<u64>, spent, reserved| BudgetView {
        cap: cap.map(PicoUsd),
        spent: PicoUsd(spent),
        reserved: PicoUsd(reserved),
        unknown: PicoUsd::ZERO,
        stopped: false,
    };
    assert_eq!(view(Some(10), 3, 4).left(), 3);
    assert_eq!(view(Some(10), 8, 4).left(), 0);
    assert_eq!(view(None, 8, 4).left(), u64::MAX, "without a cap there is no end");
}
