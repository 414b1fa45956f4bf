//! Notebooks: cards, running totals, and the program's own OpenTelemetry.

pub(crate) mod card;
pub(crate) mod code;
pub(crate) mod table;
pub(crate) mod tally;
pub(crate) mod telemetry;
