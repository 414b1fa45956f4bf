//! Budgets: daily caps, reservations against them, and the kill switch.

pub(crate) mod kill_switch;
pub(crate) mod ledger;
pub(crate) mod reservation;
mod view;

pub use view::*;
