//! Command checks: a command runs over the files of an answer, in a sandbox of Linux namespaces. Off unless a caller
//! asks.

mod command;
mod environment;
mod layout;
mod output;
mod presets;
mod several;

pub use command::{CommandCheck, Isolation, Limits};
pub use presets::preset;
pub use several::Commands;
