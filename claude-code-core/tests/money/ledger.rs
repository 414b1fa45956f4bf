use std::sync::Arc;
use std::time::Duration;

use claude_code_core::state::memory::MemoryState;
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{ErrorKind, PicoUsd, Policy, Scope, StateStore};
use futures_util::{FutureExt, StreamExt};
use tokio::time::advance;

use super::{Chance, Jittery, REVERSE, capped, ceiling_of, ceilings, on, on_haiku};

fn answering() -> Arc<ScriptedProvider> {
    ScriptedProvider::new([Script::answer(REVERSE)])
}

fn memory() -> Arc<dyn StateStore> {
    Arc::new(MemoryState::default())
}

#[tokio::test(start_paused = true)]
async fn a_cap_that_was_lowered_counts_at_once_and_one_that_was_raised_too() {
    let (provider, state) = (answering(), memory());
    let (wide, tight) = (on(&provider, state.clone(), capped(10)), on(&provider, state.clone(), capped(1)));
    wide.generate(on_haiku(1)).await.unwrap();
    let error = tight.generate(on_haiku(2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    let cap = capped(1).max_usd_per_day.unwrap();
    let spent = wide.budget().await.unwrap().spent;
    for part in
        [format!("${cap}"), format!("${spent} is spent"), "is reserved".into(), "MAX_USD_PER_DAY".into()]
    {
        assert!(error.message().contains(&part), "{part}: {error}");
    }
    on(&provider, state, capped(2)).generate(on_haiku(3)).await.unwrap();
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cap_that_is_set_later_counts_what_was_spent_before() {
    let (provider, state) = (answering(), memory());
    let free = on(&provider, state.clone(), Policy::default());
    free.generate(on_haiku(1)).await.unwrap();
    let error = on(&provider, state, capped(1)).generate(on_haiku(2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget, "the first send used a part of it");
}

#[tokio::test(start_paused = true)]
async fn each_scope_has_its_own_cap_under_that_of_all() {
    let (provider, state) = (answering(), memory());
    let each = PicoUsd(ceilings().1.0 + ceilings().1.0 / 50);
    let policy = Policy { max_usd_per_day_per_scope: Some(each), ..capped(2) };
    let client = on(&provider, state, policy);
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| client.scoped(Scope::authenticated(name)));
    let mut last = None;
    for n in 0..100 {
        if let Err(error) = ann.generate(on_haiku(n)).await {
            last = Some(error);
            break;
        }
    }
    let error = last.expect("a scope's cap ends");
    assert!(error.message().contains("this user's cap") && error.message().contains("PER_SCOPE"), "{error}");
    let before = provider.calls().len();
    assert!(bob.generate(on_haiku(200)).await.is_ok());
    let view = bob.budget().await.unwrap();
    assert_eq!((view.cap, view.reserved), (Some(each), PicoUsd::ZERO));
    assert!(view.spent < ann.budget().await.unwrap().spent);
    // What a scope's row refuses is given back to the day's.
    let mut rest = 0;
    while eve.generate(on_haiku(300 + rest)).await.is_ok() {
        rest += 1;
    }
    assert!(rest > 0 && provider.calls().len() == before + 1 + rest);
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_while_money_is_reserved_gives_it_back() {
    for cut in 1..14 {
        let provider = answering();
        let state = Arc::new(Jittery(MemoryState::default(), Chance::new(cut)));
        let client = on(&provider, state, capped(1));
        let mut request = client.generate(on_haiku(1)).boxed();
        for _ in 0..cut {
            assert!((&mut request).now_or_never().is_none() || !provider.calls().is_empty());
            advance(Duration::from_millis(1)).await;
            if !provider.calls().is_empty() {
                break;
            }
        }
        let sent = !provider.calls().is_empty();
        drop(request);
        let view = client.budget().await.unwrap();
        let charged = view.spent.saturating_add(view.reserved);
        if sent {
            assert!(charged > PicoUsd::ZERO);
        } else {
            // An addition under way when it was dropped may have been made: then it stays, never the other way.
            assert!(charged == PicoUsd::ZERO || charged == ceiling_of(1), "{charged}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_after_it_was_sent_stays_charged_and_is_marked_unknown() {
    let provider = ScriptedProvider::new([Script::text(REVERSE).hang()]);
    let client = on(&provider, memory(), capped(1));
    let mut stream = client.stream(on_haiku(1));
    assert!(stream.next().await.unwrap().is_ok());
    drop(stream);
    let view = client.budget().await.unwrap();
    assert_eq!((view.spent, view.reserved, view.unknown), (PicoUsd::ZERO, ceiling_of(1), ceiling_of(1)));
    assert_eq!(client.generate(on_haiku(2)).await.unwrap_err().kind(), ErrorKind::Budget);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_while_it_sends_leaves_its_ceiling_charged_and_known_as_unknown_within_a_minute()
{
    let provider = ScriptedProvider::new([Script::text(REVERSE).hang()]);
    let state = memory();
    let mut stream = on(&provider, state.clone(), capped(1)).stream(on_haiku(1));
    assert!(stream.next().await.unwrap().is_ok());
    std::mem::forget(stream);
    let other = on(&provider, state, capped(1));
    let view = other.budget().await.unwrap();
    assert_eq!((view.reserved, view.unknown), (ceiling_of(1), PicoUsd::ZERO));
    advance(Duration::from_secs(60)).await;
    let view = other.budget().await.unwrap();
    assert_eq!((view.reserved, view.unknown), (ceiling_of(1), ceiling_of(1)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_usage_stays_charged_at_its_ceiling() {
    let silent = Script::text(REVERSE).stop(claude_code_core::provider::StopReason::EndTurn);
    let client = on(&ScriptedProvider::new([silent]), memory(), capped(1));
    let g = client.generate(on_haiku(1)).await.unwrap();
    assert!(g.accepted && g.attempts[0].unknown);
    assert_eq!(g.receipt.total().known(), ceiling_of(1));
    let view = client.budget().await.unwrap();
    assert_eq!((view.reserved, view.unknown), (ceiling_of(1), ceiling_of(1)));
}

#[tokio::test(start_paused = true)]
async fn of_two_caps_the_one_with_less_left_is_shown() {
    let (provider, state) = (answering(), memory());
    let each = PicoUsd(ceilings().1.0 * 2);
    let policy = Policy { max_usd_per_day_per_scope: Some(each), ..capped(3) };
    let (all, spender) = (policy.max_usd_per_day, on(&provider, state.clone(), policy.clone()));
    let [ann, bob] = ["ann", "bob"].map(|name| spender.scoped(Scope::authenticated(name)));
    assert_eq!(ann.budget().await.unwrap().cap, Some(each));
    let hanging = ScriptedProvider::new([Script::text(REVERSE).hang()]);
    let other = on(&hanging, state, policy).scoped(Scope::authenticated("ann"));
    let mut holds: Vec<_> = (0..2).map(|n| other.stream(on_haiku(n))).collect();
    for stream in &mut holds {
        stream.next().await.unwrap().unwrap();
    }
    let view = bob.budget().await.unwrap();
    assert_eq!((view.cap, view.reserved), (all, PicoUsd(ceiling_of(0).0 + ceiling_of(1).0)));
}
