//! The budget of a day: money is reserved at its ceiling before each send and settled after it, so that callers who
//! race cannot overspend together. What became of a send unknown stays charged.
//!
//! Two rows count each send: that of everybody's day and that of the scope's day. Each host brings its own caps; one
//! that is set later, raised or lowered counts from the next send on.
//!
//! A process that dies settles nothing. So each row has, beside its sums, what was reserved or renewed in each slot of
//! fifteen seconds; what is still in a slot three behind belongs to the dead. What cannot have been sent is given back by
//! whoever meets it; what may have been stays charged at its ceiling and counts as unknown. See docs/decisions/money-and-budgets.md.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join, join_all, select};
use tokio::time::{sleep, timeout};

use crate::budget::Caps;
use crate::budget::figures::{over, unpriced};
use crate::budget::kill_switch::KillSwitch;
use crate::budget::reservation::{
    self, BALANCE, Change, DeferredReleases, HeldRow, LeftBehind, RESERVED, SLOT_MS, SPENT, Slot, UNKNOWN,
};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::money::price::{Cost, PicoUsd};
use crate::state::counters::Counters;
use crate::state::{AddError, Addition, Scope, StateKey, StateKind, StateStore};
use crate::state::{time_after_answer, time_before_answer};

/// A day's row is kept so long for those who look back.
const KEPT: Duration = Duration::from_secs(40 * 86_400);

/// How often a send under way renews what it holds.
const RENEW: Duration = Duration::from_secs(10);

/// Which slots hold what is reserved now: those of what cannot have been sent, or may have been.
type Stage = fn(i64) -> Slot;

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
pub(super) struct Row {
    pub(super) key: StateKey,
    pub(super) cap: Option<PicoUsd>,
    /// As the caller knows the cap.
    pub(super) name: &'static str,
    pub(super) setting: &'static str,
}

impl Ledger {
    pub(crate) fn new(state: Arc<dyn StateStore>, clock: Arc<dyn Clock>, caps: Caps) -> Self {
        let kill_switch = KillSwitch::new(state.clone(), clock.clone());
        Ledger { kill_switch, state, clock, caps, deferred: DeferredReleases::new() }
    }

    /// Holds the ceiling of a send, or refuses it. With a cap, a ledger that cannot be reached refuses too. `left` is what
    /// is left of the request's time.
    pub(crate) async fn reserve(&self, scope: &Scope, ceiling: Cost, left: Duration) -> Result<Reservation> {
        self.reserve_at(scope, ceiling, left, Slot::Sent).await
    }

