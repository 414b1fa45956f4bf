//! Amounts in text and JSON, exact to the pico-dollar, and how costs add up where a part has no price.

use claude_code_core::money::price::SignedPicoUsd;
use claude_code_core::money::rates::{PriceClass, Rate, ceiling};
use claude_code_core::money::receipt::{Item, LineItem};
use claude_code_core::{Catalogue, Cost, PicoUsd, Receipt, Usage};
use serde_json::json;

use super::id;

fn priced(pico: u64) -> Cost {
    Cost::Priced(PicoUsd(pico))
}

fn unpriced(pico: u64) -> Cost {
    Cost::Unpriced { known: PicoUsd(pico) }
}

#[test]
fn dollars_are_read_to_the_last_pico_dollar() {
    for (text, pico) in [
        ("0", 0),
        ("3", 3_000_000_000_000),
        ("0.05", 50_000_000_000),
        ("00.000000000001", 1),
        ("1.000000000000", 1_000_000_000_000),
        ("18446744.073709551615", u64::MAX),
    ] {
        assert_eq!(PicoUsd::from_usd(text).unwrap(), PicoUsd(pico), "{text}");
        assert_eq!(text.parse::<PicoUsd>().unwrap(), PicoUsd(pico), "{text}");
    }
    for text in [
        "",
        ".",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e3",
        "1.2.3",
        " 1",
        "1,5",
        "$1",
        "0.0000000000001",
        "18446744.073709551616",
        "999999999999999999999999999999",
    ] {
        let error = PicoUsd::from_usd(text).unwrap_err().message().to_owned();
        assert!(error.contains(&format!("{text:?}")) && error.contains("12 digits"), "{text}: {error}");
    }
}

#[test]
fn differences_have_a_sign_and_read_as_they_are_written() {
    for (text, pico) in [("-0.05", -50_000_000_000), ("2", 2_000_000_000_000), ("0", 0)] {
        assert_eq!(SignedPicoUsd::from_usd(text).unwrap(), SignedPicoUsd(pico));
        assert_eq!(text.parse::<SignedPicoUsd>().unwrap().to_string(), text);
    }
    assert!(SignedPicoUsd::from_usd("--1").is_err());
    let (most, least) = (SignedPicoUsd(i128::MAX), SignedPicoUsd(i128::MIN));
    assert_eq!(most.saturating_add(SignedPicoUsd(1)), most);
    assert_eq!(least.saturating_add(SignedPicoUsd(-1)), least);
    assert_eq!(SignedPicoUsd(5).saturating_add(SignedPicoUsd(-7)), SignedPicoUsd(-2));
    assert_eq!(SignedPicoUsd::from(PicoUsd(9)), SignedPicoUsd(9));
}

#[test]
fn amounts_are_written_without_zeros_at_the_end_and_in_json_as_text() {
    for (pico, text) in
        [(0, "0"), (1, "0.000000000001"), (1_500_000_000_000, "1.5"), (20_000_000_000_000, "20")]
    {
        assert_eq!(PicoUsd(pico).to_string(), text);
        assert_eq!(serde_json::to_value(PicoUsd(pico)).unwrap(), json!(text));
        assert_eq!(serde_json::from_value::<PicoUsd>(json!(text)).unwrap(), PicoUsd(pico));
    }
    assert_eq!(serde_json::to_value(SignedPicoUsd(-10)).unwrap(), json!("-0.00000000001"));
    assert!(serde_json::from_value::<PicoUsd>(json!(1.5)).is_err(), "a number would be a float on the way");
    assert!(serde_json::from_value::<PicoUsd>(json!("-1")).is_err());
}

#[test]
fn sums_stop_at_the_ends_of_what_fits() {
    let (one, most) = (PicoUsd(1), PicoUsd::MAX);
    assert_eq!((most.checked_add(one), one.checked_add(one)), (None, Some(PicoUsd(2))));
    assert_eq!((PicoUsd::ZERO.checked_sub(one), most.checked_sub(one)), (None, Some(PicoUsd(u64::MAX - 1))));
    assert_eq!((most.saturating_add(one), one.saturating_add(one)), (most, PicoUsd(2)));
    assert_eq!(
        (one.saturating_sub(PicoUsd(2)), PicoUsd(5).saturating_sub(PicoUsd(2))),
        (PicoUsd::ZERO, PicoUsd(3))
    );
    assert_eq!([PicoUsd(2), PicoUsd(3)].into_iter().sum::<PicoUsd>(), PicoUsd(5));
    assert_eq!([most, most].into_iter().sum::<PicoUsd>(), most);
}

