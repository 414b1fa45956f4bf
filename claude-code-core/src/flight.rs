//! Equal requests of one process fly once: one shared future, driven by any of its waiters, gone with the last.
//! `loom-tests` runs this very file under every order of its threads.

use std::collections::HashMap;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use crate::sync::{Mutex, PoisonError};

type Flight<T> = Shared<BoxFuture<'static, T>>;

/// The flights of one process, by what they are about.
pub(crate) struct Flights<T: Clone> {
    open: Mutex<HashMap<String, WeakShared<BoxFuture<'static, T>>>>,
}

/// A place on a flight.
pub(crate) enum Boarding<T: Clone> {
    /// This caller began it and sees it live.
    Lead(Flight<T>),
    /// Another caller began it: its result is shown when it is there.
    Follow(Flight<T>),
}

impl<T: Clone> std::fmt::Debug for Flights<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Flights({})", self.open.lock().unwrap_or_else(PoisonError::into_inner).len())
    }
}

impl<T: Clone> Flights<T> {
    /// None open.
    pub(crate) fn new() -> Self {
        Flights { open: Mutex::new(HashMap::new()) }
    }

    /// Joins the flight under this key, or begins it.
    pub(crate) fn board(&self, key: &str, work: impl FnOnce() -> BoxFuture<'static, T>) -> Boarding<T> {
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
