//! The token estimate against recorded answers whose text and tokens are both known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

use claude_code_core::model::token_estimate::{estimate_prompt, estimate_tokens};
use claude_code_core::testing::{ScriptedProvider, builder};
use claude_code_core::{Catalogue, ErrorKind, GenerateRequest, ModelId};
use proptest::prelude::*;
use serde_json::Value;

#[path = "support/corpus.rs"]
mod corpus;

/// Traffic with billed tokens: only the large corpus has it, since no service counted the tokens of our own records.
fn records() -> Option<Vec<Value>> {
    let mut records = corpus::large("bedrock.jsonl")?;
    records.extend(corpus::large("anthropic.jsonl")?);
    Some(records)
}

/// The model, text and output tokens of an answer that is text and nothing else.
fn answer(record: &Value) -> Option<(String, String, u64)> {
    let body = record["response"]["body_text"].as_str()?;
    if record["expected"]["status"] != 200 {
        return None;
    }
    let Ok(json) = serde_json::from_str::<Value>(body) else { return streamed(record, body) };
    let content = json["content"].as_array().or(json["output"]["message"]["content"].as_array())?;
    let plain = content
        .iter()
        .all(|block| block["type"].as_str().unwrap_or("text") == "text" && block["text"].is_string());
    let text: String = content.iter().filter_map(|block| block["text"].as_str()).collect();
    let tokens = json["usage"]["output_tokens"].as_u64().or(json["usage"]["outputTokens"].as_u64())?;
    let model = json["model"].as_str().or(record["model"].as_str())?.to_owned();
    (plain && model.contains("claude")).then_some((model, text, tokens))
}

/// The same of an answer in server-sent events.
fn streamed(record: &Value, body: &str) -> Option<(String, String, u64)> {
    let blocks = record["expected"]["blocks"].as_object()?;
    if blocks.keys().any(|kind| kind != "text") {
        return None;
    }
    let (mut text, mut model) = (String::new(), record["model"].as_str().unwrap_or("").to_owned());
    for data in body.lines().filter_map(|line| line.strip_prefix("data:")) {
        let Ok(event) = serde_json::from_str::<Value>(data) else { continue };
        text.push_str(event["delta"]["text"].as_str().unwrap_or(""));
        if let Some(name) = event["message"]["model"].as_str() {
            model = name.to_owned();
        }
    }
    Some((model, text, record["expected"]["output_tokens"].as_u64()?))
}

/// Whether a model has the newer tokenizer, as the recorded ratios show.
fn is_new(model: &str) -> bool {
    ["opus-4-7", "opus-4-8", "sonnet-5", "haiku-5", "opus-5", "fable"].iter().any(|name| model.contains(name))
}

#[test]
fn is_never_far_below_what_was_billed() {
    let Some(records) = records() else { return };
    for (new, least) in [(true, 0.9), (false, 1.1)] {
        let mut ratios: Vec<f64> = records
            .iter()
            .filter_map(answer)
            // Fewer than 1.5 characters to a token: thinking that is billed and not shown.
            .filter(|(model, text, tokens)| {
                is_new(model) == new && *tokens > 100 && text.len() as u64 * 2 > tokens * 3
            })
            .map(|(_, text, tokens)| estimate_tokens(&text) as f64 / tokens as f64)
            .collect();
        ratios.sort_by(f64::total_cmp);
        let (low, middle, high) = (ratios[0], ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
        let which = if new { "newer" } else { "older" };
        println!(
            "{} answers, {which} tokenizer: estimate/actual {low:.2} to {high:.2}, median {middle:.2}",
            ratios.len()
        );
        assert!(low >= least, "{low}");
        assert!(high <= 2.0, "{high}");
    }
}

#[test]
fn code_is_about_three_characters_to_a_token_or_fewer() {
    let code = include_str!("../src/model/token_estimate.rs");
    let ratio = code.len() as f64 / estimate_tokens(code) as f64;
    assert!((1.8..=3.0).contains(&ratio), "{ratio}");
}

#[test]
fn scripts_without_spaces_count_more_than_one_token_a_character() {
    assert_eq!(estimate_tokens("并发安全"), 6);
    assert_eq!(estimate_tokens(""), 0);
    assert!(estimate_tokens("👍") >= 2);
}

#[test]
fn every_message_adds_a_little() {
    assert!(estimate_prompt(["a b", "c d"]) > estimate_tokens("a bc d"));
}

#[test]
fn a_request_that_fills_the_context_is_planned_and_one_token_more_is_refused_with_both_figures() {
    let client = builder(ScriptedProvider::new([])).build();
    let model = "anthropic.claude-haiku-4-5-20251001-v1:0";
    let allowed = u64::from(Catalogue::builtin().find(&ModelId::new(model).unwrap()).unwrap().context_window);
    let request = |max_tokens: u64| {
        let words = "word ".repeat(usize::try_from(allowed).unwrap() * 6 / 10);
        GenerateRequest::new(words).with_model(model).with_max_tokens(u32::try_from(max_tokens).unwrap())
    };
    let needed = client.estimate(request(1)).unwrap().input_tokens;
    let room = allowed - needed;
    assert!((1..60_000).contains(&room), "{room}");
    assert_eq!(client.estimate(request(room)).unwrap().input_tokens, needed);
    let refused = client.estimate(request(room + 1)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ContextTooLong);
    assert!(refused.message().contains(&format!("about {} tokens", allowed + 1)), "{refused}");
    assert!(refused.message().contains(&format!("allows {allowed}")), "{refused}");
}

proptest! {
    #[test]
    fn more_text_is_never_fewer_tokens(head in ".{0,60}", tail in ".{0,60}") {
        // Joining can merge two words into one; beyond that nothing is lost.
        let joined = estimate_tokens(&format!("{head}{tail}"));
        prop_assert!(joined + 3 >= estimate_tokens(&head).max(estimate_tokens(&tail)));
        prop_assert!(joined + 6 >= estimate_tokens(&head) + estimate_tokens(&tail));
    }
}
