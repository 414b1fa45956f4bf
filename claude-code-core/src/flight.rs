//! Equal requests of one process fly once: one shared future, driven by any of its waiters, gone with the last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use crate::error::Result;
use crate::generation::Generation;

/// The result of a flight, shared by its waiters.
pub(crate) type Landing = Result<Arc<Generation>>;
type Flight = Shared<BoxFuture<'static, Landing>>;

/// The flights of one process, by what they are about.
#[derive(Default)]
pub(crate) struct Flights {
    open: Mutex<HashMap<String, WeakShared<BoxFuture<'static, Landing>>>>,
}

/// A place on a flight.
pub(crate) enum Boarding {
    /// This caller began it and sees it live.
    Lead(Flight),
    /// Another caller began it: its result is shown when it is there.
    Follow(Flight),
}

impl std::fmt::Debug for Flights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Flights({})", self.open.lock().unwrap_or_else(PoisonError::into_inner).len())
    }
}

impl Flights {
    /// Joins the flight under this key, or begins it.
    pub(crate) fn board(&self, key: &str, work: impl FnOnce() -> BoxFuture<'static, Landing>) -> Boarding {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = open.get(key).and_then(WeakShared::upgrade).filter(|f| f.peek().is_none()) {
            return Boarding::Follow(flight);
        }
        let flight = work().shared();
        open.retain(|_, flight| flight.upgrade().is_some());
        if let Some(weak) = flight.downgrade() {
            open.insert(key.to_owned(), weak);
        }
        Boarding::Lead(flight)
    }
}