    async fn reserve_at(
        &self,
        scope: &Scope,
        ceiling: Cost,
        left: Duration,
        stage: Stage,
    ) -> Result<Reservation> {
        if ceiling == Cost::ZERO {
            return Ok(self.deferred.reservation(0));
        }
        match timeout(time_before_answer(left), self.reservation(scope, ceiling, stage)).await {
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

    /// The scope's own row comes first, in a slot of what cannot have been sent. Only when everybody's row has room too does
    /// the amount move on, and only then may the caller send: of a process that dies before, it is given back.
    async fn reservation(&self, scope: &Scope, ceiling: Cost, stage: Stage) -> Result<Reservation> {
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
        let [all, own] = self.rows(scope);
        let now = self.slot();
        let held = self.hold(&mut reservation, own, Slot::Unsent(now)).await;
        let held = match held {
            Ok(()) => self.hold_second(&mut reservation, all, stage(now)).await,
            refused => refused,
        };
        match held {
            Ok(()) => Ok(reservation),
            Err(error) => {
                drop(reservation);
                self.settle_deferred().await;
                Err(error)
            }
        }
    }

    /// Holds the amount on everybody's row and, at the same time, moves what is held on the scope's to the same stage.
    async fn hold_second(&self, reservation: &mut Reservation, all: Row, slot: Slot) -> Result<()> {
        let amount = reservation.amount();
        let mut second = self.deferred.reservation(amount);
        // Who drops this in between finds each amount where it is.
        let moved = async {
            match reservation.rows.first_mut() {
                Some(own) if own.slot != slot && amount != 0 => self.advance(own, amount, slot).await,
                _ => Ok(()),
            }
        };
        let (held, moved) = join(self.hold(&mut second, all, slot), moved).await;
        reservation.rows.append(&mut second.rows);
        held.and(moved)
    }

    /// Holds the amount on a row. Without a cap the ledger is only a record, and what cannot be written stops nobody.
    async fn hold(&self, reservation: &mut Reservation, row: Row, slot: Slot) -> Result<()> {
        let change = Change::reserve(reservation.amount(), row.cap.map(pico), slot);
        let mut held = self.apply(&row.key, &change).await;
        if let Err(AddError::OutOfBounds(totals)) = &held
            && self.release_left_behind(&row.key, totals).await
        {
            held = self.apply(&row.key, &change).await;
        }
        match held {
            Ok(totals) => {
                let left = LeftBehind::of(&totals, slot.number());
                for (dead, amount) in left.unsent {
                    self.deferred.push(row.key.clone(), Change::release(amount, dead));
                }
                reservation.took(row.key, slot, left.empty);
                Ok(())
            }
            Err(AddError::OutOfBounds(totals)) => Err(over(&row, reservation.amount(), &totals)),
            Err(AddError::Store(error)) if self.caps.tightest().is_some() => Err(error),
            Err(AddError::Store(error)) => {
                tracing::warn!(%error, "the spending of this send could not be recorded");
                Ok(())
            }
        }
    }

    /// Moves what is held on a row to another slot. An amount that others took for a dead process's is reserved anew.
    async fn advance(&self, held: &mut HeldRow<StateKey>, amount: i64, slot: Slot) -> Result<()> {
        let moved = match self.apply(&held.key, &Change::renew(amount, held.slot, slot)).await {
            Err(AddError::OutOfBounds(_)) => {
                self.apply(&held.key, &Change::reserve(amount, self.caps.each.map(pico), slot)).await
            }
            moved => moved,
        };
        match moved {
            Ok(_) => held.slot = slot,
            Err(AddError::Store(error)) if self.caps.tightest().is_none() => {
                tracing::warn!(%error, "the spending of this send could not be recorded");
            }
            Err(AddError::Store(error)) => return Err(error),
            Err(AddError::OutOfBounds(_)) => {
                return Err(Error::new(
                    ErrorKind::Budget,
                    "this process was paused for over 30 s before the send, its reservation was given back, and the day's cap has \
                     no room left: nothing was sent",
                ));
            }
        }
        Ok(())
    }

    /// Gives back what processes that died had reserved and cannot have sent. False: there was nothing.
    async fn release_left_behind(&self, key: &StateKey, totals: &Counters) -> bool {
        let left = LeftBehind::of(totals, self.slot()).unsent;
        for (slot, amount) in &left {
            self.apply_late(key, &Change::release(*amount, *slot)).await;
        }
        !left.is_empty()
    }

    /// Does the work of a send and renews its reservation meanwhile: what is not renewed is taken for a dead process's.
    pub(crate) async fn keep<T>(&self, reservation: &mut Reservation, work: impl Future<Output = T>) -> T {
        let renewed = async {
            loop {
                sleep(RENEW).await;
                let (slot, amount) = (Slot::Sent(self.slot()), reservation.amount());
                let old = reservation.rows.iter_mut().filter(|held| amount != 0 && held.slot != slot);
                if timeout(RENEW, join_all(old.map(|held| self.renew(held, amount, slot)))).await.is_err() {
                    tracing::debug!("a reservation could not be renewed in time");
                }
            }
        };
        match select(pin!(work), pin!(renewed)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => never,
        }
    }

    async fn renew(&self, held: &mut HeldRow<StateKey>, amount: i64, slot: Slot) {
        match self.apply(&held.key, &Change::renew(amount, held.slot, slot)).await {
            Ok(_) => held.slot = slot,
            Err(error) => tracing::debug!(%error, "a reservation could not be renewed"),
        }
    }

    /// Books what the send cost and frees the rest. An unknown cost stays reserved at its ceiling.
    pub(crate) async fn settle(
        &self,
        mut reservation: Reservation,
        cost: Cost,
        unknown: bool,
        left: Duration,
    ) {
        let amount = reservation.amount();
        let settled = async {
            // What could not be moved before it was sent may have been taken for a dead process's since.
            for held in reservation.rows.iter_mut().filter(|held| amount != 0 && held.slot.is_unsent()) {
                if let Err(error) = self.advance(held, amount, Slot::Sent(self.slot())).await {
                    tracing::warn!(%error, "a send could not be settled");
                }
            }
            let rows = reservation.close((!unknown).then(|| pico(cost.known())));
            let each = rows.iter().map(|(key, change)| async move {
                if let Err(error) = self.apply(key, change).await {
                    tracing::warn!(%error, "a send could not be settled: it stays charged at its ceiling");
                }
            });
            join_all(each).await;
        };
        if timeout(time_after_answer(left), settled).await.is_err() {
            tracing::warn!("a send could not be settled in time: it stays charged at its ceiling");
        }
    }

    /// Holds the ceiling of what outlives this process, such as a batch job: its day and amount, to be kept and settled with
    /// [`settle_detached`](Self::settle_detached). None: nothing is held.
    pub(crate) async fn reserve_detached(
        &self,
        scope: &Scope,
        ceiling: Cost,
        left: Duration,
    ) -> Result<Option<(String, PicoUsd)>> {
        let reservation = self.reserve_at(scope, ceiling, left, Slot::Unsent).await?;
        let (rows, amount) = reservation.detached();
        for (key, change) in &rows {
            match self.apply(key, change).await {
                Ok(_) => {}
                // This process was paused and taken for dead: the job's money is reserved anew.
                Err(AddError::OutOfBounds(_)) => self.apply_late(key, &Change::hold(amount)).await,
                Err(AddError::Store(error)) => tracing::warn!(%error, "a reservation keeps its slot"),
            }
        }
        let day = rows.into_iter().next().map(|(key, _)| key.key);
        Ok(day.map(|day| (day, PicoUsd(u64::try_from(amount).unwrap_or(0)))))
    }

    /// Settles what was held on a day by a reservation that was detached.
    pub(crate) async fn settle_detached(&self, scope: &Scope, day: &str, held: PicoUsd, spent: PicoUsd) {
        let change = Change::settle_detached(pico(held), pico(spent));
        for whose in [&Scope::all(), scope] {
            let key = StateKey::new(StateKind::Budget, whose, day);
            if let Err(error) = self.apply(&key, &change).await {
                tracing::warn!(%error, "a batch job could not be settled: it stays charged at its ceiling");
            }
        }
    }

    /// Applies what dropped reservations left behind.
    pub(crate) async fn settle_deferred(&self) {
        while let Some((key, change)) = self.deferred.pop() {
            self.apply_late(&key, &change).await;
        }
    }

    /// A change that may come too late: what was taken for a dead process's is given back already.
    async fn apply_late(&self, key: &StateKey, change: &Change) {
        match self.apply(key, change).await {
            Ok(_) | Err(AddError::OutOfBounds(_)) => {}
            Err(AddError::Store(error)) => {
                tracing::warn!(%error, "a reservation could not be given back or marked");
            }
        }
    }

    pub(super) async fn apply(&self, key: &StateKey, change: &Change) -> Result<Counters, AddError> {
        self.state.add(key, self.addition(change)).await
    }

    /// The slot of time that it is.
    pub(super) fn slot(&self) -> i64 {
        self.clock.now().0.div_euclid(SLOT_MS)
    }

    fn addition(&self, change: &Change) -> Addition {
        Addition {
            initial: [BALANCE, SPENT, RESERVED, UNKNOWN].into_iter().map(|name| (name.into(), 0)).collect(),
            deltas: change.deltas.clone(),
            floors: change.floors.clone(),
            removed: change.removed.clone(),
            expires_at: self.clock.now().plus(KEPT),
        }
    }

    pub(super) fn rows(&self, scope: &Scope) -> [Row; 2] {
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

/// A quarter of the range: sums of several never wrap.
fn pico(amount: PicoUsd) -> i64 {
    i64::try_from(amount.0).unwrap_or(i64::MAX).min(i64::MAX / 4)
}
