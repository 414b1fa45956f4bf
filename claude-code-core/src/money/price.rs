//! Exact money in whole pico-dollars. No floating point: receipts are exact, and sums do not drift.

use std::str::FromStr;

use crate::error::{Error, Result};

/// Pico-dollars in a dollar.
const PER_USD: u128 = 1_000_000_000_000;

/// Digits after the point that a pico-dollar can hold.
const DIGITS: usize = 12;

/// An amount in pico-US-dollars: 1 USD is 10^12. Holds up to 18 million dollars; sums saturate there.
/// As text and in JSON it is a decimal string in dollars, exact: `"0.0123"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PicoUsd(pub u64);

impl PicoUsd {
    /// Nothing.
    pub const ZERO: PicoUsd = PicoUsd(0);

    /// The most that fits.
    pub const MAX: PicoUsd = PicoUsd(u64::MAX);

    /// An amount written in dollars, such as `0.05` or `3`. Fails on anything but digits with at most one point
    /// between them, on more than 12 digits after the point, and on what does not fit.
    pub fn from_usd(text: &str) -> Result<Self> {
        let refuse = || {
            Error::invalid(format!(
                "amount {:?} is not dollars as a decimal number with at most {DIGITS} digits after the point",
                text.chars().take(40).collect::<String>()
            ))
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|c| c.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > DIGITS {
            return Err(refuse());
        }
        let whole: u128 = whole.parse().map_err(|_| refuse())?;
        let fraction: u128 = format!("{fraction:0<DIGITS$}").parse().map_err(|_| refuse())?;
        let pico = whole.checked_mul(PER_USD).and_then(|w| w.checked_add(fraction)).ok_or_else(refuse)?;
        u64::try_from(pico).map(PicoUsd).map_err(|_| refuse())
    }

    /// The sum, or none where it does not fit.
    pub fn checked_add(self, other: PicoUsd) -> Option<PicoUsd> {
        self.0.checked_add(other.0).map(PicoUsd)
    }

    /// The difference, or none below zero.
    pub fn checked_sub(self, other: PicoUsd) -> Option<PicoUsd> {
        self.0.checked_sub(other.0).map(PicoUsd)
    }

    /// The sum; at the upper end it stays there.
    pub fn saturating_add(self, other: PicoUsd) -> PicoUsd {
        PicoUsd(self.0.saturating_add(other.0))
    }

    /// The difference; never below zero.
    pub fn saturating_sub(self, other: PicoUsd) -> PicoUsd {
        PicoUsd(self.0.saturating_sub(other.0))
    }

    /// The nearest amount that can be held: 0 for what is negative, `MAX` for what is too much.
    pub(crate) fn clamped(pico: i128) -> PicoUsd {
        PicoUsd(u64::try_from(pico.max(0)).unwrap_or(u64::MAX))
    }
}

impl std::iter::Sum for PicoUsd {
    fn sum<I: Iterator<Item = PicoUsd>>(amounts: I) -> PicoUsd {
        let sum: u128 = amounts.map(|a| u128::from(a.0)).sum();
        PicoUsd(u64::try_from(sum).unwrap_or(u64::MAX))
    }
}

impl std::fmt::Display for PicoUsd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&decimal(u128::from(self.0)))
    }
}

impl FromStr for PicoUsd {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        PicoUsd::from_usd(text)
    }
}

/// A difference between amounts, such as a discount or a saving; may be below zero. Text and JSON as `PicoUsd`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignedPicoUsd(pub i128);

impl SignedPicoUsd {
    /// Nothing.
    pub const ZERO: SignedPicoUsd = SignedPicoUsd(0);

    /// A difference written in dollars, such as `-0.05`. Fails as `PicoUsd::from_usd` does.
    pub fn from_usd(text: &str) -> Result<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        PicoUsd::from_usd(digits).map(|amount| SignedPicoUsd(sign * i128::from(amount.0)))
    }

    /// The sum; at either end it stays there.
    pub fn saturating_add(self, other: SignedPicoUsd) -> SignedPicoUsd {
        SignedPicoUsd(self.0.saturating_add(other.0))
    }
}

impl From<PicoUsd> for SignedPicoUsd {
    fn from(amount: PicoUsd) -> Self {
        SignedPicoUsd(i128::from(amount.0))
    }
}

impl std::fmt::Display for SignedPicoUsd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}", decimal(self.0.unsigned_abs()))
    }
}

impl FromStr for SignedPicoUsd {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        SignedPicoUsd::from_usd(text)
    }
}

/// Dollars, exact, without zeros at the end.
fn decimal(pico: u128) -> String {
    let (whole, fraction) = (pico / PER_USD, pico % PER_USD);
    let text = format!("{whole}.{fraction:0DIGITS$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// JSON as a decimal string, never a number: a number would become a float on the way.
macro_rules! decimal_string {
    ($type:ident) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                $type::from_usd(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

decimal_string!(PicoUsd);
decimal_string!(SignedPicoUsd);

/// What something costs. A model without a known price is `Unpriced`, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Known to the last pico-dollar.
    Priced(PicoUsd),
    /// At least one part has no known price; the parts that have one sum to `known`.
    Unpriced {
        /// The sum of what is known: the true cost is more.
        known: PicoUsd,
    },
}

impl Cost {
    /// Nothing, and known to be nothing.
    pub const ZERO: Cost = Cost::Priced(PicoUsd::ZERO);

    /// Of no part is the price known.
    pub const UNPRICED: Cost = Cost::Unpriced { known: PicoUsd::ZERO };

    /// The cost, where all of it is known.
    pub fn priced(self) -> Option<PicoUsd> {
        match self {
            Cost::Priced(amount) => Some(amount),
            Cost::Unpriced { .. } => None,
        }
    }

    /// What is known of it: all of it, or the least that it costs.
    pub fn known(self) -> PicoUsd {
        match self {
            Cost::Priced(amount) | Cost::Unpriced { known: amount } => amount,
        }
    }

    /// Whether all of it is known.
    pub fn is_priced(self) -> bool {
        matches!(self, Cost::Priced(_))
    }
}

impl std::ops::Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        let known = self.known().saturating_add(other.known());
        if self.is_priced() && other.is_priced() { Cost::Priced(known) } else { Cost::Unpriced { known } }
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Cost>>(costs: I) -> Cost {
        costs.fold(Cost::ZERO, std::ops::Add::add)
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cost::Priced(amount) => write!(f, "${amount}"),
            Cost::Unpriced { known: PicoUsd::ZERO } => f.write_str("unpriced"),
            Cost::Unpriced { known } => write!(f, "unpriced, at least ${known}"),
        }
    }
}

/// JSON: a decimal string, or null where the price is unknown.
impl serde::Serialize for Cost {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.priced().serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Cost {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<PicoUsd>::deserialize(deserializer)?.map_or(Cost::UNPRICED, Cost::Priced))
    }
}
