//! Budget view: the figures of a day and the kill switch, as callers see them.

use crate::money::price::PicoUsd;
use crate::plan::policy::Policy;

/// The caps over a UTC day.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Caps {
    /// Over all scopes together.
    pub(crate) all: Option<PicoUsd>,
    /// Over each scope.
    pub(crate) each: Option<PicoUsd>,
    /// Whether nothing costs anything: sample answers.
    pub(crate) free: bool,
}

impl Caps {
    pub(crate) fn of(policy: &Policy) -> Self {
        Caps { all: policy.max_usd_per_day, each: policy.max_usd_per_day_per_scope, free: policy.samples }
    }

    /// The smaller of those that are set.
    pub(crate) fn tightest(&self) -> Option<PicoUsd> {
        self.all.into_iter().chain(self.each).min()
    }
}

/// A day's figures: of everybody's day where less is left of its cap than of the scope's, else the scope's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct BudgetView {
    /// The cap, where there is one.
    pub cap: Option<PicoUsd>,
    /// Settled.
    pub spent: PicoUsd,
    /// Held by sends under way, and by those whose outcome is unknown.
    pub reserved: PicoUsd,
    /// The part of `reserved` whose outcome is known to be unknown: it stays charged.
    pub unknown: PicoUsd,
    /// Whether sending was stopped, for everybody or for this scope.
    pub stopped: bool,
}

impl BudgetView {
    /// What is left of the cap; without one there is no end.
    pub(crate) fn left(&self) -> u64 {
        let left = |cap: PicoUsd| cap.0.saturating_sub(self.spent.0).saturating_sub(self.reserved.0);
        self.cap.map_or(u64::MAX, left)
    }
}

/// Who is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BudgetScope {
    /// Every scope of the deployment.
    Everybody,
    /// The client's own scope.
    Scope,
}
