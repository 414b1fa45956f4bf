use std::time::Duration;

use claude_code_core::provider::StopReason;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Cost, ErrorKind, GenerateRequest, PicoUsd, Policy, Usage};
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep};

use super::{REVERSE, client, cut, throttled};

fn on_haiku() -> GenerateRequest {
    GenerateRequest::new("reverse").with_model("global.anthropic.claude-haiku-5-5")
}

#[tokio::test(start_paused = true)]
async fn a_silent_model_ends_at_the_first_event_limit() {
    let provider = ScriptedProvider::new([Script::default().hang()]);
    let begun = Instant::now();
    let error = client(&provider).generate(on_haiku().with_max_sends(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(begun.elapsed(), Duration::from_secs(600));
    assert_eq!(provider.open(), 0, "the request is closed");
}

#[tokio::test(start_paused = true)]
async fn a_model_that_stalls_ends_at_the_idle_limit_and_a_slow_one_does_not() {
    let policy = Policy { idle: Some(Duration::from_secs(60)), ..Policy::default() };
    let slow = Script::text(&REVERSE[..20]).wait(Duration::from_secs(59));
    let slow = Script([slow.0, Script::answer(&REVERSE[20..]).0].concat());
    let provider = ScriptedProvider::new([slow]);
    let client = builder(provider).with_policy(policy.clone()).build();
    assert!(client.generate(on_haiku()).await.unwrap().accepted);

    let stalled = ScriptedProvider::new([Script::text(REVERSE)
        .wait(Duration::from_secs(61))
        .stop(StopReason::EndTurn)]);
    let client = builder(stalled).with_policy(policy).build();
    let error = client.generate(on_haiku().with_max_sends(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.into_partial().unwrap().text.as_str()), (ErrorKind::Timeout, REVERSE));
}

#[tokio::test(start_paused = true)]
async fn a_drip_ends_at_the_total_limit() {
    let mut drip = Script::default();
    for _ in 0..100 {
        drip = Script([drip.0, Script::text("x").wait(Duration::from_secs(30)).0].concat());
    }
    let provider = ScriptedProvider::new([drip]);
    let begun = Instant::now();
    let request = on_haiku().with_max_sends(1).with_timeout(Duration::from_secs(300));
    assert_eq!(client(&provider).generate(request).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(begun.elapsed() <= Duration::from_secs(301));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_of_the_stream_never_times_out() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let mut stream = client(&provider).stream(on_haiku().with_timeout(Duration::from_secs(60)));
    let mut last = None;
    while let Some(event) = stream.next().await {
        last = Some(event.unwrap());
        sleep(Duration::from_secs(45)).await;
    }
    assert!(matches!(last, Some(claude_code_core::Event::Finished(g)) if g.accepted));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_leaves_the_request_its_time_for_the_rest_of_a_cut_answer() {
    let thinks = Script::default().wait(Duration::from_secs(1));
    let rest = Script([thinks.0, Script::answer(&REVERSE[60..]).0].concat());
    let provider = ScriptedProvider::new([Script::truncated(&REVERSE[..60]), rest]);
    let mut stream = client(&provider).stream(on_haiku().with_timeout(Duration::from_secs(60)));
    let mut last = None;
    while let Some(event) = stream.next().await {
        last = Some(event.unwrap());
        sleep(Duration::from_secs(45)).await;
    }
    let Some(claude_code_core::Event::Finished(g)) = last else { panic!("{last:?}") };
    assert!(g.accepted && g.attempts[1].why == "resume", "{:?}", g.attempts);
}

#[tokio::test(start_paused = true)]
async fn one_send_allowed_is_one_send_whatever_happens() {
    let broken = "```json a.json\n{\"a\": \n```\n";
    for script in [
        Script::fail(throttled()),
        Script::fail(cut()),
        Script::truncated(&REVERSE[..40]),
        Script::answer(""),
        Script::answer(broken),
    ] {
        let provider = ScriptedProvider::new([script, Script::answer(REVERSE)]);
        let _ = client(&provider).generate(GenerateRequest::new("reverse").with_max_sends(1)).await;
        assert_eq!(provider.calls().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_truncated_answer_with_one_send_carries_its_text() {
    let provider = ScriptedProvider::new([Script::truncated(&REVERSE[..60])]);
    let error = client(&provider).generate(on_haiku().with_max_sends(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    let partial = error.into_partial().unwrap();
    assert_eq!(partial.text, REVERSE[..60]);
    assert!(partial.files.iter().all(|file| !file.complete), "half a file is never complete");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_the_first_poll() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = client(&provider);
    drop(client.stream("reverse"));
    drop(client.generate("reverse"));
    let _unpolled = client.stream("reverse");
    sleep(Duration::from_secs(1)).await;
    assert!(provider.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_closes_the_request() {
    let provider = ScriptedProvider::new([Script::text(REVERSE).hang()]);
    let mut stream = client(&provider).stream(on_haiku());
    assert!(stream.next().await.unwrap().is_ok());
    assert_eq!(provider.open(), 1);
    drop(stream);
    assert_eq!(provider.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cap_is_checked_against_the_ceiling_before_sending() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let request = on_haiku().with_max_usd(PicoUsd::from_usd("0.0001").unwrap());
    let error = client(&provider).generate(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    let figures = "the request's cap is $0.0001: $0 is spent, $0 is reserved, and one send to";
    assert!(error.message().starts_with(figures), "{error}");
    assert!(provider.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cap_that_someone_set_stops_a_model_without_a_price_and_the_default_does_not() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = client(&provider);
    let unknown = GenerateRequest::new("reverse").with_model("anthropic.claude-new-1");
    let capped = unknown.clone().with_max_usd(PicoUsd::from_usd("5").unwrap());
    assert_eq!(client.generate(capped).await.unwrap_err().kind(), ErrorKind::Budget);
    assert!(client.generate(unknown).await.unwrap().accepted);
}

#[tokio::test(start_paused = true)]
async fn a_service_tier_without_a_published_price_is_unpriced_and_stopped_by_a_cap() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let on = |tier: &str| {
        let policy = Policy { service_tier: Some(tier.to_owned()), ..Policy::default() };
        builder(provider.clone()).with_policy(policy).build()
    };
    let capped = on_haiku().with_max_usd(PicoUsd::from_usd("5").unwrap());
    assert_eq!(on("priority").generate(capped.clone()).await.unwrap_err().kind(), ErrorKind::Budget);
    let g = on("priority").generate(on_haiku()).await.unwrap();
    assert!(matches!(g.receipt.total(), Cost::Unpriced { .. }));
    let g = on("default").generate(capped).await.unwrap();
    assert!(matches!(g.receipt.total(), Cost::Priced(_)));
}

#[tokio::test(start_paused = true)]
async fn callers_who_race_cannot_overspend_a_day_together() {
    let held =
        Script::text(REVERSE).wait(Duration::from_secs(9)).stop(StopReason::EndTurn).usage(Usage::new(1, 1));
    let provider = ScriptedProvider::new([held]);
    let one = client(&provider).estimate(on_haiku()).unwrap().worst_usd.known();
    let cap = PicoUsd(one.0 * 10 + one.0 / 2);
    let policy = Policy { max_usd_per_day: Some(cap), ..Policy::default() };
    let client = builder(provider.clone()).with_policy(policy).build();
    let callers = (0..100).map(|n| {
        let request = GenerateRequest { prompt: format!("reverse {n:03}"), ..on_haiku() };
        client.generate(request).boxed()
    });
    let results = futures_util::future::join_all(callers).await;
    assert_eq!(provider.calls().len(), 10);
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 10);
    let refused = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!(refused.kind(), ErrorKind::Budget);
    let view = client.budget().await.unwrap();
    assert_eq!((view.reserved, view.cap), (PicoUsd::ZERO, Some(cap)));
    assert!(view.spent > PicoUsd::ZERO && view.spent < cap);
}
