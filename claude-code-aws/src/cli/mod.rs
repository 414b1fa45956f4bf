//! The command line: code on stdout, progress on stderr, an exit code that scripts can act on.

mod args;
mod commands;
mod output;
mod run;
#[cfg(target_os = "linux")]
mod sandbox;
mod setup;
mod shutdown;

pub use run::main_with;
