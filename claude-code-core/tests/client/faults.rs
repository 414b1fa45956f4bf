use std::time::Duration;

use claude_code_core::model::capability::Effort;
use claude_code_core::provider::{Billing, Field, ModelCall, ProviderError, StopReason};
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{Cost, ErrorKind, GenerateRequest, Generation, PicoUsd, Policy, Tier, Usage};
use tokio::time::Instant;

use super::{REVERSE, client, cut, throttled};

const HAIKU: &str = "global.anthropic.claude-haiku-5-5";

fn on_haiku() -> GenerateRequest {
    GenerateRequest::new("reverse").with_model(HAIKU)
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out_and_costs_nothing() {
    let mut scripts = vec![Script::fail(throttled()); 5];
    scripts.push(Script::answer(REVERSE));
    let provider = ScriptedProvider::new(scripts);
    let g = client(&provider).generate(on_haiku()).await.unwrap();
    assert!(g.accepted);
    assert_eq!(g.attempts.len(), 6);
    assert!(g.attempts[..5].iter().all(|a| a.cost == Cost::ZERO && a.outcome == "throttled"));
}

#[tokio::test(start_paused = true)]
async fn what_the_service_asks_to_wait_is_waited() {
    let mut fault = throttled();
    fault.retry_after = Some(Duration::from_secs(17));
    let provider = ScriptedProvider::new([Script::fail(fault), Script::answer(REVERSE)]);
    let begun = Instant::now();
    client(&provider).generate(on_haiku()).await.unwrap();
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(17) && waited <= Duration::from_secs(18), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn throttling_for_ever_ends_at_the_deadline_with_its_own_error() {
    let provider = ScriptedProvider::new([Script::fail(throttled())]);
    let begun = Instant::now();
    let request = on_haiku().with_timeout(Duration::from_secs(120));
    let error = client(&provider).generate(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(begun.elapsed() <= Duration::from_secs(121));
    assert_eq!(error.receipt().unwrap().total(), Cost::ZERO);
    assert!(provider.calls().len() >= 6, "it went on trying: {}", provider.calls().len());
}

#[tokio::test(start_paused = true)]
async fn falls_back_when_the_first_model_stays_throttled() {
    let provider = ScriptedProvider::new([
        Script::fail(throttled()),
        Script::fail(throttled()),
        Script::fail(throttled()),
        Script::answer(REVERSE),
    ]);
    let g = client(&provider).generate("reverse a string").await.unwrap();
    let models: Vec<_> = provider.calls().iter().map(|c| c.model.to_string()).collect();
    assert_eq!(models[..3], [HAIKU, HAIKU, HAIKU]);
    assert_ne!(models[3], HAIKU);
    assert_eq!(g.attempts[3].why, "fallback");
    assert_eq!(g.model, models[3]);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_asks_for_a_long_wait_is_left_for_another_one_at_once() {
    for timeout in [25, 300] {
        let mut busy = throttled();
        busy.retry_after = Some(Duration::from_secs(30));
        let provider = ScriptedProvider::new([Script::fail(busy), Script::answer(REVERSE)]);
        let begun = Instant::now();
        let request = GenerateRequest::new("reverse a string").with_timeout(Duration::from_secs(timeout));
        let g = client(&provider).generate(request).await.unwrap();
        assert_eq!((g.attempts.len(), g.attempts[1].why.as_str()), (2, "fallback"));
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_for_the_request_gives_way_to_another_cause() {
    let mut busy = throttled();
    busy.retry_after = Some(Duration::from_secs(2));
    let provider = ScriptedProvider::new([Script::fail(busy), Script::answer(REVERSE)]);
    let request = GenerateRequest::new("reverse a string").with_timeout(Duration::from_secs(2));
    let g = client(&provider).generate(request).await.unwrap();
    assert_eq!((g.attempts.len(), g.attempts[1].why.as_str()), (2, "fallback"));
}

/// The first model stays throttled, then another one answers, if one is asked: the calls.
async fn calls_while_the_first_is_throttled(request: GenerateRequest) -> Vec<ModelCall> {
    let mut scripts = vec![Script::fail(throttled()); 3];
    scripts.push(Script::answer(REVERSE));
    let provider = ScriptedProvider::new(scripts);
    let client = client(&provider);
    assert!(client.generate(request.clone()).await.unwrap().accepted);
    // The next request begins with another model only if that one can take it.
    let next = GenerateRequest { prompt: format!("{} again", request.prompt), ..request };
    assert!(client.generate(next).await.unwrap().accepted);
    provider.calls()
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_a_model_that_can_take_the_request() {
    let simple = || GenerateRequest::new("reverse a string").with_tier(Tier::Simple);
    let models = |calls: &[ModelCall]| calls[3..].iter().map(|c| c.model.to_string()).collect::<Vec<_>>();
    let (older, above) = ("claude-haiku-4-5", "claude-sonnet-5-5");

    let calls = calls_while_the_first_is_throttled(simple().with_max_tokens(100_000)).await;
    assert!(models(&calls).iter().all(|model| model.contains(older)), "{:?}", models(&calls));
    assert_eq!(
        calls.iter().map(|c| c.max_tokens).collect::<Vec<_>>(),
        [100_000, 100_000, 100_000, 64_000, 64_000]
    );

    let long = simple().with_file("notes.txt", "one two three ".repeat(80_000));
    let calls = calls_while_the_first_is_throttled(long.with_max_usd(PicoUsd::from_usd("5").unwrap())).await;
    assert!(models(&calls).iter().all(|model| model.contains(above)), "{:?}", models(&calls));

    let cheap = simple().with_max_usd(PicoUsd::from_usd("0.01").unwrap());
    let calls = calls_while_the_first_is_throttled(cheap).await;
    assert_eq!(models(&calls), [HAIKU, HAIKU], "dearer ones are passed over");
}

#[tokio::test(start_paused = true)]
async fn falls_back_at_once_when_access_is_denied() {
    let denied = ProviderError::new(ErrorKind::AccessDenied, Billing::No, "no access to this model");
    let provider = ScriptedProvider::new([Script::fail(denied), Script::answer(REVERSE)]);
    let g = client(&provider).generate("reverse a string").await.unwrap();
    assert_eq!((g.attempts.len(), g.attempts[1].why.as_str()), (2, "fallback"));
}

#[tokio::test(start_paused = true)]
async fn a_given_model_has_no_fallback() {
    let denied = ProviderError::new(ErrorKind::AccessDenied, Billing::No, "no access to this model");
    let provider = ScriptedProvider::new([Script::fail(denied), Script::answer(REVERSE)]);
    let error = client(&provider).generate(on_haiku()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_may_be_paid_is_repeated_once_and_both_are_on_the_receipt() {
    let provider = ScriptedProvider::new([Script::fail(cut()), Script::answer(REVERSE)]);
    let g = client(&provider).generate(on_haiku()).await.unwrap();
    assert_eq!(g.attempts[1].why, "repeat");
    assert!(g.attempts[0].unknown && g.attempts[0].cost.known() > g.attempts[1].cost.known());
    let provider = ScriptedProvider::new([Script::fail(cut())]);
    let error = client(&provider).generate(on_haiku()).await.unwrap_err();
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::Cut, 2));
}

#[tokio::test(start_paused = true)]
async fn safe_faults_between_give_a_maybe_paid_send_no_second_repeat() {
    let provider = ScriptedProvider::new([
        Script::fail(cut()),
        Script::fail(throttled()),
        Script::fail(cut()),
        Script::answer(REVERSE),
    ]);
    let error = client(&provider).generate(on_haiku()).await.unwrap_err();
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::Cut, 3));
    let mut scripts = vec![Script::fail(cut())];
    scripts.extend(vec![Script::fail(throttled()); 3]);
    scripts.extend([Script::fail(cut()), Script::answer(REVERSE)]);
    let provider = ScriptedProvider::new(scripts);
    let error = client(&provider).generate("reverse a string").await.unwrap_err();
    assert_ne!(provider.calls()[4].model.to_string(), HAIKU, "the second one was cut elsewhere");
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::Cut, 5));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_while_a_model_throttles_are_renewed() {
    let mut ended = ProviderError::new(ErrorKind::Credentials, Billing::No, "the credentials have ended");
    ended.retry_after = Some(Duration::ZERO);
    let provider = ScriptedProvider::new([
        Script::fail(throttled()),
        Script::fail(ended.clone()),
        Script::fail(throttled()),
        Script::answer(REVERSE),
    ]);
    assert!(client(&provider).generate(on_haiku()).await.unwrap().accepted);
    let provider = ScriptedProvider::new([Script::fail(throttled()), Script::fail(ended)]);
    let error = client(&provider).generate(on_haiku()).await.unwrap_err();
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::Credentials, 3), "once, not for ever");
}

#[tokio::test(start_paused = true)]
async fn a_models_own_timeout_is_not_repeated() {
    let mut fault = ProviderError::new(ErrorKind::Timeout, Billing::Maybe, "the model took too long");
    fault.code = Some("ModelTimeoutException".into());
    let provider = ScriptedProvider::new([Script::fail(fault)]);
    assert_eq!(client(&provider).generate(on_haiku()).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_field_is_left_out_once() {
    let mut fault =
        ProviderError::new(ErrorKind::InvalidRequest, Billing::No, "temperature is not supported");
    fault.refused_field = Some(Field::Sampling);
    let provider = ScriptedProvider::new([Script::fail(fault.clone()), Script::answer(REVERSE)]);
    let request = GenerateRequest::new("reverse").with_model("anthropic.claude-new-1").with_temperature(0.2);
    let g = client(&provider).generate(request.clone()).await.unwrap();
    let sent: Vec<_> = provider.calls().iter().map(|c| c.temperature).collect();
    assert_eq!(sent, [Some(0.2), None]);
    assert_eq!(g.attempts[1].why, "without temperature");
    let provider = ScriptedProvider::new([Script::fail(fault)]);
    assert_eq!(client(&provider).generate(request).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_field_that_was_learnt_to_be_refused_is_left_out_with_a_warning() {
    let refused = |field| {
        let mut fault = ProviderError::new(ErrorKind::InvalidRequest, Billing::No, "not supported");
        fault.refused_field = Some(field);
        Script::fail(fault)
    };
    let ask = |prompt: &str| GenerateRequest::new(prompt).with_model("anthropic.claude-new-1");
    let told = |g: &Generation, field: &str| {
        g.warnings.iter().filter(|w| w.starts_with(&format!("{field} was left out"))).count()
    };
    let provider = ScriptedProvider::new([refused(Field::Sampling), Script::answer(REVERSE)]);
    let client_of_one = client(&provider);
    for prompt in ["one", "two"] {
        let g = client_of_one.generate(ask(prompt).with_temperature(0.2)).await.unwrap();
        assert_eq!(told(&g, "temperature"), 1, "{prompt}: {:?}", g.warnings);
    }
    assert_eq!(
        told(&client_of_one.generate(ask("three")).await.unwrap(), "temperature"),
        0,
        "nobody asked for it"
    );

    let provider = ScriptedProvider::new([refused(Field::Effort), Script::answer(REVERSE)]);
    let client_of_one = client(&provider);
    for (prompt, effort, left_out) in [("a", Effort::Max, 1), ("b", Effort::Low, 0), ("c", Effort::Max, 1)] {
        let g = client_of_one.generate(ask(prompt).with_effort(effort)).await.unwrap();
        assert_eq!(told(&g, "effort"), left_out, "{prompt}: {:?}", g.warnings);
    }
    let sent: Vec<_> = provider.calls().iter().map(|call| call.effort).collect();
    assert_eq!(sent, [Some(Effort::Max), None, Some(Effort::Low), None], "another level is tried");
}

#[tokio::test(start_paused = true)]
async fn a_stop_reason_other_than_success_is_a_typed_error_that_is_not_repeated() {
    let table = [
        (StopReason::Refusal, ErrorKind::Refused),
        (StopReason::ContentFiltered, ErrorKind::Filtered),
        (StopReason::GuardrailIntervened, ErrorKind::Guardrail),
        (StopReason::from_wire("tool_use"), ErrorKind::Protocol),
        (StopReason::from_wire("pause_turn"), ErrorKind::Protocol),
        (StopReason::from_wire("malformed_model_output"), ErrorKind::Protocol),
        (StopReason::from_wire("something new"), ErrorKind::Protocol),
    ];
    for (reason, kind) in table {
        let provider = ScriptedProvider::new([Script::text(REVERSE).stop(reason).usage(Usage::new(10, 10))]);
        let error = client(&provider).generate(on_haiku()).await.unwrap_err();
        assert_eq!((error.kind(), provider.calls().len()), (kind, 1));
        assert_eq!(error.into_partial().unwrap().text, REVERSE, "what was paid for is in partial");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_text_is_empty_not_success() {
    for text in ["", " \n\t"] {
        let provider = ScriptedProvider::new([Script::answer(text)]);
        let error = client(&provider).generate(on_haiku()).await.unwrap_err();
        assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::Empty, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_without_a_stop_is_cut_not_complete() {
    let provider = ScriptedProvider::new([Script::text(REVERSE)]);
    let error = client(&provider).generate(on_haiku().with_max_sends(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cut);
    assert_eq!(error.into_partial().unwrap().text, REVERSE);
}

#[tokio::test(start_paused = true)]
async fn the_first_error_is_the_last_word() {
    let damaged = ProviderError::new(ErrorKind::Protocol, Billing::Maybe, "a frame's checksum is wrong");
    let script = Script::text("```py\nx").then_fail(damaged).stop(StopReason::EndTurn);
    let provider = ScriptedProvider::new([script]);
    let error = client(&provider).generate(on_haiku().with_max_sends(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test(start_paused = true)]
async fn usage_that_never_comes_is_charged_at_the_ceiling_and_marked_unknown() {
    let provider = ScriptedProvider::new([Script::text(REVERSE).stop(StopReason::EndTurn)]);
    let g = client(&provider).generate(on_haiku()).await.unwrap();
    assert!(g.accepted && g.attempts[0].unknown);
    assert!(g.receipt.total().known().0 > 0);
}

#[tokio::test(start_paused = true)]
async fn repeats_stop_while_most_sends_fail_and_come_back_with_success() {
    let mut scripts = vec![Script::fail(cut()); 110];
    scripts.push(Script::answer(REVERSE));
    scripts.push(Script::fail(cut()));
    let provider = ScriptedProvider::new(scripts);
    let client = client(&provider);
    for n in 0..60 {
        let request = GenerateRequest { prompt: format!("reverse {n}"), ..on_haiku() };
        assert_eq!(client.generate(request).await.unwrap_err().kind(), ErrorKind::Cut);
    }
    assert_eq!(provider.calls().len(), 110, "fifty requests had their repeat, ten had none");
    assert!(client.generate(on_haiku()).await.unwrap().accepted);
    let again = GenerateRequest { prompt: "reverse again".into(), ..on_haiku() };
    assert_eq!(client.generate(again).await.unwrap_err().kind(), ErrorKind::Cut);
    assert_eq!(provider.calls().len(), 113, "a success gave one repeat back");
}

fn denied() -> ProviderError {
    ProviderError::new(ErrorKind::AccessDenied, Billing::No, "no access to this model")
}

/// Haiku, in the provider's first place and in another.
fn in_two_places(provider: &std::sync::Arc<ScriptedProvider>) -> claude_code_core::Client {
    let policy = Policy { places: vec!["us-west-2".into()], ..Policy::default() };
    claude_code_core::testing::builder(provider.clone()).with_policy(policy).build()
}

#[tokio::test(start_paused = true)]
async fn a_throttled_model_is_waited_for_where_every_other_one_says_no() {
    let throttled = || Script::fail(throttled());
    let provider = ScriptedProvider::new([
        throttled(),
        throttled(),
        throttled(),
        Script::fail(denied()),
        throttled(),
        Script::answer(REVERSE),
    ]);
    let g = in_two_places(&provider).generate(on_haiku()).await.unwrap();
    let outcomes: Vec<_> = g.attempts.iter().map(|a| (a.why.as_str(), a.outcome.as_str())).collect();
    assert_eq!(outcomes[3].1, "access_denied", "{outcomes:?}");
    assert_eq!(outcomes[4..].iter().map(|(why, _)| *why).collect::<Vec<_>>(), ["retry", "retry"]);
    assert_eq!(g.attempts[5].model, HAIKU);
}

#[tokio::test(start_paused = true)]
async fn a_resting_place_is_asked_before_a_denial_elsewhere_is_final() {
    let mut scripts = vec![Script::fail(throttled()); 3];
    scripts.extend([Script::answer(REVERSE), Script::fail(denied()), Script::answer(REVERSE)]);
    let provider = ScriptedProvider::new(scripts);
    let client = in_two_places(&provider);
    client.generate(on_haiku()).await.unwrap();
    let request = GenerateRequest::new("reverse once more").with_model(HAIKU);
    let g = client.generate(request).await.unwrap();
    let outcomes: Vec<_> = g.attempts.iter().map(|a| a.outcome.as_str()).collect();
    assert_eq!(outcomes, ["access_denied", "complete"], "{:?}", g.warnings);
}

#[tokio::test(start_paused = true)]
async fn what_every_candidate_denies_ends_at_once() {
    let provider = ScriptedProvider::new([Script::fail(denied())]);
    let error = in_two_places(&provider).generate(on_haiku()).await.unwrap_err();
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::AccessDenied, 2));
}
