//! The command line: code on stdout, progress on stderr, an exit code that scripts can act on.

mod args;
mod batch;
mod commands;
mod output;
mod run;
mod setup;
mod shutdown;

pub use run::main_with;
