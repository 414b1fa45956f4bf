//! The built command, offline, in directories of its own.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod batch;
mod catalogue;
mod check;
mod checked;
mod doctor;
mod edges;
mod first;
mod generate;
mod kept;
mod metrics;
mod refactor;
mod run;
mod serve;
mod service;
mod terminal;
mod twin;
mod undo;
mod up;

pub(crate) use run::{Done, Place};

pub(crate) const REVERSE: &str = "Write a Python function that reverses a string.";
pub(crate) const PALINDROME: &str =
    "Write a Python function that checks whether a string is a palindrome, with tests.";
