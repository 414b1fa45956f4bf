//! Receipts line by line against golden values from an independent script (tests/golden/receipts.py).

use std::collections::BTreeMap;

use claude_code_core::money::price::SignedPicoUsd;
use claude_code_core::money::rates::PriceClass;
use claude_code_core::money::receipt::LineItem;
use claude_code_core::{Catalogue, Cost, ModelId, PicoUsd, Receipt};
use proptest::prelude::*;

use super::{key, usage};

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

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/receipts.json")).unwrap()
}

#[test]
fn a_batch_job_is_on_the_receipt_as_half_of_what_its_tokens_cost() {
    let batches = golden().rows.into_iter().filter(|row| row.batch);
    let mut seen = 0;
    for row in batches.filter(|row| row.total != PicoUsd::ZERO) {
        let receipt = Receipt::of_send(Catalogue::builtin(), &row.model, &usage(row.usage), true);
        let discounts: Vec<_> =
            receipt.items.iter().filter(|item| item.what == LineItem::BatchDiscount).collect();
        let [discount] = discounts[..] else { panic!("one line tells of the batch: {receipt:?}") };
        assert_eq!(
            discount.usd,
            Some(SignedPicoUsd(-i128::from(row.total.0))),
            "{} {:?}",
            row.model,
            row.usage
        );
        assert_eq!((discount.tokens, discount.usd_per_million_tokens), (None, None), "it changes a price");
        let full = Receipt::of_send(Catalogue::builtin(), &row.model, &usage(row.usage), false);
        assert_eq!(full.total(), Cost::Priced(PicoUsd(row.total.0 * 2)));
        assert!(full.items.iter().all(|item| item.what != LineItem::BatchDiscount));
        seen += 1;
    }
    assert!(seen >= 24, "{seen}");
    println!("{seen} batch receipts equal half of the exact fractions");
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
