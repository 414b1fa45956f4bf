//! What sloppy servers report as usage, over both providers: zeros, gaps, contradictions and geographies.

use claude_code_aws::select::Reach;
use claude_code_aws::{Cost, GenerateRequest, Generation, PicoUsd, Policy};
use claude_code_core::testing;
use serde_json::{Value, json};

use super::bytes::{converse, frame, sse};
use super::contract::messages;
use super::in_process::{Replies, Reply};
use super::{REVERSE, once, paused};

/// An answer of the Messages API with this usage in its first event and in those behind the text.
async fn of_messages(first: Value, later: &[Value]) -> Generation {
    let event = |value: Value| format!("data: {value}\n\n");
    let mut events = sse(REVERSE, "end_turn");
    let message =
        json!({ "id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": first });
    events[0] = event(json!({ "type": "message_start", "message": message }));
    let at = events.len() - 2;
    let stop = |n: usize| if n == 0 { json!({ "stop_reason": "end_turn" }) } else { json!({}) };
    let deltas = later.iter().enumerate();
    let deltas =
        deltas.map(|(n, usage)| event(json!({ "type": "message_delta", "delta": stop(n), "usage": usage })));
    events.splice(at..=at, deltas.collect::<Vec<_>>());
    asked(Reply::stream(events.into_iter().map(String::into_bytes)).with_type("text/event-stream")).await
}

/// The same in one JSON, as servers answer that do not stream.
async fn of_whole(usage: Value) -> Generation {
    let content = json!([{ "type": "text", "text": REVERSE }]);
    let message = json!({ "type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn",
        "usage": usage });
    asked(Reply::stream([message.to_string().into_bytes()]).with_type("application/json")).await
}

async fn asked(reply: Reply) -> Generation {
    let policy = Policy { reach: Reach::AnthropicApi, ..Policy::default() };
    let provider = std::sync::Arc::new(messages(&Replies::new([reply])));
    let request = GenerateRequest::new("reverse a string").with_model("claude-sonnet-5-5").with_max_sends(1);
    testing::builder(provider).with_policy(policy).build().generate(request).await.unwrap()
}

/// An answer of Converse with this usage.
async fn of_converse(usage: Value) -> Generation {
    of_reports(&[usage]).await
}

/// An answer of Converse with several reports of its usage, one behind the other.
async fn of_reports(usages: &[Value]) -> Generation {
    let mut frames = converse(REVERSE, "end_turn");
    frames.pop();
    let report = |usage| frame("metadata", json!({ "usage": usage, "metrics": { "latencyMs": 10 } }));
    frames.extend(usages.iter().map(report));
    paused(&Replies::new([Reply::stream(frames)])).generate(once()).await.unwrap()
}

fn usd(text: &str) -> Cost {
    Cost::Priced(PicoUsd::from_usd(text).unwrap())
}

fn is_unknown(g: &Generation) -> bool {
    assert!(g.accepted);
    if g.attempts[0].unknown {
        // Tens of thousands of tokens at the price of the output: never as one token.
        assert!(g.receipt.total().known() > PicoUsd::from_usd("0.01").unwrap(), "{}", g.receipt.total());
    }
    g.attempts[0].unknown
}

