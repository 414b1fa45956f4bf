//! Budgets: daily caps, reservations against them, and the kill switch.

pub(crate) mod kill_switch;
pub(crate) mod ledger;
pub(crate) mod reservation;
pub(crate) mod usage_counters;
pub mod usage_report;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
mod view;

pub use view::*;
