//! The command line: code on stdout, progress on stderr, an exit code that scripts can act on.

mod args;
mod batch;
mod batch_args;
mod commands;
mod examples;
mod global_args;
mod output;
mod project;
mod report_args;
mod run;
#[cfg(target_os = "linux")]
mod sandbox;
mod settings_file;
mod setup;
mod shutdown;
mod task_args;
mod twin_args;

pub use run::main_with;
