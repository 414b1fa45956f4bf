//! A catalogue of one's own: added models, corrected prices, and what is wrong with a file.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use claude_code_core::provider::StopReason;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Catalogue, Client, Cost, GenerateRequest, ModelId, PicoUsd, Policy, Receipt, Usage};

const ANSWER: &str = "```python a.py\nvalue = 1\n```\n";

/// Sonnet at another price, and a model of one's own behind a gateway.
const OWN: &str = r#"{
  "models": [
    {"api_id": "claude-sonnet-5-5", "prices": {"global": {"input": "1.80"}}},
    {"api_id": "house-coder-2", "like": "claude-haiku-5-5", "context_window": 32000, "max_output_tokens": 4000,
     "prices": {"global": {"input": "0.3", "output": "1.2", "cache_read": "0.03", "cache_write_5m": "0.375"}}}
  ]
}"#;

fn receipt(catalogue: &Catalogue, model: &str) -> Receipt {
    let usage = Usage { cache_read_input_tokens: 1_000_000, ..Usage::new(1_000_000, 1_000_000) };
    Receipt::of_send(catalogue, &ModelId::new(model).unwrap(), &usage, false)
}

fn usd(text: &str) -> Cost {
    Cost::Priced(PicoUsd::from_usd(text).unwrap())
}

fn client(json: &str) -> Client {
    let answer = Script::text(ANSWER).stop(StopReason::EndTurn).usage(Usage::new(1000, 50));
    let policy = Policy { catalogue: Catalogue::with_changes(json).unwrap(), ..Policy::default() };
    builder(ScriptedProvider::new([answer])).with_policy(policy).build()
}

#[test]
fn a_corrected_price_is_billed_and_all_others_stay() {
    let own = Catalogue::with_changes(OWN).unwrap();
    assert_eq!(receipt(own, "claude-sonnet-5-5").total(), usd("11.90"), "1.80 + 10 + 0.10");
    assert_eq!(receipt(Catalogue::builtin(), "claude-sonnet-5-5").total(), usd("12.10"));
    for model in ["us.anthropic.claude-opus-5-5", "global.anthropic.claude-haiku-5-5"] {
        assert_eq!(receipt(own, model).total(), receipt(Catalogue::builtin(), model).total(), "{model}");
    }
    assert_eq!(own.models().len(), Catalogue::builtin().models().len() + 1);
}

#[test]
fn an_added_model_has_its_own_prices_and_limits_and_takes_the_rest_from_the_model_it_is_like() {
    let own = Catalogue::with_changes(OWN).unwrap();
    let card = own.find(&ModelId::new("house-coder-2").unwrap()).unwrap();
    let haiku = own.find(&ModelId::new("claude-haiku-5-5").unwrap()).unwrap();
    assert_eq!((card.context_window, card.max_output_tokens, card.name), (32_000, 4_000, "house-coder-2"));
    assert_eq!((card.family, card.capabilities.sampling), (haiku.family, haiku.capabilities.sampling));
    assert!(card.profiles.is_empty() && card.released.is_none() && card.lifecycle.eol.is_none());
    assert_eq!(own.for_family(haiku.family).base(), "claude-haiku-5-5", "the family's current model stays");
    // On Bedrock a geography has its own price, which is not known here.
    let bedrock = r#"{"models": [{"bedrock_id": "anthropic.claude-next-1", "api_id": "claude-next-1",
        "like": "claude-haiku-5-5", "profiles": ["global", "us"], "prices":
        {"global": {"input": "1", "output": "2", "cache_read": "0.1", "cache_write_5m": "1.25"}}}]}"#;
    let next = Catalogue::with_changes(bedrock).unwrap();
    assert_eq!(receipt(next, "global.anthropic.claude-next-1").total(), usd("3.10"));
    assert!(!receipt(next, "us.anthropic.claude-next-1").total().is_priced());
    let unpriced = r#"{"models": [{"api_id": "house-coder-3", "like": "claude-haiku-5-5"}]}"#;
    let own = Catalogue::with_changes(unpriced).unwrap();
    assert!(!receipt(own, "house-coder-3").total().is_priced(), "another model's price is not taken");
}

