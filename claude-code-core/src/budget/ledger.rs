//! The budget of a day: money is reserved at its ceiling before each send and settled after it, so that callers who
//! race cannot overspend together. What became of a send unknown stays charged.
//!
//! Two rows count each send: that of everybody's day and that of the scope's day. Each host brings its own caps; one
//! that is set deferred, raised or lowered counts from the next send on.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::budget::kill_switch::KillSwitch;
use crate::budget::reservation::{self, BALANCE, Change, DeferredReleases, RESERVED, SPENT, UNKNOWN};
use crate::budget::{BudgetView, Caps};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::money::price::{Cost, PicoUsd};
use crate::state::counters::Counters;
use crate::state::{AddError, Addition, Scope, StateKey, StateKind, StateStore};
use crate::state::{time_after_answer, time_before_answer};

/// A day's row is kept so long for those who look back.
const KEPT: Duration = Duration::from_secs(40 * 86_400);

/// Money held for one send; see [`reservation::Reservation`].
pub(crate) type Reservation = reservation::Reservation<StateKey>;

/// The ledger of one client.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) kill_switch: KillSwitch,
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    caps: Caps,
    deferred: DeferredReleases<StateKey>,
}

/// A row of the day and the cap over it.
struct Row {
    key: StateKey,
    cap: Option<PicoUsd>,
    /// As the caller knows the cap.
    name: &'static str,
    setting: &'static str,
}

impl Ledger {
    pub(crate) fn new(state: Arc<dyn StateStore>, clock: Arc<dyn Clock>, caps: Caps) -> Self {
        let kill_switch = KillSwitch::new(state.clone(), clock.clone());
        Ledger { kill_switch, state, clock, caps, deferred: DeferredReleases::new() }
    }

    /// Holds the ceiling of a send, or refuses it. With a cap, a ledger that cannot be reached refuses too. `left` is what
    /// is left of the request's time.
    pub(crate) async fn reserve(&self, scope: &Scope, ceiling: Cost, left: Duration) -> Result<Reservation> {
        if ceiling == Cost::ZERO {
            return Ok(self.deferred.reservation(0));
        }
        match timeout(time_before_answer(left), self.reservation(scope, ceiling)).await {
            Ok(held) => held,
            Err(_) if self.caps.tightest().is_some() => Err(Error::new(
                ErrorKind::Storage,
                "the day's budget did not answer in time, and there is a cap: nothing was sent; try again",
            )),
            Err(_) => {
                self.kill_switch.recall(scope)?;
                tracing::warn!("the spending of this send could not be recorded in time");
                Ok(self.deferred.reservation(0))
            }
        }
    }

    async fn reservation(&self, scope: &Scope, ceiling: Cost) -> Result<Reservation> {
        self.settle_deferred().await;
        self.kill_switch.check(scope).await?;
        if self.caps.free {
            return Ok(self.deferred.reservation(0));
        }
        let capped = self.caps.tightest();
        let amount = match (ceiling, capped) {
            (Cost::Priced(amount), _) => pico(amount),
            (Cost::Unpriced { .. }, None) => 0,
            (Cost::Unpriced { .. }, Some(cap)) => return Err(unpriced(cap)),
        };
        let mut reservation = self.deferred.reservation(amount);
        for row in self.rows(scope) {
            let change = Change::reserve(amount, row.cap.map(pico));
            match self.state.add(&row.key, self.addition(&change)).await {
                Ok(_) => reservation.took(row.key),
                Err(error) if capped.is_some() => {
                    drop(reservation);
                    self.settle_deferred().await;
                    return Err(match error {
                        AddError::OutOfBounds(totals) => over(&row, amount, &totals),
                        AddError::Store(error) => error,
                    });
                }
                // Without a cap the ledger is only a record.
                Err(error) => tracing::warn!(%error, "the spending of this send could not be recorded"),
            }
        }
        Ok(reservation)
    }

    /// Books what the send cost and frees the rest. An unknown cost stays reserved at its ceiling.
    pub(crate) async fn settle(&self, reservation: Reservation, cost: Cost, unknown: bool, left: Duration) {
        let (rows, change) = reservation.close((!unknown).then(|| pico(cost.known())));
        let settled = timeout(time_after_answer(left), async {
            for key in rows {
                if let Err(error) = self.state.add(&key, self.addition(&change)).await {
                    tracing::warn!(%error, "a send could not be settled: it stays charged at its ceiling");
                }
            }
        });
        if settled.await.is_err() {
            tracing::warn!("a send could not be settled in time: it stays charged at its ceiling");
        }
    }

