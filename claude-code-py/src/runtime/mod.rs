//! The runtime: one background thread, calls driven by the thread that waits, interrupts, log records.

mod background;
pub(crate) mod call;
pub(crate) mod driver;
pub(crate) mod interrupts;
pub(crate) mod log;
pub(crate) mod process;

pub(crate) use background::*;
pub(crate) use process::{Process, forked};
