//! Figures of a day's rows: what is spent, reserved and unknown, and the messages that tell them.

use crate::budget::BudgetView;
use crate::budget::ledger::{Ledger, Row};
use crate::budget::reservation::{Change, LeftBehind, RESERVED, SPENT, UNKNOWN};
use crate::error::{Error, ErrorKind, Result};
use crate::money::price::PicoUsd;
use crate::state::{AddError, Counters, Scope};

impl Ledger {
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
        let nothing = Change { deltas: Counters::from([(SPENT.into(), 0)]), ..Change::default() };
        let totals = match self.apply(&row.key, &nothing).await {
            Ok(totals) | Err(AddError::OutOfBounds(totals)) => totals,
            Err(AddError::Store(error)) => return Err(error),
        };
        // Nothing is written for a look: what dead processes left counts as what it will be.
        let left = LeftBehind::of(&totals, self.slot());
        let unsent: i64 = left.unsent.iter().map(|(_, amount)| amount).sum();
        let reserved = number(&totals, RESERVED) - unsent;
        let unknown = number(&totals, UNKNOWN) + left.sent;
        Ok(BudgetView {
            cap: row.cap,
            spent: of(&totals, SPENT),
            reserved: usd(reserved),
            unknown: usd(unknown.min(reserved)),
            stopped: false,
        })
    }
}

pub(super) fn unpriced(cap: PicoUsd) -> Error {
    Error::new(
        ErrorKind::Budget,
        format!("the model has no known price and ${cap} is the day's cap: name a model of the catalogue"),
    )
}

pub(super) fn over(row: &Row, amount: i64, totals: &Counters) -> Error {
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
    usd(number(totals, name))
}

fn number(totals: &Counters, name: &str) -> i64 {
    totals.get(name).copied().unwrap_or(0)
}

fn usd(amount: i64) -> PicoUsd {
    PicoUsd(u64::try_from(amount).unwrap_or(0))
}
