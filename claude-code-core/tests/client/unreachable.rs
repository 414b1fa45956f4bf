//! Connections that cannot be made: how often, how long, and what the notices tell.

use std::time::Duration;

use claude_code_core::provider::{Billing, GiveUp, ProviderError};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Cost, ErrorKind, Event, GenerateRequest, Policy};
use futures_util::StreamExt;
use tokio::time::Instant;

use super::{REVERSE, client, throttled};

fn fault(give_up: GiveUp) -> ProviderError {
    let fault = ProviderError::new(ErrorKind::Connection, Billing::No, "host.example refused the connection");
    ProviderError { give_up: Some(give_up), ..fault }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_cause_gets_two_attempts_within_a_second_and_no_other_model() {
    let provider = ScriptedProvider::new([Script::fail(fault(GiveUp::Attempts(2)))]);
    let begun = Instant::now();
    let error = client(&provider).generate("reverse a string").await.unwrap_err();
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::Connection, 2));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(error.receipt().unwrap().total(), Cost::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_may_come_back_is_retried_for_its_window_and_no_longer() {
    for (window, set) in [(30, None), (3, None), (30, Some(7))] {
        let provider =
            ScriptedProvider::new([Script::fail(fault(GiveUp::After(Duration::from_secs(window))))]);
        let policy = Policy { reconnect: set.map(Duration::from_secs), ..Policy::default() };
        let client = builder(provider.clone()).with_policy(policy).build();
        let begun = Instant::now();
        let error = client.generate("reverse a string").await.unwrap_err();
        let most = Duration::from_secs(set.unwrap_or(window));
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(begun.elapsed() < most, "{:?} of {most:?}", begun.elapsed());
        assert!(provider.calls().len() > 2, "{}", provider.calls().len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_back_within_its_window_costs_a_wait_and_nothing_else() {
    let gone = || Script::fail(fault(GiveUp::After(Duration::from_secs(30))));
    let provider = ScriptedProvider::new([gone(), gone(), Script::answer(REVERSE)]);
    let g = client(&provider).generate("reverse a string").await.unwrap();
    assert!(g.accepted && g.attempts[..2].iter().all(|a| a.cost == Cost::ZERO && a.outcome == "connection"));
}

#[tokio::test(start_paused = true)]
async fn the_window_begins_with_the_first_failure_in_a_row() {
    let gone = || Script::fail(fault(GiveUp::After(Duration::from_secs(20))));
    let mut slow = throttled();
    slow.retry_after = Some(Duration::from_secs(20));
    let provider =
        ScriptedProvider::new([gone(), Script::fail(slow), gone(), gone(), Script::answer(REVERSE)]);
    let on_one = GenerateRequest::new("reverse").with_model("global.anthropic.claude-haiku-5-5");
    assert!(client(&provider).generate(on_one).await.unwrap().accepted);
}

#[tokio::test(start_paused = true)]
async fn each_wait_is_told_with_its_cause_and_the_time_that_is_left() {
    let gone = || Script::fail(fault(GiveUp::After(Duration::from_secs(30))));
    let provider = ScriptedProvider::new([gone(), gone(), Script::answer(REVERSE)]);
    let mut stream = client(&provider).stream("reverse a string");
    let mut told = Vec::new();
    while let Some(event) = stream.next().await {
        if let Event::Notice { cause, left_seconds, .. } = event.unwrap() {
            assert_eq!(cause.as_deref(), Some("host.example refused the connection"));
            told.push(left_seconds);
        }
    }
    assert_eq!(told.len(), 2);
    assert!(told[0] <= 30.0 && told[1] < told[0], "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_another_requests_attempts_at_a_host_that_is_gone() {
    let provider = ScriptedProvider::new([Script::fail(fault(GiveUp::After(Duration::from_secs(30))))]);
    let client = client(&provider);
    let begun = Instant::now();
    let requests = (0..5).map(|n| client.generate(format!("reverse {n}")));
    for ended in futures_util::future::join_all(requests).await {
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Connection);
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}
