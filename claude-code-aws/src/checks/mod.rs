//! Command checks: a command runs over the files of an answer, in a sandbox of Linux namespaces. Off unless a caller
//! asks.

mod command;
mod consent;
mod environment;
mod layout;
mod output;
mod presets;
mod several;

pub use command::{Check, Isolation, Limits};
pub use consent::Consent;
pub use presets::preset;
pub use several::Commands;

/// Where a sandbox shows a command the files.
pub(crate) const WORK: &str = "/tmp/work";
