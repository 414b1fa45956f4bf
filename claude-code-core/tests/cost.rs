//! The month's bill.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use claude_code_core::model::ModelId;
use claude_code_core::money::forecast::{Bill, Load, monthly};
use claude_code_core::{Catalogue, Cost, PicoUsd};
use proptest::prelude::*;

fn bill(load: &Load, model: &str) -> Bill {
    monthly(load, &ModelId::new(model).unwrap(), Catalogue::builtin())
}

fn usd(text: &str) -> Cost {
    Cost::Priced(PicoUsd::from_usd(text).unwrap())
}

/// The estimate that the service creator began with, line by line: 1,000 generations of 8,000 tokens, 100 MB of rows,
/// 10 GB of files. It charged whole millions of requests, no Lambda time and no S3 requests; the model's price has
/// fallen since. Its $201 are $168.65 now.
#[test]
fn a_thousand_service_generations_a_month_are_reckoned_line_by_line() {
    let bill = bill(&Load::default(), "global.anthropic.claude-opus-5-5");
    let expected = [
        // 2,000 × $4 and 8,000 × $20 a million, 1,000 times.
        ("Claude Opus 5.5", "168"),
        // 9,000 × $0.20 a million; 25,000 GB-seconds × $0.0000133334.
        ("Lambda", "0.335135"),
        // 9,000 × $1 a million.
        ("API Gateway", "0.009"),
        // 20,000 × $0.625 and × $0.125 a million; 0.1 GB × $0.25.
        ("DynamoDB", "0.04"),
        // 8,000 × $0.005 a thousand; 10 GB × $0.023.
        ("S3", "0.27"),
    ];
    let lines: Vec<(&str, Cost)> = bill.lines.iter().map(|line| (line.what.as_str(), line.usd)).collect();
    assert_eq!(lines, expected.map(|(what, amount)| (what, usd(amount))));
    assert_eq!(bill.total, usd("168.654135"));
    assert!(!bill.assumptions.is_empty());
}

#[test]
fn the_model_decides_the_bill() {
    let totals = [
        ("global.anthropic.claude-haiku-5-5", "4.854135"),
        ("global.anthropic.claude-sonnet-5-5", "84.654135"),
        ("us.anthropic.claude-opus-5-5", "185.454135"),
    ];
    for (model, total) in totals {
        assert_eq!(bill(&Load::default(), model).total, usd(total), "{model}");
    }
}

#[test]
fn a_model_without_a_price_leaves_the_total_unpriced() {
    let bill = bill(&Load::default(), "my-own-model");
    assert_eq!(bill.total, Cost::Unpriced { known: PicoUsd::from_usd("0.654135").unwrap() });
    assert!(serde_json::to_value(&bill).unwrap()["total_usd"].is_null());
}

proptest! {
    #[test]
    fn lines_sum_to_the_total_and_more_never_costs_less(
        generations in 0_u64..1 << 40, input in 0_u64..1 << 20, output in 0_u64..1 << 17, more in 0_u64..1 << 20,
    ) {
        let load = Load { generations, input_tokens: input, output_tokens: output, ..Load::default() };
        let model = "global.anthropic.claude-sonnet-5-5";
        let less = bill(&load, model);
        prop_assert_eq!(less.total, less.lines.iter().map(|line| line.usd).sum());
        let greater = bill(&Load { generations: generations + more, ..load }, model);
        prop_assert!(greater.total.known() >= less.total.known());
    }
}
