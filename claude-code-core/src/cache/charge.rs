//! The charge of a shared attempt: the first caller that receives its result has the cost on its receipt as paid; for
//! every later one the response cache has saved it. A cancelled caller receives nothing, so the charge passes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The one-time right to be charged for an attempt. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Charge(Arc<AtomicBool>);

impl Charge {
    /// Nobody is charged yet.
    pub(crate) fn open() -> Self {
        Charge(Arc::new(AtomicBool::new(false)))
    }

    /// Somebody else is charged: another process, or an earlier caller.
    pub(crate) fn taken() -> Self {
        Charge(Arc::new(AtomicBool::new(true)))
    }

    /// Whether this caller is the one that is charged. True once.
    pub(crate) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    /// Whether somebody is charged, or may still be: the response cache has a clone.
    pub(crate) fn is_settled_or_shared(&self) -> bool {
        self.0.load(Ordering::Acquire) || Arc::strong_count(&self.0) > 1
    }
}
