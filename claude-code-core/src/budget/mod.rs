//! Budgets: daily caps, reservations against them, and the kill switch.

pub(crate) mod kill_switch;
pub(crate) mod ledger;
pub(crate) mod reservation;
pub(crate) mod usage_counters;
pub mod usage_report;
mod view;

pub use view::*;
