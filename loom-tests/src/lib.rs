//! The core's own cells, compiled with loom's locks in place of std's. Nothing is copied: the files are the product's.
//!
//! `cargo test` here runs each model under every order of its two or three threads.

#![cfg_attr(not(test), allow(dead_code))]

/// What `claude-code-core/src/sync.rs` takes from std.
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use loom::sync::{Arc, Mutex};
    pub(crate) use std::sync::PoisonError;
}

#[path = "../../claude-code-core/src/budget/reservation.rs"]
#[allow(dead_code, reason = "the models use what races")]
mod reservation;
#[path = "../../claude-code-core/src/provider"]
mod provider {
    pub(crate) mod sent_flag;
}
#[path = "../../claude-code-core/src/state"]
mod state {
    pub(crate) mod counters;
}
#[path = "../../claude-code-core/src/cache/single_flight.rs"]
mod flight;

#[cfg(test)]
mod budget;
#[cfg(test)]
mod single_flight;