#[tokio::test(start_paused = true)]
async fn zeros_in_a_final_usage_erase_nothing_that_was_counted() {
    let first = json!({ "input_tokens": 5000, "cache_read_input_tokens": 40_000, "output_tokens": 1 });
    let zeros = json!({ "input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 16 });
    let g = of_messages(first.clone(), std::slice::from_ref(&zeros)).await;
    assert_eq!(g.receipt.total(), usd("0.01416"));
    let empty = json!({ "input_tokens": null, "output_tokens": 0 });
    assert_eq!(of_messages(first.clone(), &[zeros.clone(), empty]).await.receipt.total(), usd("0.01416"));
    // A later event that counts more wins, one that counts less does not.
    let more = json!({ "input_tokens": 4000, "cache_read_input_tokens": 41_000, "output_tokens": 9 });
    let g = of_messages(first, &[zeros, more]).await;
    let usage = (g.usage.input_tokens, g.usage.cache_read_input_tokens, g.usage.output_tokens);
    assert_eq!(usage, (5000, 41_000, 16));
}

#[tokio::test(start_paused = true)]
async fn zeros_in_a_later_report_of_converse_erase_nothing_either() {
    let first = json!({ "inputTokens": 5000, "outputTokens": 16, "totalTokens": 45_016, "cacheReadInputTokens": 40_000,
        "cacheWriteInputTokens": 900, "cacheDetails": [{ "ttl": "1h", "inputTokens": 200 }] });
    let zeros = json!({ "inputTokens": 0, "outputTokens": 0, "totalTokens": 0, "cacheReadInputTokens": 0,
        "cacheWriteInputTokens": 0 });
    let once = of_converse(first.clone()).await;
    assert!(once.warnings.iter().any(|warning| warning.contains("cache-write")), "{:?}", once.warnings);
    for reports in [[first.clone(), zeros.clone()], [zeros, first.clone()], [first.clone(), first]] {
        let g = of_reports(&reports).await;
        assert_eq!((g.usage, g.receipt.total()), (once.usage, once.receipt.total()), "{reports:?}");
        assert_eq!(g.warnings, once.warnings, "told once");
    }
}

/// A stream of the Messages API that ends with this event.
async fn ended_by(stop: Value) -> Generation {
    let mut events = sse(REVERSE, "end_turn");
    events.pop();
    events.push(format!("data: {stop}\n\n"));
    asked(Reply::stream(events.into_iter().map(String::into_bytes)).with_type("text/event-stream")).await
}

/// BerriAI/litellm#36878: of cache reads and writes the last event tells, beside the metrics that leave them out.
#[tokio::test(start_paused = true)]
async fn the_usage_of_the_last_event_counts_too() {
    let usage =
        json!({ "cache_read_input_tokens": 9821, "cache_creation_input_tokens": 7, "input_tokens": 0 });
    let metrics = json!({ "inputTokenCount": 10_174, "outputTokenCount": 50 });
    let g = ended_by(
        json!({ "type": "message_stop", "usage": usage, "amazon-bedrock-invocationMetrics": metrics }),
    )
    .await;
    let written = g.usage.cache_creation_input_tokens();
    let counted = [g.usage.input_tokens, g.usage.cache_read_input_tokens, written, g.usage.output_tokens];
    assert_eq!(counted, [10_174, 9821, 7, 50]);
}

#[tokio::test(start_paused = true)]
async fn shapes_of_usage_that_public_reports_show_are_counted_once() {
    // First event, last event; input, cache read, cache write and output that count.
    let table = [
        // getpaseo/paseo#4295: nothing first, the sums last.
        (
            json!({ "input_tokens": 0, "output_tokens": 0 }),
            json!({ "input_tokens": 812, "output_tokens": 40 }),
            [812, 0, 0, 40],
        ),
        // modelbus/one-api-pro#13: the last event repeats the first one's figures.
        (
            json!({ "input_tokens": 27, "cache_read_input_tokens": 5, "output_tokens": 1 }),
            json!({ "input_tokens": 27, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 5, "output_tokens": 47 }),
            [27, 5, 0, 47],
        ),
        // farion1231/cc-switch#6654: a smaller figure last.
        (
            json!({ "input_tokens": 233_535, "output_tokens": 1 }),
            json!({ "input_tokens": 89_828, "output_tokens": 9 }),
            [233_535, 0, 0, 9],
        ),
        // manaflow-ai/cmux#11283: cache writes beside cache reads.
        (
            json!({ "input_tokens": 9, "cache_creation_input_tokens": 856, "cache_read_input_tokens": 38_912, "output_tokens": 1 }),
            json!({ "output_tokens": 534 }),
            [9, 38_912, 856, 534],
        ),
    ];
    for (first, last, expected) in table {
        let usage = of_messages(first, std::slice::from_ref(&last)).await.usage;
        let written = usage.cache_creation_input_tokens();
        let counted = [usage.input_tokens, usage.cache_read_input_tokens, written, usage.output_tokens];
        assert_eq!(counted, expected, "{last}");
    }
}

#[tokio::test(start_paused = true)]
async fn figures_in_the_last_event_of_invoke_model_count_too() {
    let metrics = json!({ "inputTokenCount": 5000, "outputTokenCount": 16, "cacheReadInputTokenCount": 40_000,
        "cacheWriteInputTokenCount": 700 });
    let g = ended_by(json!({ "type": "message_stop", "amazon-bedrock-invocationMetrics": metrics })).await;
    let written = g.usage.cache_creation_input_tokens();
    let counted = [g.usage.input_tokens, g.usage.cache_read_input_tokens, written, g.usage.output_tokens];
    assert_eq!(counted, [5000, 40_000, 700, 40]);
}

/// An answer of the Messages API of these events, between its first one and its last one.
async fn of_events(first: Value, events: &[Value]) -> Generation {
    let message =
        json!({ "id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": first });
    let begin = json!({ "type": "message_start", "message": message });
    let all = [&[begin], events, &[json!({ "type": "message_stop" })]].concat();
    let all = all.into_iter().map(|event| format!("data: {event}\n\n").into_bytes());
    asked(Reply::stream(all).with_type("text/event-stream")).await
}

/// The block of the answer, with its text where it begins.
fn block_at_once() -> [Value; 2] {
    let block = json!({ "type": "text", "text": REVERSE });
    [
        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
        json!({ "type": "content_block_stop", "index": 0 }),
    ]
}

#[tokio::test(start_paused = true)]
async fn usage_below_the_last_delta_is_counted() {
    let [start, stop] = block_at_once();
    let usage = json!({ "output_tokens": 16, "cache_read_input_tokens": 300 });
    let last = json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "usage": usage } });
    let g = of_events(json!({ "input_tokens": 100 }), &[start, stop, last]).await;
    assert_eq!((g.usage.cache_read_input_tokens, g.usage.output_tokens), (300, 16));
}

