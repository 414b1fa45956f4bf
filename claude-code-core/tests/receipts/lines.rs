//! What stands on a receipt, and how receipts add up.

use claude_code_core::money::price::SignedPicoUsd;
use claude_code_core::money::rates::ceiling;
use claude_code_core::money::receipt::{Item, LineItem, Saved};
use claude_code_core::{Catalogue, Cost, PicoUsd, Receipt};

use super::{id, key, send};

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
fn a_merged_receipt_has_one_line_for_each_model_purpose_and_price() {
    let (sonnet, haiku) = ("claude-sonnet-5-5", "claude-haiku-5-5");
    let mut sum = send(sonnet, [1_000, 10, 0, 0, 0]);
    sum.push_send(1, send(sonnet, [500, 0, 7, 0, 0]));
    sum.push_send(2, send(haiku, [1_000, 0, 0, 0, 0]));
    sum.push_send(3, send("somebody.else", [4, 5, 0, 0, 0]));
    sum.push_send(4, send("somebody.else", [6, 0, 0, 0, 0]));
    let mut cheaper = send(sonnet, [3, 0, 0, 0, 0]);
    cheaper.items[0].usd_per_million_tokens = Some(PicoUsd(1));
    sum.push_send(5, cheaper);
    let merged = sum.merged();
    let line = |item: &Item| (item.model.clone(), key(item.what), item.tokens, item.usd.map(|usd| usd.0));
    let expected = [
        (sonnet, "input", 1_500, Some(1_500 * 2_000_000)),
        (sonnet, "output", 10, Some(10 * 10_000_000)),
        (sonnet, "cache_read", 7, Some(7 * 100_000)),
        (haiku, "input", 1_000, Some(1_000 * 100_000)),
        ("somebody.else", "input", 10, None),
        ("somebody.else", "output", 5, None),
        (sonnet, "input", 3, Some(3 * 2_000_000)),
    ]
    .map(|(model, what, tokens, usd)| (model.to_owned(), what.to_owned(), Some(tokens), usd));
    let mut lines: Vec<_> = merged.items.iter().map(line).collect();
    let mut wanted = expected.to_vec();
    lines.sort();
    wanted.sort();
    assert_eq!(lines, wanted);
    assert!(merged.items.iter().all(|item| item.attempt == 0));
    assert_eq!(
        (merged.total(), &merged.price_table, merged.saved),
        (sum.total(), &sum.price_table, sum.saved)
    );
}

#[test]
fn an_unpriced_send_names_the_model_and_its_tokens_without_an_amount() {
    let line = |item: &Item| (item.model.clone(), item.what, item.tokens, item.usd);
    let receipt = send("somebody.else", [10, 0, 0, 3, 0]);
    let lines: Vec<_> = receipt.items.iter().map(line).collect();
    let name = || "somebody.else".to_owned();
    assert_eq!(
        lines,
        [(name(), LineItem::Input, Some(10), None), (name(), LineItem::CacheWrite5m, Some(3), None)]
    );
    // Even without any known token it was not free.
    let nothing = send("somebody.else", [0; 5]);
    assert_eq!(
        nothing.items.iter().map(line).collect::<Vec<_>>(),
        [(name(), LineItem::Output, Some(0), None)]
    );
    assert_eq!(nothing.price_table, "2026-11-21");
}

#[test]
fn lines_name_a_known_model_by_its_bare_name_and_an_unknown_one_by_its_id() {
    let known = send("us.anthropic.claude-haiku-4-5-20251001-v1:0", [1, 0, 0, 0, 0]);
    assert_eq!(known.items[0].model, "claude-haiku-4-5");
    let ceiling = Cost::Priced(PicoUsd(5));
    let unknown = |model: &str| Receipt::of_unknown(Catalogue::builtin(), &id(model), ceiling);
    assert_eq!(unknown("us.anthropic.claude-haiku-4-5-20251001-v1:0").items[0].model, "claude-haiku-4-5");
    assert_eq!(unknown("somebody.else").items[0].model, "somebody.else");
    let lost = Receipt::lost();
    assert_eq!((lost.total(), lost.items[0].what), (Cost::UNPRICED, LineItem::UnknownOutcome));
}