#[test]
fn a_receipt_names_the_table_that_it_was_billed_by() {
    let built_in = Catalogue::builtin().as_of();
    let own = Catalogue::with_changes(OWN).unwrap();
    assert_eq!(receipt(own, "claude-sonnet-5-5").price_table, format!("{built_in}+own"));
    let dated = Catalogue::with_changes(r#"{"as_of": "2027-01-31 house"}"#).unwrap();
    assert_eq!(receipt(dated, "claude-sonnet-5-5").price_table, "2027-01-31 house");
    assert!(std::ptr::eq(own, Catalogue::with_changes(OWN).unwrap()), "equal texts are one catalogue");
}

#[test]
fn a_family_and_a_tier_can_mean_another_model() {
    let own = Catalogue::with_changes(
        r#"{"families": {"haiku": "claude-haiku-4-5"}, "tiers": {"simple": "sonnet"}}"#,
    )
    .unwrap();
    assert_eq!(own.for_tier(claude_code_core::Tier::Simple).base(), "claude-sonnet-5-5");
    assert_eq!(own.for_family(claude_code_core::Family::Haiku).base(), "claude-haiku-4-5");
}

#[tokio::test(start_paused = true)]
async fn a_client_plans_reserves_and_bills_by_its_own_catalogue() {
    let client = client(OWN);
    let request = || GenerateRequest::new("a value").with_model("house-coder-2");
    let estimate = client.estimate(request()).unwrap();
    assert!(estimate.max_tokens == 4_000 && estimate.warnings.is_empty(), "{:?}", estimate.warnings);
    assert!(estimate.worst_usd.is_priced());
    let g = client.generate(request()).await.unwrap();
    // 1,000 at $0.30 and 50 at $1.20 a million.
    let expected = receipt(Catalogue::with_changes(OWN).unwrap(), "house-coder-2");
    assert_eq!(g.receipt.price_table, expected.price_table);
    assert_eq!(g.receipt.total(), usd("0.00036"));
    assert_eq!(client.budget().await.unwrap().spent, g.receipt.total().known());
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_one_line_that_names_the_model() {
    let model = |fields: &str| format!(r#"{{"models": [{{{fields}}}]}}"#);
    let table = [
        ("[1]".to_owned(), "no JSON object that is a catalogue"),
        ("{".to_owned(), "no JSON object that is a catalogue"),
        (
            r#"{"prices": {}}"#.to_owned(),
            "unknown field \"prices\": a catalogue has as_of, tiers, families, models",
        ),
        (r#"{"models": {}}"#.to_owned(), "models is no list"),
        (r#"{"models": [7]}"#.to_owned(), "model 1: it is no object"),
        (model(r#""name": "x""#), "model 1: it has neither api_id nor bedrock_id"),
        (model(r#""api_id": "x""#), "model x: it is new: say with \"like\" which known model it is like"),
        (model(r#""api_id": "x", "like": "y""#), "model x: no model \"y\" is known"),
        (
            model(r#""api_id": "claude-sonnet-5-5", "prices": {"global": {"inputs": "1"}}"#),
            "model claude-sonnet-5-5: unknown field prices.global.inputs",
        ),
        (
            model(r#""api_id": "claude-sonnet-5-5", "prices": {"global": {"input": 1.8}}"#),
            "model claude-sonnet-5-5: prices.global.input is the number 1.8: write dollars per million tokens as \"1.8\"",
        ),
        (
            model(r#""api_id": "claude-sonnet-5-5", "prices": {"global": {"input": "-1"}}"#),
            "model claude-sonnet-5-5: amount \"-1\" is not dollars",
        ),
        (
            model(r#""api_id": "claude-sonnet-5-5", "prices": {"global": {"input": "0.0000001"}}"#),
            "model claude-sonnet-5-5: a price is not whole pico-dollars per token",
        ),
        (
            model(r#""api_id": "x", "like": "claude-haiku-5-5", "prices": {"global": {"input": "1"}}"#),
            "model x: missing field `output`",
        ),
        (model(r#""api_id": "claude-sonnet-5-5", "context_window": null"#), "missing field `context_window`"),
        (r#"{"families": {"haiku": "claude-none"}}"#.to_owned(), "no current model of family haiku"),
        (r#"{"tiers": {"simple": "tiny"}}"#.to_owned(), "unknown variant `tiny`"),
    ];
    for (json, expected) in table {
        let error = Catalogue::with_changes(&json).unwrap_err();
        assert!(error.message().contains(expected), "{json}: {}", error.message());
        assert!(!error.message().contains('\n'));
    }
}