#[tokio::test(start_paused = true)]
async fn text_that_stands_where_its_block_begins_is_output_that_someone_has_to_count() {
    let [start, stop] = block_at_once();
    let last = |output: u64| json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": output } });
    let first = json!({ "input_tokens": 100, "output_tokens": 1 });
    assert!(is_unknown(&of_events(first.clone(), &[start.clone(), stop.clone(), last(0)]).await));
    assert!(!is_unknown(&of_events(first, &[start, stop, last(16)]).await));
}

#[tokio::test(start_paused = true)]
async fn a_final_output_count_below_the_first_one_does_not_lower_it() {
    let first = json!({ "input_tokens": 100, "output_tokens": 30 });
    assert_eq!(of_messages(first, &[json!({ "output_tokens": 16 })]).await.usage.output_tokens, 30);
}

#[tokio::test(start_paused = true)]
async fn thinking_tokens_are_told_where_the_service_tells_them() {
    let later = json!({ "output_tokens": 16, "output_tokens_details": { "thinking_tokens": 9 } });
    let g = of_messages(json!({ "input_tokens": 100 }), &[later]).await;
    assert_eq!((g.usage.output_tokens, g.usage.thinking_tokens), (16, Some(9)));
}

/// The local twin says which sample an answer is; a router's real model is none.
#[tokio::test(start_paused = true)]
async fn a_label_of_a_sample_makes_it_free_and_is_told_in_both_apis() {
    let label = "sample for: reverse a string";
    let usage = json!({ "input_tokens": 100, "output_tokens": 1, "inference_geo": label });
    let of_router = |model: &str| {
        let usage = json!({ "inputTokens": 100, "outputTokens": 16, "totalTokens": 116 });
        let mut frames = converse(REVERSE, "end_turn");
        frames.pop();
        let trace = json!({ "promptRouter": { "invokedModelId": model } });
        frames.push(frame(
            "metadata",
            json!({ "usage": usage, "metrics": { "latencyMs": 1 }, "trace": trace }),
        ));
        let reply = Replies::new([Reply::stream(frames)]);
        async move { paused(&reply).generate(once()).await.unwrap() }
    };
    for g in [of_messages(usage, &[json!({ "output_tokens": 16 })]).await, of_router(label).await] {
        assert!(g.sample, "{:?}", g.warnings);
        assert_eq!(g.receipt.total(), usd("0"));
        assert!(g.warnings.iter().any(|warning| warning.contains(label)), "{:?}", g.warnings);
    }
    let arn = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-5-5";
    let real = of_router(arn).await;
    assert!(!real.sample && real.receipt.total().is_priced(), "{:?}", real.receipt);
    assert_eq!(real.warnings, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_end_without_a_final_count_is_unknown_and_charged_at_its_ceiling() {
    let seed = json!({ "input_tokens": 100, "output_tokens": 1 });
    for later in [json!({}), Value::Null, json!({ "output_tokens": 0 }), json!({ "input_tokens": 100 })] {
        assert!(is_unknown(&of_messages(seed.clone(), std::slice::from_ref(&later)).await), "{later}");
    }
    assert!(is_unknown(&of_messages(json!({}), &[json!({ "output_tokens": 16 })]).await), "no prompt");
    assert!(!is_unknown(&of_messages(json!({}), &[json!({ "input_tokens": 9, "output_tokens": 16 })]).await));
    for usage in [json!({}), json!({ "input_tokens": 100, "output_tokens": 0 }), Value::Null] {
        assert!(is_unknown(&of_whole(usage.clone()).await), "{usage}");
    }
    for usage in [
        json!({}),
        json!({ "inputTokens": 100, "outputTokens": 0, "totalTokens": 100 }),
        json!({ "inputTokens": 0, "outputTokens": 16, "totalTokens": 16 }),
    ] {
        assert!(is_unknown(&of_converse(usage.clone()).await), "{usage}");
    }
    let cached =
        json!({ "inputTokens": 0, "outputTokens": 16, "totalTokens": 16, "cacheReadInputTokens": 9 });
    assert!(!is_unknown(&of_converse(cached).await));
}

#[tokio::test(start_paused = true)]
async fn cache_writes_count_by_split_or_total_in_both_apis() {
    // Total, 5 minutes, one hour; what counts of each, and whether it is told.
    let table = [
        ((None, Some(300), Some(200)), (300, 200), false),
        ((Some(500), None, None), (500, 0), false),
        ((Some(500), Some(300), Some(200)), (300, 200), false),
        ((Some(900), Some(300), Some(200)), (700, 200), true),
        ((Some(100), Some(300), Some(200)), (300, 200), true),
    ];
    for ((total, w5, w1), expected, told) in table {
        let mut usage = json!({ "input_tokens": 10, "output_tokens": 16 });
        let mut converse = json!({ "inputTokens": 10, "outputTokens": 16, "totalTokens": 26 });
        if let Some(total) = total {
            usage["cache_creation_input_tokens"] = total.into();
            converse["cacheWriteInputTokens"] = total.into();
        }
        if let (Some(w5), Some(w1)) = (w5, w1) {
            usage["cache_creation"] =
                json!({ "ephemeral_5m_input_tokens": w5, "ephemeral_1h_input_tokens": w1 });
            converse["cacheDetails"] =
                json!([{ "ttl": "5m", "inputTokens": w5 }, { "ttl": "1h", "inputTokens": w1 }]);
        }
        let all = [
            of_messages(usage.clone(), &[json!({ "output_tokens": 16 })]).await,
            of_whole(usage).await,
            of_converse(converse).await,
        ];
        for g in all {
            let counted = (g.usage.cache_creation_5m_input_tokens, g.usage.cache_creation_1h_input_tokens);
            assert_eq!(counted, expected, "{total:?} {w5:?} {w1:?}");
            assert_eq!(
                g.warnings.iter().any(|warning| warning.contains("cache-write")),
                told,
                "{:?}",
                g.warnings
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_inference_ran_changes_the_price_or_unprices_it() {
    let usage = |geo: &str| json!({ "input_tokens": 1_000_000, "output_tokens": 1, "inference_geo": geo });
    for (geo, expected) in [("global", "2.0001"), ("not_available", "2.0001"), ("us", "2.20011")] {
        let later = json!({ "output_tokens": 10 });
        assert_eq!(of_messages(usage(geo), &[later]).await.receipt.total(), usd(expected), "{geo}");
    }
    let g = of_messages(usage("mars"), &[json!({ "output_tokens": 10 })]).await;
    assert!(!g.receipt.total().is_priced());
    let repeated = json!({ "output_tokens": 10, "inference_geo": "not_available" });
    assert_eq!(of_messages(usage("us"), &[repeated]).await.receipt.total(), usd("2.20011"), "it stays");
    let late = json!({ "output_tokens": 10, "inference_geo": "us" });
    let g = of_messages(json!({ "input_tokens": 1_000_000, "output_tokens": 1 }), &[late]).await;
    assert_eq!(g.receipt.total(), usd("2.20011"));
}

#[tokio::test(start_paused = true)]
async fn counts_that_are_written_as_fractions_or_text_are_read_and_others_are_not() {
    let odd = json!({ "input_tokens": 5000.0, "output_tokens": "many", "cache_read_input_tokens": -7 });
    let g = of_messages(odd, &[json!({ "output_tokens": 16.0, "cache_read_input_tokens": 0.5 })]).await;
    let usage = (g.usage.input_tokens, g.usage.cache_read_input_tokens, g.usage.output_tokens);
    assert_eq!(usage, (5000, 0, 16));
    let text = json!({ "input_tokens": "5000", "output_tokens": 1 });
    let g = of_messages(text, &[json!({ "output_tokens": "16", "cache_read_input_tokens": "-1" })]).await;
    assert_eq!((g.usage.input_tokens, g.usage.cache_read_input_tokens, g.usage.output_tokens), (5000, 0, 16));
}
