//! Budgets: daily caps, reservations against them, and the kill switch.

mod figures;
pub(crate) mod kill_switch;
pub(crate) mod ledger;
pub(crate) mod reservation;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
pub(crate) mod usage_counters;
pub mod usage_report;
mod view;

pub use view::*;
