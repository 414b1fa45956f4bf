//! The command line: code on stdout, progress on stderr, an exit code that scripts can act on.

mod args;
mod budget;
mod cost;
mod doctor;
mod exit;
mod figures;
mod generate;
mod json;
mod models;
mod plain;
mod problem;
mod progress;
mod refactor;
mod results;
mod run;
mod serve;
mod service;
mod setup;
mod show;
mod signals;
mod twin;
mod warnings;

pub use run::main_with;
