//! What the service tells without generating: which model a profile stands for, and how many tokens a prompt has.

use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::{Client, Cost, ErrorKind, GenerateRequest, ModelProvider, PicoUsd};
use claude_code_core::testing;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::bytes::converse;
use super::in_process::{Piece, Replies, Reply};
use super::{MODEL, REVERSE, replayed, request};

const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";

/// A client that asks the same replies for facts.
fn client(replies: &Replies) -> Client {
    let provider = Arc::new(replayed(replies));
    testing::builder(provider.clone()).with_facts(provider).build()
}

fn good() -> Reply {
    Reply::stream(converse(REVERSE, "end_turn"))
}

fn json(value: serde_json::Value) -> Reply {
    Reply::stream([value.to_string().into_bytes()]).with_type("application/json")
}

/// A profile over a model in these regions.
fn profile(model: &str, regions: &[&str]) -> Reply {
    let arn = |region: &&str| format!("arn:aws:bedrock:{region}::foundation-model/{model}");
    let models: Vec<_> =
        regions.iter().map(|region| serde_json::json!({ "modelArn": arn(region) })).collect();
    json(serde_json::json!({
        "inferenceProfileName": "team-a", "inferenceProfileId": "abc123", "inferenceProfileArn": PROFILE,
        "status": "ACTIVE", "type": "APPLICATION", "models": models,
    }))
}

fn by_profile(prompt: &str) -> GenerateRequest {
    GenerateRequest::new(prompt).with_model(PROFILE)
}

