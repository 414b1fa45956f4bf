//! The budget of a day: money is reserved at its ceiling before each send and settled after it, so that callers who
//! race cannot overspend together. What became of a send unknown stays charged.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::price::{Cost, PicoUsd};
use crate::state::{AddError, Addition, Counters, Scope, StateKey, StateKind, StateStore};

/// A day's row is kept so long for those who look back.
const KEPT: Duration = Duration::from_secs(40 * 86_400);
/// What is left of the cap: held separately because a condition cannot add.
const REMAINING: &str = "remaining";
const SPENT: &str = "spent";
const RESERVED: &str = "reserved";

/// The ledger of one client.
#[derive(Debug)]
pub(crate) struct Ledger {
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    per_day: Option<PicoUsd>,
    /// Reservations whose send never began because its future was dropped: given back with the next call.
    dropped: Arc<Mutex<Vec<(StateKey, i64)>>>,
}

/// Money held for one send. Dropped before the send began it is given back; after, it stays charged.
#[derive(Debug)]
pub(crate) struct Hold {
    key: StateKey,
    amount: i64,
    sent: bool,
    dropped: Arc<Mutex<Vec<(StateKey, i64)>>>,
    settled: bool,
}

impl Hold {
    /// From here on the send may be on the bill.
    pub(crate) fn sent(&mut self) {
        self.sent = true;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.settled && !self.sent && self.amount != 0 {
            self.dropped.lock().unwrap_or_else(PoisonError::into_inner).push((self.key.clone(), self.amount));
        }
    }
}

/// A day's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BudgetView {
    /// The cap, where there is one.
    pub cap: Option<PicoUsd>,
    /// Settled.
    pub spent: PicoUsd,
    /// Held by sends under way, and by those whose outcome is unknown.
    pub reserved: PicoUsd,
}

impl Ledger {
    pub(crate) fn new(state: Arc<dyn StateStore>, clock: Arc<dyn Clock>, per_day: Option<PicoUsd>) -> Self {
        Ledger { state, clock, per_day, dropped: Arc::default() }
    }

    /// Holds the ceiling of a send, or refuses it. With a cap, a ledger that cannot be reached refuses too.
    pub(crate) async fn reserve(&self, scope: &Scope, ceiling: Cost) -> Result<Hold> {
        self.give_back().await;
        let key = self.key(scope);
        let amount = match (ceiling, self.per_day) {
            (Cost::Priced(amount), _) => pico(amount),
            (Cost::Unpriced { .. }, Some(cap)) => {
                return Err(Error::new(
                    Kind::Budget,
                    format!(
                        "the model has no known price and ${cap} is the day's cap: name a model of the catalogue"
                    ),
                ));
            }
            (Cost::Unpriced { .. }, None) => 0,
        };
        let mut addition = self.addition(&[(REMAINING, -amount), (RESERVED, amount)]);
        addition.floors.insert(REMAINING, 0);
        match (self.state.add(&key, addition).await, self.per_day) {
            (Ok(_), _) => {}
            (Err(AddError::OutOfBounds(totals)), Some(cap)) => return Err(over(cap, amount, &totals)),
            (Err(AddError::Store(error)), Some(_)) => return Err(error),
            // Without a cap the ledger is only a record.
            (Err(error), None) => tracing::warn!(%error, "the spending of this send could not be recorded"),
        }
        Ok(Hold { key, amount, sent: false, dropped: self.dropped.clone(), settled: false })
    }

    /// Books what the send cost and frees the rest. An unknown cost stays reserved at its ceiling.
    pub(crate) async fn settle(&self, mut hold: Hold, cost: Cost, unknown: bool) {
        hold.settled = true;
        if unknown {
            return;
        }
        let spent = pico(cost.known());
        let addition = self.addition(&[
            (REMAINING, hold.amount.saturating_sub(spent)),
            (RESERVED, -hold.amount),
            (SPENT, spent),
        ]);
        if let Err(error) = self.state.add(&hold.key, addition).await {
            tracing::warn!(%error, "a send could not be settled: it stays charged at its ceiling");
        }
    }

    /// The figures of the current day.
    pub(crate) async fn view(&self, scope: &Scope) -> Result<BudgetView> {
        self.give_back().await;
        let totals = match self.state.add(&self.key(scope), self.addition(&[(SPENT, 0)])).await {
            Ok(totals) => totals,
            Err(AddError::OutOfBounds(totals)) => totals,
            Err(AddError::Store(error)) => return Err(error),
        };
        let of = |name| PicoUsd(u64::try_from(totals.get(name).copied().unwrap_or(0)).unwrap_or(0));
        Ok(BudgetView { cap: self.per_day, spent: of(SPENT), reserved: of(RESERVED) })
    }

    async fn give_back(&self) {
        let dropped = std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner));
        for (key, amount) in dropped {
            let addition = self.addition(&[(REMAINING, amount), (RESERVED, -amount)]);
            if let Err(error) = self.state.add(&key, addition).await {
                tracing::warn!(%error, "a reservation could not be given back");
            }
        }
    }

    fn addition(&self, deltas: &[(&'static str, i64)]) -> Addition {
        let cap = self.per_day.map_or(i64::MAX / 2, pico);
        Addition {
            initial: Counters::from([(REMAINING, cap), (SPENT, 0), (RESERVED, 0)]),
            deltas: deltas.iter().copied().collect(),
            floors: Counters::new(),
            expires_at: self.clock.now().plus(KEPT),
        }
    }

    fn key(&self, scope: &Scope) -> StateKey {
        StateKey::new(StateKind::Budget, scope, self.clock.now().date())
    }
}

fn over(cap: PicoUsd, amount: i64, totals: &Counters) -> Error {
    let of = |name| PicoUsd(u64::try_from(totals.get(name).copied().unwrap_or(0)).unwrap_or(0));
    let asked = PicoUsd(u64::try_from(amount).unwrap_or(0));
    Error::new(
        Kind::Budget,
        format!(
            "the day's cap is ${cap}: ${} is spent, ${} is reserved, and this send can cost ${asked}: wait until \
             midnight UTC or raise MAX_USD_PER_DAY",
            of(SPENT),
            of(RESERVED)
        ),
    )
}

fn pico(amount: PicoUsd) -> i64 {
    i64::try_from(amount.0).unwrap_or(i64::MAX / 4)
}
