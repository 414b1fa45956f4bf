//! Shared result: the outcome of an attempt that several callers may await, and what each of them receives.

use std::sync::Arc;

use crate::cache::charge::Charge;
use crate::cache::response::{aged, hit, waited_for};
use crate::clock::UtcMillis;
use crate::error::{Error, ErrorKind, Result};
use crate::generation::Generation;
use crate::metrics::Timing;
use crate::metrics::account::Account;

/// The result of single-flight, shared by leader and followers.
/// Whoever drops the last of it without having received it leaves the cost to the account.
#[derive(Clone, Debug)]
pub(crate) struct SharedResult {
    pub(crate) result: Result<Arc<Generation>>,
    pub(crate) timing: Timing,
    paid_by: PaidBy,
    /// Whether the response cache had it.
    is_hit: bool,
}

/// Where the charge is: with the request's account, or on its own.
#[derive(Clone, Debug)]
enum PaidBy {
    Account(Arc<Account>),
    Charge(Charge),
}

impl PaidBy {
    fn take(&self) -> bool {
        match self {
            PaidBy::Account(account) => account.charge.take(),
            PaidBy::Charge(charge) => charge.take(),
        }
    }
}

impl SharedResult {
    /// What an attempt came to.
    pub(crate) fn made(result: Result<Arc<Generation>>, timing: Timing, account: Account) -> Self {
        SharedResult { result, timing, paid_by: PaidBy::Account(Arc::new(account)), is_hit: false }
    }

    /// An answer of the response cache, in its original form.
    pub(crate) fn hit(original: Arc<Generation>, charge: Charge) -> Self {
        let timing = Timing::default();
        SharedResult { result: Ok(original), timing, paid_by: PaidBy::Charge(charge), is_hit: true }
    }

    /// A failure that is one caller's own.
    pub(crate) fn failed(error: Error) -> Self {
        let (timing, paid_by) = (Timing::default(), PaidBy::Charge(Charge::open()));
        SharedResult { result: Err(error), timing, paid_by, is_hit: false }
    }

    /// Whether the caller that led it ended it early.
    pub(crate) fn is_interrupted(&self) -> bool {
        matches!(&self.result, Err(error) if error.kind() == ErrorKind::Interrupted)
    }

    /// How it counts in reports: a hit of the response cache has saved its cost.
    pub(crate) fn seen(&self, now: UtcMillis) -> Result<Arc<Generation>> {
        match &self.result {
            Ok(original) if self.is_hit => Ok(Arc::new(hit(original, now))),
            result => result.clone(),
        }
    }

    /// What the caller receives who takes it now: the first one with the cost, every other one with what it saved.
    pub(crate) fn deliver(self, now: UtcMillis) -> Result<Arc<Generation>> {
        match (self.paid_by.take(), self.is_hit) {
            (true, false) => self.result,
            (true, true) => self.result.map(|original| Arc::new(aged(&original, now))),
            (false, _) => match self.result {
                Ok(original) => Ok(Arc::new(hit(&original, now))),
                Err(error) => Err(waited_for(error, now)),
            },
        }
    }
}
