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
    let how: Vec<&str> = bill.lines.iter().map(|line| line.how.as_str()).collect();
    assert_eq!(
        how,
        [
            "1,000 times 2,000 tokens in and 8,000 out",
            "9,000 requests, 25,000 GB-seconds on arm64",
            "9,000 HTTP API requests",
            "20,000 writes, 20,000 reads, 100 MB",
            "8,000 objects, 10 GB",
        ]
    );
    assert_eq!(bill.assumptions[1], "9 requests and 100 s of 256 MB Lambda each");
    assert_eq!(bill.assumptions[2], "100 kB of rows and 10 MB of files each");
    assert_eq!((bill.assumptions.len(), bill.model.as_str()), (4, "global.anthropic.claude-opus-5-5"));
    assert_eq!((bill.load, bill.price_table.as_str()), (Load::default(), Catalogue::builtin().as_of()));
}

/// Each figure of the load stands in one line of the bill, at its list price.
#[test]
fn each_figure_of_the_load_has_its_price() {
    let one = Load {
        generations: 1,
        input_tokens: 0,
        output_tokens: 0,
        requests: 0,
        milliseconds: 0,
        memory_mb: 0,
        write_units: 0,
        read_units: 0,
        row_bytes: 0,
        objects: 0,
        object_bytes: 0,
    };
    let millions = 1_000_000;
    let table: [(Load, &str); 10] = [
        (Load { input_tokens: millions, ..one }, "2"),
        (Load { output_tokens: millions, ..one }, "10"),
        // A request: Lambda's $0.20 and the API's $1 a million.
        (Load { requests: millions, ..one }, "1.2"),
        // Two seconds of half a gigabyte are one gigabyte-second.
        (Load { milliseconds: 2_000, memory_mb: 512, ..one }, "0.0000133334"),
        (Load { write_units: millions, ..one }, "0.625"),
        (Load { read_units: millions, ..one }, "0.125"),
        (Load { row_bytes: 1_000 * millions, ..one }, "0.25"),
        (Load { objects: 1_000, ..one }, "0.005"),
        (Load { object_bytes: 1_000 * millions, ..one }, "0.023"),
        (one, "0"),
    ];
    for (load, amount) in table {
        assert_eq!(bill(&load, "global.anthropic.claude-sonnet-5-5").total, usd(amount), "{load:?}");
        let twice = Load { generations: 2, ..load };
        let total = bill(&twice, "global.anthropic.claude-sonnet-5-5").total;
        assert_eq!(total, usd(amount) + usd(amount), "{load:?}");
    }
}

/// A part of a gigabyte-second or of a gigabyte is rounded up to the pico-dollar, and sizes to the next whole unit.
#[test]
fn parts_are_rounded_up() {
    let load =
        |row_bytes| Load { row_bytes, generations: 1, milliseconds: 1, memory_mb: 1, ..Load::default() };
    let lines = |row_bytes| bill(&load(row_bytes), "haiku").lines;
    // 1 MB for 1 ms: 13,333,400 / 1,024,000 pico-dollars are 13.02; beside them nine requests.
    assert_eq!(lines(1)[1].usd, Cost::Priced(PicoUsd(9 * 200_000 + 14)));
    assert!(lines(1)[1].how.ends_with("1 GB-seconds on arm64"));
    for (bytes, size) in [
        (0, "0 kB"),
        (1, "1 kB"),
        (999, "1 kB"),
        (1_000, "1 kB"),
        (1_001, "2 kB"),
        (999_999, "1,000 kB"),
        (1_000_000, "1 MB"),
        (1_000_000_000, "1 GB"),
        (1_234_567_000_000, "1,235 GB"),
    ] {
        assert!(
            lines(bytes)[3].how.ends_with(&format!(" reads, {size}")),
            "{bytes}: {}",
            lines(bytes)[3].how
        );
    }
}

#[test]
fn a_bill_beyond_what_fits_stays_there() {
    let most = Load { generations: u64::MAX, output_tokens: 1_000_000, ..Load::default() };
    assert_eq!(bill(&most, "global.anthropic.claude-sonnet-5-5").total, Cost::Priced(PicoUsd::MAX));
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