#[tokio::test(start_paused = true)]
async fn an_application_profile_is_priced_by_the_model_that_it_stands_for() {
    let sonnet = "anthropic.claude-sonnet-5-5";
    // One hundred tokens in and forty out, at 2 and 10 dollars a million; a geography costs a tenth more.
    let table: [(&[&str], u64); 4] = [
        (&["", "us-east-1"], 600_000_000),
        (&["us-east-1", "us-east-2", "us-west-2"], 660_000_000),
        (&["us-east-1"], 660_000_000),
        (&["eu-west-1", "eu-central-1"], 660_000_000),
    ];
    for (regions, cost) in table {
        let replies = Replies::new([profile(sonnet, regions), good()]);
        let g = client(&replies).generate(by_profile("reverse")).await.unwrap();
        assert_eq!(g.receipt.total(), Cost::Priced(PicoUsd(cost)), "{regions:?}");
        assert_eq!(g.model, PROFILE, "sent as given");
        assert!(g.warnings.is_empty(), "{:?}", g.warnings);
        let targets = replies.targets();
        assert!(
            targets[0].starts_with("bedrock.us-east-1.") && targets[0].contains("/inference-profiles/"),
            "{targets:?}"
        );
        assert!(targets[1].contains("application-inference-profile%2Fabc123/converse-stream"), "{targets:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_model_behind_a_profile_does_not_take_is_left_out() {
    let replies = Replies::new([profile("anthropic.claude-sonnet-5-5", &[""]), good()]);
    let g = client(&replies).generate(by_profile("reverse").with_temperature(0.2)).await.unwrap();
    assert!(!replies.bodies()[1].contains("temperature"));
    assert!(
        g.warnings.iter().any(|warning| warning.contains("temperature was left out")),
        "{:?}",
        g.warnings
    );
}

#[tokio::test(start_paused = true)]
async fn a_profile_over_a_retired_model_is_refused_before_it_is_sent() {
    let replies = Replies::new([
        profile("anthropic.claude-3-5-sonnet-20241022-v2:0", &["us-east-1", "us-west-2"]),
        good(),
    ]);
    let error = client(&replies).generate(by_profile("reverse")).await.unwrap_err();
    assert_eq!((error.kind(), replies.sends()), (ErrorKind::Retired, 1), "only its profile was looked up");
}

#[tokio::test(start_paused = true)]
async fn a_profile_is_looked_up_once_for_all_callers_and_remembered() {
    let replies = Replies::by(|nth, _| match nth {
        0 => profile("anthropic.claude-sonnet-5-5", &[""]).before(Piece::Wait(Duration::from_millis(300))),
        _ => good(),
    });
    let client = client(&replies);
    let callers = (0..20).map(|n| {
        let client = client.clone();
        async move { client.generate(by_profile(&format!("reverse {n}"))).await.unwrap() }
    });
    assert!(join_all(callers).await.iter().all(|g| g.receipt.total() != Cost::ZERO));
    let lookups = replies.targets().iter().filter(|target| target.contains("/inference-profiles/")).count();
    assert_eq!((lookups, replies.sends()), (1, 21));
    let estimate = client.estimate(by_profile("another")).unwrap();
    assert!(
        matches!(estimate.worst_usd, Cost::Priced(_)),
        "an estimate asks nothing, and knows what is known"
    );
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_may_not_be_looked_up_is_sent_without_a_price_and_names_the_permission() {
    let denied =
        Reply::refusal(403, "AccessDeniedException", "not authorized to perform bedrock:GetInferenceProfile");
    let replies = Replies::new([denied, good()]);
    let client = client(&replies);
    for n in 0..2 {
        let g = client.generate(by_profile(&format!("reverse {n}"))).await.unwrap();
        assert!(matches!(g.receipt.total(), Cost::Unpriced { .. }), "{:?}", g.receipt.total());
        assert!(
            g.warnings.iter().any(|warning| warning.contains("bedrock:GetInferenceProfile")),
            "{:?}",
            g.warnings
        );
    }
    assert_eq!(replies.sends(), 3, "one look-up, two answers");
    let capped = by_profile("reverse 3").with_max_usd(PicoUsd::from_usd("0.50").unwrap());
    assert_eq!(client.generate(capped).await.unwrap_err().kind(), ErrorKind::Budget, "unknown is not free");
    tokio::time::advance(Duration::from_secs(301)).await;
    client.generate(by_profile("reverse 4")).await.unwrap();
    assert_eq!(replies.sends(), 5, "it is looked up again when somebody may have allowed it");
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_that_is_silent_holds_a_request_up_for_three_seconds_and_once() {
    let replies = Replies::by(|nth, _| if nth == 0 { good().before(Piece::Hang) } else { good() });
    let client = client(&replies);
    let begun = Instant::now();
    let g = client.generate(by_profile("reverse")).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert!(g.warnings.iter().any(|warning| warning.contains("within 3 s")), "{:?}", g.warnings);
    let begun = Instant::now();
    client.generate(by_profile("reverse again")).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn looking_a_profile_up_is_part_of_a_requests_time() {
    let replies = Replies::new([good().before(Piece::Hang)]);
    let begun = Instant::now();
    let hurried = by_profile("reverse").with_timeout(Duration::from_secs(2));
    let error = client(&replies).generate(hurried).await.unwrap_err();
    assert_eq!((error.kind(), begun.elapsed().as_secs()), (ErrorKind::Timeout, 2));
}

#[tokio::test(start_paused = true)]
async fn an_id_that_names_its_model_is_never_looked_up() {
    let replies = Replies::new([good()]);
    let system = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-5-5";
    for model in [MODEL, "anthropic.claude-new-9", system] {
        client(&replies).generate(GenerateRequest::new("reverse").with_model(model)).await.unwrap();
    }
    assert!(
        replies.targets().iter().all(|target| target.ends_with("/converse-stream")),
        "{:?}",
        replies.targets()
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_are_counted_by_the_base_id_and_nothing_is_generated() {
    let replies = Replies::new([json(serde_json::json!({ "inputTokens": 1234 }))]);
    let client = client(&replies);
    let local = client.estimate(request()).unwrap();
    let counted = client.count(request()).await.unwrap();
    assert!(counted.counted && !local.counted);
    assert_eq!(counted.input_tokens, 1234);
    assert!(
        counted.worst_usd.priced() > local.worst_usd.priced(),
        "1,234 tokens are more than a short prompt's"
    );
    let target = replies.targets().join(" ");
    assert!(target.ends_with("/model/anthropic.claude-sonnet-5-5/count-tokens"), "{target}");
    assert_eq!(replies.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_cannot_be_counted_are_estimated_and_that_is_said() {
    let table = [
        (
            Reply::refusal(
                400,
                "ValidationException",
                "The provided model doesn\u{2019}t support counting tokens.",
            ),
            "does not count for",
        ),
        (Reply::refusal(403, "AccessDeniedException", "no"), "bedrock:CountTokens"),
        (good().before(Piece::Hang), "in time"),
    ];
    for (reply, words) in table {
        let client = client(&Replies::new([reply]));
        let estimate = client.count(request()).await.unwrap();
        assert!(
            !estimate.counted && estimate.input_tokens == client.estimate(request()).unwrap().input_tokens
        );
        assert!(estimate.warnings.iter().any(|warning| warning.contains(words)), "{:?}", estimate.warnings);
    }
    let scripted: Arc<dyn ModelProvider> = Arc::new(replayed(&Replies::new([good()])));
    let estimate = testing::builder(scripted).build().count(request()).await.unwrap();
    assert!(!estimate.counted && estimate.warnings.len() == 1, "no facts, no count");
}

#[tokio::test(start_paused = true)]
async fn the_messages_api_counts_what_would_be_read() {
    let replies = Replies::new([json(serde_json::json!({ "input_tokens": 77 }))]);
    let provider = Arc::new(super::contract::messages(&replies));
    let client = testing::builder(provider.clone()).with_facts(provider).build();
    let request = GenerateRequest::new("reverse").with_model("claude-sonnet-5-5").with_temperature(0.1);
    assert_eq!(client.count(request).await.unwrap().input_tokens, 77);
    assert!(replies.targets()[0].ends_with("/v1/messages/count_tokens"), "{:?}", replies.targets());
    let body: serde_json::Value = serde_json::from_str(&replies.bodies()[0]).unwrap();
    let mut names: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["messages", "model", "system"]);
}
