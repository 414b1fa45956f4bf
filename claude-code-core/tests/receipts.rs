//! Receipts against golden values from an independent script (tests/golden/receipts.py), and how they add up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

use std::collections::BTreeMap;

use claude_code_core::money::price::SignedPicoUsd;
use claude_code_core::money::rates::{PriceClass, ceiling};
use claude_code_core::money::receipt::LineItem;
use claude_code_core::{Catalogue, Cost, ModelId, PicoUsd, Receipt, Usage};
use proptest::prelude::*;

#[derive(serde::Deserialize)]
struct Golden {
    as_of: String,
    rows: Vec<Row>,
}

#[derive(serde::Deserialize)]
struct Row {
    model: ModelId,
    batch: bool,
    usage: [u64; 5],
    items: BTreeMap<String, SignedPicoUsd>,
    total: PicoUsd,
    saved_by_prompt_cache: SignedPicoUsd,
    saved_by_tier: SignedPicoUsd,
    genai_prices: Option<PicoUsd>,
}

fn usage([input, output, read, write_5m, write_1h]: [u64; 5]) -> Usage {
    Usage {
        cache_read_input_tokens: read,
        cache_creation_5m_input_tokens: write_5m,
        cache_creation_1h_input_tokens: write_1h,
        ..Usage::new(input, output)
    }
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/receipts.json")).unwrap()
}

fn id(text: &str) -> ModelId {
    ModelId::new(text).unwrap()
}

fn send(model: &str, tokens: [u64; 5]) -> Receipt {
    Receipt::of_send(Catalogue::builtin(), &id(model), &usage(tokens), false)
}

