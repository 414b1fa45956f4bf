//! Usage report: counters of requests by day, model and tier, and their sums.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::money::price::{PicoUsd, SignedPicoUsd};

/// Upper ends of the response time's buckets in milliseconds; behind the last one stands the rest.
pub(crate) const BUCKETS: [u64; 10] =
    [500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000];
/// Where the rest ends, for estimates.
const LONGEST: u64 = 900_000;

/// What a report is grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum By {
    /// The UTC day.
    Day,
    /// The model's name in the catalogue.
    Model,
    /// The tier.
    Tier,
    /// The scope: the caller's own, and everybody's together.
    Scope,
}

impl FromStr for By {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "day" => By::Day,
            "model" => By::Model,
            "tier" => By::Tier,
            "scope" => By::Scope,
            other => return Err(Error::invalid(format!("by={other:?}: it takes day, model, tier or scope"))),
        })
    }
}

/// Counters that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The day, model, tier or scope.
    pub name: String,
    /// Requests that came to an end.
    pub requests: u64,
    /// Those with an accepted answer.
    pub accepted: u64,
    /// Those that ended in an error.
    pub failed: u64,
    /// Those that the response cache answered.
    pub cached: u64,
    /// What they cost, as far as it is known.
    pub spent: PicoUsd,
    /// What the response cache saved.
    pub saved_by_cache: PicoUsd,
    /// What cheaper tiers saved against the complex one.
    pub saved_by_tier: PicoUsd,
    /// Prompt tokens outside the prompt cache.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// The sum of the response times.
    pub took_ms: u64,
    /// How many response times are within each bucket, the rest last.
    pub(crate) buckets: [u64; BUCKETS.len() + 1],
}

impl Group {
    fn add(&mut self, other: &Group) {
        self.requests += other.requests;
        self.accepted += other.accepted;
        self.failed += other.failed;
        self.cached += other.cached;
        self.spent = self.spent.saturating_add(other.spent);
        self.saved_by_cache = self.saved_by_cache.saturating_add(other.saved_by_cache);
        self.saved_by_tier = self.saved_by_tier.saturating_add(other.saved_by_tier);
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.took_ms = self.took_ms.saturating_add(other.took_ms);
        for (sum, more) in self.buckets.iter_mut().zip(other.buckets) {
            *sum += more;
        }
    }

    /// The average response time.
    pub fn average_seconds(&self) -> f64 {
        self.took_ms as f64 / self.requests.max(1) as f64 / 1000.0
    }

    /// The response time that nine of ten requests keep, as exact as the buckets are.
    pub fn p90_seconds(&self) -> f64 {
        let all: u64 = self.buckets.iter().sum();
        let wanted = all as f64 * 0.9;
        let (mut below, mut begins) = (0.0, 0);
        for (count, ends) in self.buckets.iter().zip(BUCKETS.into_iter().chain([LONGEST])) {
            let count = *count as f64;
            if count > 0.0 && below + count >= wanted {
                let part = (wanted - below) / count;
                return (begins as f64 + part * (ends - begins) as f64) / 1000.0;
            }
            (below, begins) = (below + count, ends);
        }
        0.0
    }

    fn json(&self, by: &str) -> Value {
        json!({
            by: self.name,
            "requests": self.requests,
            "accepted": self.accepted,
            "failed": self.failed,
            "cached": self.cached,
            "spent_usd": self.spent,
            "saved_by_cache_usd": self.saved_by_cache,
            "saved_by_tier_usd": self.saved_by_tier,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "average_seconds": rounded(self.average_seconds()),
            "p90_seconds": rounded(self.p90_seconds()),
        })
    }
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// The counters of one day, model and tier.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageRow {
    /// `2026-11-21`.
    pub day: String,
    /// The model's name in the catalogue, or `unknown`.
    pub model: String,
    /// `simple`, `medium` or `complex`.
    pub tier: String,
    /// Whose it is: `own` or `everybody`.
    pub scope: &'static str,
    /// The figures.
    pub figures: Group,
}

/// Usage of the last days.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageReport {
    /// How many days, today included.
    pub days: u32,
    /// The caller's own rows, and behind them everybody's.
    pub rows: Vec<UsageRow>,
}

impl UsageReport {
    /// The caller's own rows, together.
    pub fn total(&self) -> Group {
        let mut total = Group { name: "total".into(), ..Group::default() };
        self.own().for_each(|row| total.add(&row.figures));
        total
    }

    fn own(&self) -> impl Iterator<Item = &UsageRow> {
        self.rows.iter().filter(|row| row.scope == "own")
    }

    /// The caller's own rows in groups, in the order of their names; by scope everybody's beside them.
    pub fn groups(&self, by: By) -> Vec<Group> {
        let mut groups = BTreeMap::<&str, Group>::new();
        for row in self.rows.iter().filter(|row| by == By::Scope || row.scope == "own") {
            let name = match by {
                By::Day => row.day.as_str(),
                By::Model => row.model.as_str(),
                By::Tier => row.tier.as_str(),
                By::Scope => row.scope,
            };
            let group =
                groups.entry(name).or_insert_with(|| Group { name: name.to_owned(), ..Group::default() });
            group.add(&row.figures);
        }
        groups.into_values().collect()
    }

    /// The report as JSON: the total, and the groups.
    pub fn json(&self, by: By) -> Value {
        let name = match by {
            By::Day => "day",
            By::Model => "model",
            By::Tier => "tier",
            By::Scope => "scope",
        };
        let groups: Vec<Value> = self.groups(by).iter().map(|group| group.json(name)).collect();
        json!({ "days": self.days, "by": name, "total": self.total().json("name"), "groups": groups })
    }
}

/// What is saved, where it is above zero.
pub(crate) fn saving(saved: SignedPicoUsd) -> PicoUsd {
    PicoUsd::clamped(saved.0)
}