    /// Settles what was held on a day by a reservation that was detached.
    pub(crate) async fn settle_detached(&self, scope: &Scope, day: &str, held: PicoUsd, spent: PicoUsd) {
        let change = Change::settle(pico(held), pico(spent));
        for whose in [&Scope::all(), scope] {
            let key = StateKey::new(StateKind::Budget, whose, day);
            if let Err(error) = self.state.add(&key, self.addition(&change)).await {
                tracing::warn!(%error, "a batch job could not be settled: it stays charged at its ceiling");
            }
        }
    }

    /// The figures of the current day: of the row whose cap has less left, the scope's own where they have the same.
    pub(crate) async fn view(&self, scope: &Scope) -> Result<BudgetView> {
        self.settle_deferred().await;
        let [all, own] = self.rows(scope);
        let mut view = self.figures(&own).await?;
        if all.cap.is_some() {
            let everybodys = self.figures(&all).await?;
            if everybodys.left() < view.left() {
                view = everybodys;
            }
        }
        view.stopped =
            self.kill_switch.is_stopped(&Scope::all()).await || self.kill_switch.is_stopped(scope).await;
        Ok(view)
    }

    async fn figures(&self, row: &Row) -> Result<BudgetView> {
        let nothing = Change { deltas: Counters::from([(SPENT, 0)]), floors: Counters::new() };
        let totals = match self.state.add(&row.key, self.addition(&nothing)).await {
            Ok(totals) | Err(AddError::OutOfBounds(totals)) => totals,
            Err(AddError::Store(error)) => return Err(error),
        };
        Ok(BudgetView {
            cap: row.cap,
            spent: of(&totals, SPENT),
            reserved: of(&totals, RESERVED),
            unknown: of(&totals, UNKNOWN),
            stopped: false,
        })
    }

    /// Applies what dropped reservations left behind.
    pub(crate) async fn settle_deferred(&self) {
        while let Some((key, change)) = self.deferred.pop() {
            if let Err(error) = self.state.add(&key, self.addition(&change)).await {
                tracing::warn!(%error, "a dropped reservation could not be given back or marked");
            }
        }
    }

    fn addition(&self, change: &Change) -> Addition {
        Addition {
            initial: Counters::from([(BALANCE, 0), (SPENT, 0), (RESERVED, 0), (UNKNOWN, 0)]),
            deltas: change.deltas.clone(),
            floors: change.floors.clone(),
            expires_at: self.clock.now().plus(KEPT),
        }
    }

    fn rows(&self, scope: &Scope) -> [Row; 2] {
        let key = |scope: &Scope| StateKey::new(StateKind::Budget, scope, self.clock.now().date());
        let all = Row {
            key: key(&Scope::all()),
            cap: self.caps.all,
            name: "the day's cap",
            setting: "MAX_USD_PER_DAY",
        };
        let own = Row {
            key: key(scope),
            cap: self.caps.each,
            name: "this user's cap for the day",
            setting: "MAX_USD_PER_DAY_PER_SCOPE",
        };
        [all, own]
    }
}

fn unpriced(cap: PicoUsd) -> Error {
    Error::new(
        ErrorKind::Budget,
        format!("the model has no known price and ${cap} is the day's cap: name a model of the catalogue"),
    )
}

fn over(row: &Row, amount: i64, totals: &Counters) -> Error {
    let asked = PicoUsd(u64::try_from(amount).unwrap_or(0));
    let cap = row.cap.unwrap_or_default();
    Error::new(
        ErrorKind::Budget,
        format!(
            "{} is ${cap}: ${} is spent, ${} is reserved, and this send can cost ${asked}: wait until midnight UTC or \
             raise {}",
            row.name,
            of(totals, SPENT),
            of(totals, RESERVED),
            row.setting
        ),
    )
}

fn of(totals: &Counters, name: &str) -> PicoUsd {
    PicoUsd(u64::try_from(totals.get(name).copied().unwrap_or(0)).unwrap_or(0))
}

/// A quarter of the range: sums of several never wrap.
fn pico(amount: PicoUsd) -> i64 {
    i64::try_from(amount.0).unwrap_or(i64::MAX).min(i64::MAX / 4)
}
