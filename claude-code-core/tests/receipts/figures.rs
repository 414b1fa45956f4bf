//! Usage figures over a stream: merged by maximum, unknown where they cannot be true, priced by geography.

use claude_code_core::money::receipt::{LineItem, Saved};
use claude_code_core::money::usage_figures::{InferenceGeo, UsageFigures};
use claude_code_core::{Catalogue, Cost, ModelId, PicoUsd, Receipt, Usage};
use proptest::prelude::*;

fn figures(input: u64, output: Option<u64>, [read, total, w5, w1]: [u64; 4]) -> UsageFigures {
    UsageFigures {
        input_tokens: input,
        output_tokens: output,
        cache_read_input_tokens: read,
        cache_write_input_tokens: total,
        cache_write_5m_input_tokens: w5,
        cache_write_1h_input_tokens: w1,
        ..UsageFigures::default()
    }
}

fn merged(all: &[UsageFigures]) -> UsageFigures {
    let mut merged = UsageFigures::default();
    all.iter().for_each(|later| merged.merge(later));
    merged
}

#[test]
fn zeros_of_a_later_event_erase_nothing() {
    let usage =
        merged(&[figures(5000, Some(1), [40_000, 0, 0, 0]), figures(0, Some(16), [0; 4])]).usage(true);
    assert_eq!(usage, Some(Usage { cache_read_input_tokens: 40_000, ..Usage::new(5000, 16) }));
    let receipt = |usage: &Usage| {
        let sonnet = ModelId::new("claude-sonnet-5-5").unwrap();
        Receipt::of_send(Catalogue::builtin(), &sonnet, usage, false).total()
    };
    // 5,000 at $2, 40,000 at $0.10 and 16 at $10 a million.
    assert_eq!(receipt(&usage.unwrap()), Cost::Priced(PicoUsd::from_usd("0.01416").unwrap()));
}

#[test]
fn cache_writes_count_by_their_split_by_their_total_or_by_the_larger_of_both() {
    // Total, 5 minutes, one hour; what counts of each, and whether it is told.
    let table = [
        ([0, 300, 200], (300, 200), false),
        ([500, 0, 0], (500, 0), false),
        ([500, 300, 200], (300, 200), false),
        ([900, 300, 200], (700, 200), true),
        ([100, 300, 200], (300, 200), true),
        ([500, 0, 200], (300, 200), true),
        ([0, 0, 0], (0, 0), false),
    ];
    for ([total, w5, w1], expected, told) in table {
        let figures = figures(10, Some(5), [0, total, w5, w1]);
        let usage = figures.usage(true).unwrap();
        let counted = (usage.cache_creation_5m_input_tokens, usage.cache_creation_1h_input_tokens);
        assert_eq!((counted, figures.contradiction().is_some()), (expected, told), "{total} {w5} {w1}");
    }
    let told = figures(10, Some(5), [0, 900, 300, 200]).contradiction().unwrap();
    assert!(told.contains("900") && told.contains("500"), "{told}");
}

#[test]
fn usage_is_unknown_without_a_prompt_or_an_output_that_can_be_true() {
    assert_eq!(figures(10, None, [0; 4]).usage(false), None);
    assert_eq!(figures(10, None, [0; 4]).usage(true), None);
    assert_eq!(figures(10, Some(0), [0; 4]).usage(true), None, "it wrote, so it is no count");
    assert_eq!(figures(10, Some(0), [0; 4]).usage(false), Some(Usage::new(10, 0)));
    assert_eq!(figures(0, Some(16), [0; 4]).usage(true), None, "no prompt has 0 tokens");
    assert!(figures(0, Some(16), [7, 0, 0, 0]).usage(true).is_some());
    assert!(figures(0, Some(16), [0, 7, 0, 0]).usage(true).is_some());
    assert!(figures(0, Some(1), [0, 0, 0, 7]).usage(true).is_some());
}

