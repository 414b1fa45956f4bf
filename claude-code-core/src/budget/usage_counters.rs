//! Usage counters in the state table: a row for each scope, day, model and tier, and a row that names a day's models, so
//! that a report reads keys that it knows and never scans.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use tokio::time::timeout;

use crate::budget::usage_report::{BUCKETS, Group, UsageRow, saving};
use crate::clock::{Clock, UtcMillis};
use crate::error::Result;
use crate::metrics::Observation;
use crate::model::Tier;
use crate::model::catalogue::Catalogue;
use crate::money::price::PicoUsd;
use crate::state::{
    AddError, Addition, CounterName, Counters, Scope, StateKey, StateKind, StateStore, time_after_answer,
};

/// As long as the budget's rows.
const KEPT: Duration = Duration::from_secs(40 * 86_400);
const DAY_MS: i64 = 86_400_000;
/// Rows that are read at the same time.
const AT_ONCE: usize = 8;
/// Names that are remembered as written; more are written again.
const REMEMBERED: usize = 4096;
/// The row that names a day's models.
const INDEX: &str = "models";
/// What is counted of each request, beside the buckets.
const FIGURES: [&str; 10] = [
    "requests",
    "accepted",
    "failed",
    "cached",
    "spent",
    "saved_cache",
    "saved_tier",
    "input",
    "output",
    "took_ms",
];
/// The counters of the response time's buckets.
const TIMES: [&str; BUCKETS.len() + 1] = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10"];

/// The counters of one client.
#[derive(Debug)]
pub(crate) struct UsageCounters {
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    catalogue: &'static Catalogue,
    /// Rows that this process has named in a day's index.
    named: Mutex<HashSet<StateKey>>,
}

impl UsageCounters {
    pub(crate) fn new(
        state: Arc<dyn StateStore>,
        clock: Arc<dyn Clock>,
        catalogue: &'static Catalogue,
    ) -> Self {
        UsageCounters { state, clock, catalogue, named: Mutex::default() }
    }

    /// Counts a request for its scope and for everybody. What cannot be counted in time is not: the request goes on.
    pub(crate) async fn count(&self, scope: &Scope, seen: &Observation, left: Duration) {
        let all = Scope::all();
        let both = join(self.count_for(scope, seen), self.count_for(&all, seen));
        if timeout(time_after_answer(left), both).await.is_err() {
            tracing::warn!("the usage of this request could not be counted in time");
        }
    }

    async fn count_for(&self, scope: &Scope, seen: &Observation) {
        let day = self.clock.now().date();
        let tier = seen.tier.unwrap_or(Tier::Medium.as_str());
        let row = key(scope, &format!("{day}#{}#{tier}", seen.model_name));
        let index = key(scope, &format!("{day}#{INDEX}"));
        let is_new = !self.named.lock().unwrap_or_else(PoisonError::into_inner).contains(&row);
        let named = async {
            if is_new {
                self.add(&index, Counters::from([(seen.model_name.into(), 1)])).await.map(|_| ())
            } else {
                Ok(())
            }
        };
        let (counted, named) = join(self.add(&row, figures(seen)), named).await;
        if let Err(error) = counted.map(|_| ()).and(named) {
            tracing::warn!(%error, "the usage of this request could not be counted");
        } else if is_new {
            let mut known = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(row);
        }
    }

    async fn add(&self, key: &StateKey, deltas: Counters) -> Result<Counters> {
        let initial = deltas.keys().map(|name| (name.clone(), 0)).collect();
        let expires_at = self.clock.now().plus(KEPT);
        let addition = Addition { initial, deltas, expires_at, ..Addition::default() };
        match self.state.add(key, addition).await {
            Ok(totals) | Err(AddError::OutOfBounds(totals)) => Ok(totals),
            Err(AddError::Store(error)) => Err(error),
        }
    }

    /// The rows of a scope's last days.
    pub(crate) async fn read(&self, scope: &Scope, name: &'static str, days: u32) -> Result<Vec<UsageRow>> {
        let now = self.clock.now();
        let dates = (0..i64::from(days)).map(|ago| UtcMillis(now.0 - ago * DAY_MS).date());
        let mut reads =
            futures_util::stream::iter(dates.map(|day| self.day(scope, name, day))).buffered(AT_ONCE);
        let mut rows = Vec::new();
        while let Some(day) = reads.next().await {
            rows.extend(day?);
        }
        Ok(rows)
    }

    async fn day(&self, scope: &Scope, name: &'static str, day: String) -> Result<Vec<UsageRow>> {
        let models = self.catalogue.models().iter().map(|card| card.base()).chain(["unknown"]);
        let nothing: Counters = models.map(|model| (model.into(), 0)).collect();
        let named = self.add(&key(scope, &format!("{day}#{INDEX}")), nothing).await?;
        let named = named.into_iter().filter(|(_, requests)| *requests > 0).map(|(model, _)| model);
        let rows = named.flat_map(|model| Tier::ALL.map(|tier| (model.clone(), tier.as_str())));
        let rows = join_all(rows.map(|(model, tier)| self.row(scope, name, &day, (model, tier)))).await;
        rows.into_iter().filter_map(Result::transpose).collect()
    }

    async fn row(
        &self,
        scope: &Scope,
        name: &'static str,
        day: &str,
        (model, tier): (CounterName, &'static str),
    ) -> Result<Option<UsageRow>> {
        let nothing: Counters = FIGURES.into_iter().chain(TIMES).map(|name| (name.into(), 0)).collect();
        let totals = self.add(&key(scope, &format!("{day}#{model}#{tier}")), nothing).await?;
        let figures = group(&totals);
        Ok((figures.requests > 0).then(|| UsageRow {
            day: day.to_owned(),
            model: model.into_owned(),
            tier: tier.to_owned(),
            scope: name,
            figures,
        }))
    }
}

fn key(scope: &Scope, key: &str) -> StateKey {
    StateKey::new(StateKind::Usage, scope, key)
}

fn figures(seen: &Observation) -> Counters {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX / 4);
    let took = u64::try_from(seen.took.as_millis()).unwrap_or(u64::MAX);
    let bucket = BUCKETS.iter().position(|end| took <= *end).unwrap_or(BUCKETS.len());
    let figures = [
        ("requests", 1),
        ("accepted", i64::from(seen.outcome == "accepted")),
        ("failed", i64::from(seen.error_kind.is_some())),
        ("cached", i64::from(seen.cached)),
        ("spent", count(seen.cost.known().0)),
        ("saved_cache", count(saving(seen.saved.by_response_cache_usd).0)),
        ("saved_tier", count(saving(seen.saved.by_tier_usd).0)),
        ("input", count(seen.input_tokens)),
        ("output", count(seen.output_tokens)),
        ("took_ms", count(took)),
        (TIMES[bucket], 1),
    ];
    figures.into_iter().map(|(name, figure)| (name.into(), figure)).collect()
}

fn group(totals: &Counters) -> Group {
    let of = |name: &str| u64::try_from(totals.get(name).copied().unwrap_or(0)).unwrap_or(0);
    Group {
        name: String::new(),
        requests: of("requests"),
        accepted: of("accepted"),
        failed: of("failed"),
        cached: of("cached"),
        spent: PicoUsd(of("spent")),
        saved_by_cache: PicoUsd(of("saved_cache")),
        saved_by_tier: PicoUsd(of("saved_tier")),
        input_tokens: of("input"),
        output_tokens: of("output"),
        took_ms: of("took_ms"),
        buckets: TIMES.map(of),
    }
}