/// The key that a line has in JSON.
fn key(what: LineItem) -> String {
    serde_json::to_value(what).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn sixty_receipts_equal_the_golden_ones_line_by_line() {
    let golden = golden();
    assert_eq!(golden.as_of, Catalogue::builtin().as_of());
    assert!(golden.rows.len() >= 60);
    for row in &golden.rows {
        let receipt = Receipt::of_send(Catalogue::builtin(), &row.model, &usage(row.usage), row.batch);
        let items: BTreeMap<String, SignedPicoUsd> =
            receipt.items.iter().map(|i| (key(i.what), i.usd.unwrap())).collect();
        assert_eq!(items.len(), receipt.items.len(), "no kind of line stands twice");
        assert_eq!(items, row.items, "{} {:?}", row.model, row.usage);
        assert_eq!(receipt.total(), Cost::Priced(row.total), "{} {:?}", row.model, row.usage);
        assert_eq!(
            receipt.saved.by_prompt_cache_usd, row.saved_by_prompt_cache,
            "{} {:?}",
            row.model, row.usage
        );
        assert_eq!(receipt.saved.by_tier_usd, row.saved_by_tier, "{} {:?}", row.model, row.usage);
    }
    println!("{} golden receipts equal", golden.rows.len());
}

#[test]
fn at_least_twenty_of_them_equal_what_genai_prices_says() {
    let rows = golden().rows;
    let equal = rows.iter().filter(|r| r.genai_prices == Some(r.total)).count();
    let other = rows.iter().filter(|r| r.genai_prices.is_some_and(|t| t != r.total)).count();
    assert!(equal >= 20 && other == 0, "{equal} equal, {other} differ");
    println!("{equal} receipts equal genai-prices");
}

#[test]
fn the_token_after_a_hundred_thousand_makes_every_haiku_token_dearer() {
    let haiku = "global.anthropic.claude-haiku-5-5";
    assert_eq!(send(haiku, [100_000, 1_000, 0, 0, 0]).total().to_string(), "$0.0105");
    assert_eq!(send(haiku, [100_001, 1_000, 0, 0, 0]).total().to_string(), "$0.0525005");
}

#[test]
fn an_unknown_model_is_unpriced_and_never_free() {
    for tokens in [[10, 10, 0, 0, 0], [0, 0, 0, 0, 0]] {
        let receipt = send("amazon.nova-pro-v1:0", tokens);
        assert_eq!(receipt.total(), Cost::UNPRICED);
        let json = serde_json::to_value(&receipt).unwrap();
        assert_eq!(json["total_usd"], serde_json::Value::Null);
        assert_eq!(json["priced"], false);
    }
}

#[test]
fn an_unpriced_send_keeps_the_known_part_of_the_sum() {
    let mut sum = send("global.anthropic.claude-sonnet-5-5", [1_000, 0, 0, 0, 0]);
    sum.push_send(1, send("somebody.else", [1_000, 0, 0, 0, 0]));
    assert_eq!(sum.total(), Cost::Unpriced { known: PicoUsd::from_usd("0.002").unwrap() });
    assert_eq!(sum.total().to_string(), "unpriced, at least $0.002");
    assert_eq!(Cost::Priced(PicoUsd(5)) + Cost::UNPRICED, Cost::Unpriced { known: PicoUsd(5) });
    assert_eq!(serde_json::to_value(&sum).unwrap()["known_usd"], "0.002");
}

#[test]
fn one_hour_writes_of_a_model_without_them_are_unpriced() {
    let receipt = send("us.anthropic.claude-opus-4-1-20250805-v1:0", [1_000, 0, 0, 0, 1_000]);
    assert_eq!(receipt.total(), Cost::Unpriced { known: PicoUsd::from_usd("0.015").unwrap() });
}

#[test]
fn json_has_the_contract_s_keys_and_comes_back_equal() {
    let mut receipt = send("eu.anthropic.claude-haiku-5-5", [100_001, 1_000, 5, 6, 7]);
    receipt.push_send(1, send("global.anthropic.claude-sonnet-5-5", [10, 20, 0, 0, 0]));
    let json = serde_json::to_value(&receipt).unwrap();
    assert_eq!(json["total_usd"], receipt.total().known().to_string());
    assert_eq!(json["priced"], true);
    assert_eq!(json["price_table"], "2026-11-21");
    assert_eq!(json["items"][0]["what"], "input");
    assert_eq!(json["items"][0]["usd_per_million_tokens"], "0.1");
    let back: Receipt = serde_json::from_value(json).unwrap();
    assert_eq!(back, receipt);
    assert_eq!(back.cost_of(0) + back.cost_of(1), back.total());
}

#[test]
fn a_total_in_json_is_computed_and_cannot_be_forged() {
    let mut json = serde_json::to_value(send("claude-sonnet-5-5", [1_000, 0, 0, 0, 0])).unwrap();
    json["total_usd"] = "0".into();
    json["priced"] = false.into();
    let back: Receipt = serde_json::from_value(json).unwrap();
    assert_eq!(back.total().to_string(), "$0.002");
}

#[test]
fn a_cache_hit_costs_nothing_and_says_what_it_saved() {
    let original = send("claude-sonnet-5-5", [1_000, 1_000, 0, 0, 0]);
    let hit = Receipt::of_cache_hit(&original);
    assert_eq!(hit.total(), Cost::ZERO);
    assert_eq!(hit.saved.by_response_cache_usd, original.total().known().into());
}

#[test]
fn a_send_of_unknown_outcome_stays_charged_at_its_ceiling() {
    let sonnet = id("claude-sonnet-5-5");
    let rates = Catalogue::builtin().rates(&sonnet);
    let ceiling = ceiling(rates.as_ref(), 1_000, 8_000);
    let receipt = Receipt::of_unknown(Catalogue::builtin(), &sonnet, ceiling);
    assert_eq!(receipt.total(), ceiling);
    assert_eq!(receipt.items[0].what, LineItem::UnknownOutcome);
    let unknown = Receipt::of_unknown(Catalogue::builtin(), &id("x"), Cost::UNPRICED);
    assert!(!unknown.total().is_priced());
}

#[test]
fn two_price_tables_in_one_sum_are_both_named() {
    let mut sum = send("claude-sonnet-5-5", [1, 0, 0, 0, 0]);
    let mut older = sum.clone();
    older.price_table = "2026-10-01".into();
    sum.extend([older.clone(), older]);
    assert_eq!(sum.price_table, "2026-11-21, 2026-10-01");
}

#[test]
fn usage_has_the_four_keys_and_reads_older_json_without_the_split() {
    let json = serde_json::to_value(usage([1, 2, 3, 4, 5])).unwrap();
    assert_eq!(json["cache_creation_input_tokens"], 9);
    assert_eq!(serde_json::from_value::<Usage>(json).unwrap(), usage([1, 2, 3, 4, 5]));
    let old: Usage = serde_json::from_str(r#"{"input_tokens":1,"cache_creation_input_tokens":7}"#).unwrap();
    assert_eq!(old, usage([1, 0, 0, 7, 0]));
    assert_eq!(old.prompt_tokens(), 8);
}

/// Any model of the catalogue in any of its profiles.
fn any_id() -> impl Strategy<Value = ModelId> {
    let ids: Vec<ModelId> = Catalogue::builtin()
        .models()
        .iter()
        .flat_map(|card| card.profiles.iter().filter_map(|scope| card.profile_id(*scope)))
        .collect();
    proptest::sample::select(ids)
}

fn any_tokens() -> impl Strategy<Value = [u64; 5]> {
    // The one-hour cache is not every model's.
    let some = || prop_oneof![Just(0u64), 0..2_000u64, 90_000..110_000u64, 0..2_000_000u64];
    (some(), some(), some(), some()).prop_map(|(input, output, read, write)| [input, output, read, write, 0])
}

proptest! {
    #[test]
    fn parts_always_sum_to_the_total_and_batch_is_half(id in any_id(), tokens in any_tokens()) {
        let catalogue = Catalogue::builtin();
        let full = Receipt::of_send(catalogue, &id, &usage(tokens), false);
        let parts: i128 = full.items.iter().map(|i| i.usd.unwrap().0).sum();
        prop_assert_eq!(full.total(), Cost::Priced(PicoUsd(u64::try_from(parts).unwrap())));
        let half = Receipt::of_send(catalogue, &id, &usage(tokens), true).total().known().0;
        prop_assert_eq!(half * 2, full.total().known().0);
        prop_assert_eq!(full.merged().total(), full.total());
    }

    #[test]
    fn nothing_costs_more_than_its_ceiling(id in any_id(), tokens in any_tokens()) {
        let rates = Catalogue::builtin().rates(&id).unwrap();
        let used = usage(tokens);
        prop_assert!(rates.cost(&used, false).known() <= rates.ceiling(used.prompt_tokens(), used.output_tokens));
    }

    #[test]
    fn geographic_profiles_never_cost_less_than_the_global_one(id in any_id(), tokens in any_tokens()) {
        let catalogue = Catalogue::builtin();
        let card = catalogue.find(&id).unwrap();
        if let Some(global) = card.rates(PriceClass::Global) {
            let own = catalogue.rates(&id).unwrap().cost(&usage(tokens), false);
            prop_assert!(own.known() >= global.cost(&usage(tokens), false).known());
        }
    }
}