#[test]
fn thinking_and_geography_are_kept_too() {
    let geo = |geo: &str| UsageFigures { inference_geo: Some(geo.into()), ..UsageFigures::default() };
    let thought = |tokens| UsageFigures { thinking_tokens: tokens, ..figures(1, Some(9), [0; 4]) };
    let all = merged(&[geo("us"), thought(Some(5)), thought(Some(0)), thought(None)]);
    assert_eq!(all.inference_geo.as_deref(), Some("us"));
    assert_eq!(all.usage(true).unwrap().thinking_tokens, Some(5));
    // What restricts inference stays, whatever a later report leaves out or repeats without it.
    let unknown = InferenceGeo::Unknown("mars".into());
    for (reports, expected) in [
        (["us", "global"], InferenceGeo::Us),
        (["us", "not_available"], InferenceGeo::Us),
        (["us", ""], InferenceGeo::Us),
        (["global", "us"], InferenceGeo::Us),
        (["mars", "us"], unknown.clone()),
        (["us", "mars"], unknown.clone()),
        (["global", "not_available"], InferenceGeo::Unrestricted),
    ] {
        assert_eq!(merged(&reports.map(geo)).geo(), expected, "{reports:?}");
    }
    for (value, expected) in [
        ("", InferenceGeo::Unrestricted),
        ("global", InferenceGeo::Unrestricted),
        ("not_available", InferenceGeo::Unrestricted),
        ("us", InferenceGeo::Us),
        ("sample", InferenceGeo::Sample),
        ("sample for: reverse a string", InferenceGeo::Sample),
        ("samples", InferenceGeo::Unknown("samples".into())),
        ("mars\n", InferenceGeo::Unknown("mars".into())),
    ] {
        assert_eq!(InferenceGeo::from_wire(value), expected);
    }
    assert_eq!(InferenceGeo::from_wire(&"x".repeat(99)), InferenceGeo::Unknown("x".repeat(32)));
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 5 => 1..100_000_u64, 1 => any::<u64>()]
}

fn event() -> impl Strategy<Value = UsageFigures> {
    (count(), proptest::option::of(count()), [count(), count(), count(), count()])
        .prop_map(|(input, output, others)| figures(input, output, others))
}

fn fields(figures: &UsageFigures) -> [u64; 6] {
    [
        figures.input_tokens,
        figures.output_tokens.unwrap_or(0),
        figures.cache_read_input_tokens,
        figures.cache_write_input_tokens,
        figures.cache_write_5m_input_tokens,
        figures.cache_write_1h_input_tokens,
    ]
}

proptest! {
    #[test]
    fn a_merged_figure_is_never_below_any_seen_nor_above_their_sum(events in prop::collection::vec(event(), 1..8)) {
        let all = merged(&events);
        for (at, figure) in fields(&all).into_iter().enumerate() {
            let seen = events.iter().map(|event| fields(event)[at]);
            prop_assert!(seen.clone().all(|seen| seen <= figure));
            prop_assert!(figure <= seen.fold(0, u64::saturating_add));
        }
        if let Some(usage) = all.usage(true) {
            let written = usage.cache_creation_input_tokens();
            let split = all.cache_write_5m_input_tokens.saturating_add(all.cache_write_1h_input_tokens);
            prop_assert_eq!(written, split.max(all.cache_write_input_tokens));
            prop_assert_eq!([usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens],
                [fields(&all)[0], fields(&all)[1], fields(&all)[2]]);
        }
    }

    #[test]
    fn the_order_of_events_changes_no_figure(mut events in prop::collection::vec(event(), 1..8)) {
        let forwards = merged(&events);
        events.reverse();
        prop_assert_eq!(fields(&forwards), fields(&merged(&events)));
    }
}

fn priced(model: &str, geo: &InferenceGeo, batch: bool) -> Receipt {
    let usage = Usage { cache_read_input_tokens: 1000, ..Usage::new(100_000, 10_000) };
    Receipt::of_send_in(Catalogue::builtin(), &ModelId::new(model).unwrap(), geo, &usage, batch)
}

#[test]
fn inference_in_the_united_states_has_the_uplift_of_a_geographic_profile() {
    for batch in [false, true] {
        let known = |receipt: Receipt| receipt.total().priced().unwrap().0;
        let base = known(priced("claude-sonnet-5-5", &InferenceGeo::Unrestricted, batch));
        let us = priced("claude-sonnet-5-5", &InferenceGeo::Us, batch);
        assert!(us.items.iter().any(|item| item.what == LineItem::ProfileUplift));
        assert_eq!(known(us) * 10, base * 11, "exactly 1.1 times");
        let profile = "us.anthropic.claude-sonnet-5-5";
        let by_id = known(priced(profile, &InferenceGeo::Unrestricted, batch));
        assert_eq!(known(priced(profile, &InferenceGeo::Us, batch)), by_id, "the id has the uplift already");
        assert_eq!(by_id * 10, base * 11);
    }
}

#[test]
fn a_geography_without_a_known_price_is_unpriced() {
    let unknown = InferenceGeo::Unknown("mars".into());
    for (model, geo) in [
        ("claude-sonnet-5-5", &unknown),
        ("us.anthropic.claude-sonnet-5-5", &unknown),
        // Its uplift is not known.
        ("claude-opus-4-1", &InferenceGeo::Us),
        ("some-model", &InferenceGeo::Us),
    ] {
        let receipt = priced(model, geo, false);
        assert!(!receipt.total().is_priced(), "{model} {geo:?}");
        assert_eq!(receipt.items.len(), 3, "its tokens are told all the same");
        assert_eq!(receipt.saved, Saved::default());
    }
}
