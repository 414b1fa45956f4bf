//! Figures for people: short, and rounded to the digits that are known.

use claude_code_core::model::ModelId;
use claude_code_core::money::price::SignedPicoUsd;
use claude_code_core::{Catalogue, Cost, PicoUsd};

/// Pico-dollars in a hundredth of a cent, the smallest step that is shown.
const STEP: u64 = 100_000_000;

/// `$0.0123`; amounts below a hundredth of a cent as `<$0.0001`.
pub(crate) fn usd(amount: PicoUsd) -> String {
    let steps = (amount.0 + STEP / 2) / STEP;
    match (amount.0, steps) {
        (0, _) => "$0".to_owned(),
        (_, 0) => "<$0.0001".to_owned(),
        _ => format!("${}.{:04}", steps / 10_000, steps % 10_000),
    }
}

/// `$0.000123`, `-$0.000123`: exact, as receipts have their lines.
pub(crate) fn signed(amount: SignedPicoUsd) -> String {
    let text = amount.to_string();
    text.strip_prefix('-').map_or_else(|| format!("${text}"), |positive| format!("-${positive}"))
}

/// As [`usd`]; a cost without a known price says so.
pub(crate) fn cost(cost: Cost) -> String {
    match cost {
        Cost::Priced(amount) => usd(amount),
        Cost::Unpriced { known: PicoUsd::ZERO } => "price unknown".to_owned(),
        Cost::Unpriced { known } => format!("price unknown, at least {}", usd(known)),
    }
}

/// `510`, `4.1k`, `1.2M`.
pub(crate) fn count(n: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = (n + unit / 20) / (unit / 10);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match n {
        0..1_000 => n.to_string(),
        1_000..999_950 => format!("{}k", tenths(1_000)),
        _ => format!("{}M", tenths(1_000_000)),
    }
}

/// `812 B`, `1.2 kB`, `3.4 MB`.
pub(crate) fn bytes(n: usize) -> String {
    match n as u64 {
        n @ 0..1_000 => format!("{n} B"),
        n => count(n).replace('k', " kB").replace('M', " MB"),
    }
}

/// `1 file`, `2 files`.
pub(crate) fn some(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Short name of a model: `sonnet-5.5` of an id in the built-in catalogue. A model of the user's own is shown by its
/// id, which is the name that the user gave it.
pub(crate) fn model(id: &str) -> String {
    let card = ModelId::new(id).ok().and_then(|id| Catalogue::builtin().find(&id));
    card.map_or_else(|| id.to_owned(), |card| short(card.name))
}

/// `sonnet-5.5` of `Claude Sonnet 5.5`, and of the older order `Claude 3.7 Sonnet`.
pub(crate) fn short(name: &str) -> String {
    let name = name.trim_start_matches("Claude ").to_lowercase();
    let mut words: Vec<&str> = name.split(' ').collect();
    if words.len() > 1 && words[0].starts_with(|c: char| c.is_ascii_digit()) {
        words.swap(0, 1);
    }
    words.join("-")
}

/// Seconds as `12 s`, `3 min`, `2 h`.
pub(crate) fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_four_digits_and_nothing_is_shown_as_free_that_is_not() {
        let cases = [
            ("0", "$0"),
            ("0.00004", "<$0.0001"),
            ("0.00005", "$0.0001"),
            ("0.0123", "$0.0123"),
            ("0.01235", "$0.0124"),
            ("1.5", "$1.5000"),
        ];
        for (amount, expected) in cases {
            assert_eq!(PicoUsd::from_usd(amount).map(usd).ok().as_deref(), Some(expected), "{amount}");
        }
        assert_eq!(cost(Cost::UNPRICED), "price unknown");
    }

    #[test]
    fn counts_round_to_a_tenth() {
        let cases =
            [(0, "0"), (999, "999"), (1_000, "1.0k"), (4_149, "4.1k"), (4_150, "4.2k"), (999_949, "999.9k")];
        for (n, expected) in cases {
            assert_eq!(count(n), expected);
        }
        assert_eq!((count(999_950), count(1_250_000)), ("1.0M".to_owned(), "1.3M".to_owned()));
        assert_eq!((bytes(812), bytes(1_200)), ("812 B".to_owned(), "1.2 kB".to_owned()));
    }

    #[test]
    fn a_known_model_has_a_short_name_and_an_unknown_one_its_id() {
        assert_eq!(model("global.anthropic.claude-sonnet-5-5"), "sonnet-5.5");
        assert_eq!(short("Claude 3.5 Sonnet v2"), "sonnet-3.5-v2");
        assert_eq!(model("my-own-model"), "my-own-model");
    }
}
