//! What is sent, field by field: thinking, effort, guardrail, metadata, tier, cache.

use claude_code_aws::model::capability::{CacheTtl, Effort, Think};
use claude_code_aws::{Config, ErrorKind, GenerateRequest, Policy};
use claude_code_core::testing;
use serde_json::{Value, json};
use std::sync::Arc;

use super::bytes::{converse, sse};
use super::in_process::{Replies, Reply};
use super::{MODEL, REVERSE, replayed, request};

/// The body of the one request that this makes, and the warnings of its result.
async fn sent(policy: Policy, request: GenerateRequest) -> (Value, Vec<String>) {
    let replies = Replies::new([Reply::stream(converse(REVERSE, "end_turn"))]);
    let client = testing::builder(Arc::new(replayed(&replies))).with_policy(policy).build();
    let g = client.generate(request).await.unwrap();
    (serde_json::from_str(&replies.bodies()[0]).unwrap(), g.warnings)
}

fn to(model: &str) -> GenerateRequest {
    GenerateRequest::new("reverse a string").with_model(model).with_max_tokens(8_000)
}

#[tokio::test(start_paused = true)]
async fn thinking_is_told_to_each_model_in_the_words_that_it_accepts() {
    use Effort::{High, Max};
    use Think::{Off, On};
    let thinking = |kind: &str| json!({ "type": kind });
    let table = [
        // Thinks by itself: on needs no word, off has three.
        ("global.anthropic.claude-sonnet-5-5", On, None, Value::Null, None),
        ("global.anthropic.claude-sonnet-5-5", Off, None, thinking("between_tools"), None),
        ("global.anthropic.claude-sonnet-5-5", Off, Some(High), thinking("between_tools"), None),
        ("global.anthropic.claude-sonnet-5-5", Off, Some(Max), Value::Null, Some("thinking off")),
        ("global.anthropic.claude-opus-5", Off, None, thinking("disabled"), None),
        ("global.anthropic.claude-opus-5", Off, Some(Max), Value::Null, Some("thinking off")),
        ("global.anthropic.claude-haiku-5-5", Off, Some(Max), Value::Null, Some("thinking off")),
        ("global.anthropic.claude-opus-5-5", Off, None, Value::Null, Some("thinking off")),
        ("global.anthropic.claude-fable-5-2", Off, None, Value::Null, Some("thinking off")),
        // Does not by itself: off needs no word.
        ("global.anthropic.claude-opus-4-8", On, None, thinking("adaptive"), None),
        ("global.anthropic.claude-opus-4-8", Off, None, Value::Null, None),
        (
            "global.anthropic.claude-haiku-4-5-20251001-v1:0",
            On,
            None,
            json!({ "type": "enabled", "budget_tokens": 4_000 }),
            None,
        ),
    ];
    for (model, wish, effort, expected, left_out) in table {
        let request = GenerateRequest { effort, ..to(model).with_thinking(wish) };
        let (body, warnings) = sent(Policy::default(), request).await;
        let found = body.pointer("/additionalModelRequestFields/thinking").cloned().unwrap_or_default();
        assert_eq!(found, expected, "{model} {wish:?} {effort:?}");
        let warned = warnings.iter().find(|warning| warning.contains("thinking")).map(String::as_str);
        assert_eq!(warned.is_some(), left_out.is_some(), "{model} {wish:?}: {warnings:?}");
        assert!(left_out.is_none_or(|words| warned.unwrap().contains(words)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_thinks_is_sent_no_temperature() {
    let haiku = "global.anthropic.claude-haiku-4-5-20251001-v1:0";
    let plain = to(haiku).with_temperature(0.5);
    assert_eq!(sent(Policy::default(), plain.clone()).await.0["inferenceConfig"]["temperature"], 0.5);
    let (body, warnings) = sent(Policy::default(), plain.with_thinking(Think::On)).await;
    assert_eq!(body["inferenceConfig"]["temperature"], Value::Null);
    assert!(warnings.iter().any(|warning| warning.contains("temperature")), "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn no_thinking_is_asked_for_unless_somebody_asks() {
    for model in [MODEL, "global.anthropic.claude-opus-4-8", "anthropic.claude-new-9"] {
        let (body, _) = sent(Policy::default(), to(model)).await;
        assert_eq!(body["additionalModelRequestFields"], Value::Null, "{model}");
    }
}

#[tokio::test(start_paused = true)]
async fn thinking_that_a_model_refuses_is_left_out_and_learnt() {
    let refuses = Reply::refusal(
        400,
        "ValidationException",
        "thinking.type.between_tools: Extra inputs are not permitted",
    );
    let replies = Replies::new([refuses, Reply::stream(converse(REVERSE, "end_turn"))]);
    let g = super::paused(&replies).generate(request().with_thinking(Think::Off)).await.unwrap();
    assert_eq!(g.attempts[1].why, "without thinking");
    let has: Vec<bool> = replies.bodies().iter().map(|body| body.contains("between_tools")).collect();
    assert_eq!(has, [true, false]);
}

#[tokio::test(start_paused = true)]
async fn effort_max_tokens_guardrail_metadata_and_tier_are_sent_where_the_service_has_them() {
    let vars = [
        ("CLAUDE_CODE_AWS_GUARDRAIL", "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc:7"),
        ("CLAUDE_CODE_AWS_SERVICE_TIER", "priority"),
        ("CLAUDE_CODE_AWS_REQUEST_METADATA", "team=a b, cost-center=42"),
    ];
    let config = Config::from_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    let (body, _) = sent(config.policy, to(MODEL).with_effort(Effort::Low)).await;
    assert_eq!(body["inferenceConfig"], json!({ "maxTokens": 8_000 }));
    assert_eq!(body["outputConfig"], json!({ "effort": "low" }));
    assert_eq!(
        body["guardrailConfig"],
        json!({
            "guardrailIdentifier": "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc",
            "guardrailVersion": "7",
            "streamProcessingMode": "sync",
            "trace": "disabled",
        })
    );
    let metadata = &body["requestMetadata"];
    assert_eq!((&metadata["team"], &metadata["cost-center"]), (&json!("a b"), &json!("42")));
    assert!(metadata["claude_code_request_id"].as_str().unwrap().len() >= 36, "{metadata}");
    assert_eq!(body["serviceTier"], json!({ "type": "priority" }));
    let (body, _) = sent(Policy::default(), to(MODEL)).await;
    for name in ["outputConfig", "guardrailConfig", "serviceTier"] {
        assert_eq!(body[name], Value::Null, "{name} is not sent unless somebody asks");
    }
    assert_eq!(body["requestMetadata"].as_object().unwrap().len(), 1, "the request's own id");
    let batch = GenerateRequest { batch_id: Some("b-1".to_owned()), ..to(MODEL) };
    let (body, _) = sent(Policy::default(), batch).await;
    assert_eq!(body["requestMetadata"]["claude_code_batch_id"], "b-1");
    let batch = GenerateRequest { batch_id: Some("no such {value}".to_owned()), ..to(MODEL) };
    let (body, _) = sent(Policy::default(), batch).await;
    assert_eq!(body["requestMetadata"].as_object().unwrap().len(), 1, "what the service refuses is left out");
}

#[tokio::test(start_paused = true)]
async fn what_no_service_would_take_is_refused_before_it_is_sent() {
    let replies = Replies::new([Reply::stream(converse(REVERSE, "end_turn"))]);
    let metadata =
        |pairs: Vec<(String, String)>| Policy { metadata: pairs.into_iter().collect(), ..Policy::default() };
    let pair = |name: &str, value: &str| metadata(vec![(name.to_owned(), value.to_owned())]);
    let policies = [
        pair("", "empty name"),
        pair("name", "canary {braces}"),
        pair(&"n".repeat(257), "long"),
        metadata((0..17).map(|n| (format!("n{n}"), String::new())).collect()),
        Policy { service_tier: Some("fastest".into()), ..Policy::default() },
    ];
    for policy in policies {
        let client = testing::builder(Arc::new(replayed(&replies))).with_policy(policy).build();
        let error = client.generate(request()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(!error.message().contains("canary"), "{error}");
    }
    let sixteen = metadata((0..16).map(|n| (format!("n{n}"), String::new())).collect());
    testing::builder(Arc::new(replayed(&replies)))
        .with_policy(sixteen)
        .build()
        .generate(request())
        .await
        .unwrap();
    assert_eq!(replies.sends(), 1);
    for (name, value) in [
        ("GUARDRAIL", "abc"),
        ("GUARDRAIL", "abc:latest"),
        ("FAILOVER_REGIONS", "US West"),
        ("REQUEST_METADATA", "team"),
        ("RESPONSE_STREAMING", "true"),
    ] {
        let error = Config::from_vars([(format!("CLAUDE_CODE_AWS_{name}"), value.to_owned())]).unwrap_err();
        assert!(error.message().contains(name), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_guardrail_is_never_left_out_silently() {
    let replies = Replies::new([Reply::stream(sse(REVERSE, "end_turn").into_iter().map(String::into_bytes))
        .with_type("text/event-stream")]);
    let policy = Policy { guardrail: Some(("abc".into(), "1".into())), ..Policy::default() };
    let client = testing::builder(Arc::new(super::contract::messages(&replies))).with_policy(policy).build();
    let error =
        client.generate(GenerateRequest::new("reverse").with_model("claude-sonnet-5-5")).await.unwrap_err();
    assert_eq!((error.kind(), replies.sends()), (ErrorKind::InvalidRequest, 0));
}

#[tokio::test(start_paused = true)]
async fn the_messages_api_has_the_same_words_in_its_own_places() {
    let replies = Replies::new([Reply::stream(sse(REVERSE, "end_turn").into_iter().map(String::into_bytes))
        .with_type("text/event-stream")]);
    let client = testing::builder(Arc::new(super::contract::messages(&replies))).build();
    let long = "def value():\n    return 1\n\n".repeat(800);
    let request = GenerateRequest::new("reverse")
        .with_model("claude-sonnet-5-5")
        .with_effort(Effort::High)
        .with_thinking(Think::Off)
        .with_file("a.py", long)
        .with_prompt_cache(CacheTtl::OneHour);
    client.generate(request).await.unwrap();
    let body: Value = serde_json::from_str(&replies.bodies()[0]).unwrap();
    assert_eq!(body["thinking"], json!({ "type": "between_tools" }));
    assert_eq!(body["output_config"], json!({ "effort": "high" }));
    assert_eq!(
        body["messages"][0]["content"][0]["cache_control"],
        json!({ "type": "ephemeral", "ttl": "1h" })
    );
}