#[test]
fn a_sample_answer_shows_its_price_and_costs_nothing() {
    let sonnet = send("us.anthropic.claude-sonnet-5-5", [1_000, 10, 50, 0, 0]);
    let sample = sonnet.clone().as_sample();
    let (last, shown) = sample.items.split_last().unwrap();
    assert_eq!((shown, &last.model), (&sonnet.items[..], &sonnet.items[0].model));
    assert_eq!(
        (last.what, last.usd),
        (LineItem::SampleAnswer, Some(SignedPicoUsd(-i128::from(sonnet.total().known().0))))
    );
    assert_eq!((sample.total(), sample.saved), (Cost::ZERO, Saved::default()));
    assert_ne!(sonnet.saved, Saved::default());
    // A model without prices: nothing is shown that has none.
    let unpriced = send("somebody.else", [1_000, 10, 0, 0, 0]).as_sample();
    assert_eq!((unpriced.items.len(), unpriced.total()), (1, Cost::ZERO));
    assert_eq!(Receipt::default().as_sample(), Receipt::default());
}

#[test]
fn savings_of_several_receipts_add_up_kind_by_kind() {
    let some = |n| SignedPicoUsd(n);
    let of = |cache, tier, response| Receipt {
        saved: Saved {
            by_prompt_cache_usd: some(cache),
            by_tier_usd: some(tier),
            by_response_cache_usd: some(response),
        },
        ..Receipt::default()
    };
    let sum: Receipt = [of(1, 20, 300), of(-5, 40, 500)].into_iter().sum();
    assert_eq!(sum.saved, of(-4, 60, 800).saved);
    let json = serde_json::to_value(&sum).unwrap();
    assert_eq!(json["saved"]["by_prompt_cache_usd"], "-0.000000000004");
    assert!(serde_json::to_value(Receipt::default()).unwrap().get("saved").is_none(), "nothing to tell");
}

#[test]
fn the_cost_of_one_send_leaves_out_those_of_the_others() {
    let mut sum = Receipt::default();
    sum.push_send(0, send("claude-sonnet-5-5", [1_000, 0, 0, 0, 0]));
    sum.push_send(1, send("claude-haiku-5-5", [1_000, 0, 0, 0, 0]));
    let [first, second, third] = [0, 1, 2].map(|send| sum.cost_of(send).to_string());
    assert_eq!([first.as_str(), second.as_str(), third.as_str()], ["$0.002", "$0.0001", "$0"]);
}

#[test]
fn two_price_tables_in_one_sum_are_both_named() {
    let mut sum = send("claude-sonnet-5-5", [1, 0, 0, 0, 0]);
    let mut older = sum.clone();
    older.price_table = "2026-10-01".into();
    sum.extend([older.clone(), older]);
    assert_eq!(sum.price_table, "2026-11-21, 2026-10-01");
    sum.add(Receipt::default());
    assert_eq!(sum.price_table, "2026-11-21, 2026-10-01", "one that billed nothing names none");
    let mut first = Receipt::default();
    first.add(sum.clone());
    assert_eq!(first.price_table, sum.price_table);
}

#[test]
fn every_line_is_called_in_words_of_its_own_and_fits_a_column() {
    use LineItem::*;
    let all = [
        Input,
        Output,
        CacheRead,
        CacheWrite5m,
        CacheWrite1h,
        LongPrompt,
        ProfileUplift,
        BatchDiscount,
        UnknownOutcome,
        SampleAnswer,
    ];
    let words: std::collections::BTreeSet<String> = all.iter().map(|item| item.to_string()).collect();
    assert_eq!(words.len(), all.len(), "{words:?}");
    assert!(words.iter().all(|words| !words.trim().is_empty()), "{words:?}");
    assert_eq!(
        (Input.to_string().as_str(), BatchDiscount.to_string().as_str()),
        ("prompt", "batch discount")
    );
    assert_eq!(format!("{Output:<8}|"), "answer  |");
}