#[test]
fn a_cost_without_a_price_is_never_zero_and_keeps_what_is_known() {
    for (left, right, sum) in [
        (priced(1), priced(2), priced(3)),
        (priced(1), unpriced(2), unpriced(3)),
        (unpriced(1), priced(2), unpriced(3)),
        (unpriced(0), unpriced(0), Cost::UNPRICED),
    ] {
        assert_eq!(left + right, sum);
        assert_eq!([left, right].into_iter().sum::<Cost>(), sum);
    }
    assert_eq!(Vec::<Cost>::new().into_iter().sum::<Cost>(), Cost::ZERO);
    assert_eq!((priced(4).priced(), unpriced(4).priced()), (Some(PicoUsd(4)), None));
    assert_eq!((priced(4).known(), unpriced(4).known()), (PicoUsd(4), PicoUsd(4)));
    assert_eq!((priced(0).is_priced(), unpriced(4).is_priced()), (true, false));
    let texts = [priced(0), priced(1_000_000_000_000), unpriced(0), unpriced(1_000_000_000_000)]
        .map(|c| c.to_string());
    assert_eq!(texts, ["$0", "$1", "unpriced", "unpriced, at least $1"]);
}

#[test]
fn a_cost_in_json_is_its_amount_or_null() {
    assert_eq!(serde_json::to_value([priced(0), unpriced(7)]).unwrap(), json!(["0", null]));
    let back: Vec<Cost> = serde_json::from_value(json!(["0.5", null])).unwrap();
    assert_eq!(back, [priced(500_000_000_000), Cost::UNPRICED]);
}

#[test]
fn a_price_is_whole_pico_dollars_per_token() {
    let rate = |text: &str| serde_json::from_value::<Rate>(json!(text));
    assert_eq!(rate("2").unwrap().per_million(), PicoUsd(2_000_000_000_000));
    assert_eq!(rate("0.000001").unwrap().per_million(), PicoUsd(1_000_000));
    let error = rate("0.0000001").unwrap_err().to_string();
    assert!(error.contains("whole pico-dollars per token"), "{error}");
    assert!(rate("0.1").unwrap() < rate("0.11").unwrap());
}

#[test]
fn an_id_is_billed_by_its_place() {
    for (model, class) in [
        ("global.anthropic.claude-sonnet-5-5", PriceClass::Global),
        ("claude-sonnet-5-5", PriceClass::Global),
        ("eu.anthropic.claude-sonnet-5-5", PriceClass::Regional),
        ("us-gov.anthropic.claude-sonnet-5-5", PriceClass::UsGov),
        // Without a profile it is the dearer of the two.
        ("anthropic.claude-sonnet-5-5", PriceClass::Regional),
        (
            "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-sonnet-5-5",
            PriceClass::UsGov,
        ),
    ] {
        assert_eq!(PriceClass::of(&id(model)), class, "{model}");
    }
}

#[test]
fn rates_name_their_model_and_the_ceiling_takes_the_dearest_prompt_token() {
    let rates = Catalogue::builtin().rates(&id("global.anthropic.claude-sonnet-5-5")).unwrap();
    assert_eq!(rates.model(), "claude-sonnet-5-5");
    // A prompt token written to the one-hour cache costs $4 a million, one of the answer $10.
    assert_eq!(rates.ceiling(1_000, 100), PicoUsd(1_000 * 4_000_000 + 100 * 10_000_000));
    assert_eq!(ceiling(Some(&rates), 1_000, 100), priced(5_000_000_000));
    assert_eq!(ceiling(None, 1_000, 100), Cost::UNPRICED);
    // Above its price step Haiku 5.5 has other prices, from the first token on.
    let haiku = Catalogue::builtin().rates(&id("global.anthropic.claude-haiku-5-5")).unwrap();
    assert_eq!(haiku.ceiling(100_000, 1), PicoUsd(100_000 * 200_000 + 500_000));
    assert_eq!(haiku.ceiling(100_001, 1), PicoUsd(100_001 * 1_000_000 + 2_500_000));
    // Opus 4.1 has no one-hour cache: five-minute writes are its dearest.
    let opus = Catalogue::builtin().rates(&id("us.anthropic.claude-opus-4-1-20250805-v1:0")).unwrap();
    let five_minutes = opus.cost(&Usage { cache_creation_5m_input_tokens: 1_000, ..Usage::default() }, false);
    assert_eq!(Cost::Priced(opus.ceiling(1_000, 0)), five_minutes);
    assert_eq!(haiku.ceiling(u64::MAX, u64::MAX), PicoUsd::MAX, "it stays at the most that fits");
}

#[test]
fn lines_that_take_more_than_there_is_leave_zero_and_never_less() {
    let line = |usd| Item {
        attempt: 0,
        model: "m".into(),
        what: LineItem::Input,
        tokens: None,
        usd_per_million_tokens: None,
        usd,
    };
    let of = |amounts: &[Option<i128>]| {
        let items = amounts.iter().map(|usd| line(usd.map(SignedPicoUsd))).collect();
        Receipt { items, ..Receipt::default() }.total()
    };
    assert_eq!(of(&[Some(5), Some(-7)]), Cost::ZERO);
    assert_eq!(of(&[Some(5), Some(-2)]), priced(3));
    assert_eq!(of(&[Some(5), None]), unpriced(5));
    assert_eq!(of(&[Some(i128::MAX)]), Cost::Priced(PicoUsd::MAX));
}
