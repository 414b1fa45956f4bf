//! Single-flight: concurrent equal requests of one process share one attempt: a shared future, driven by any of its
//! waiters, dropped with the last. `loom-tests` runs this very file under every order of its threads.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use crate::sync::{Mutex, PoisonError};

type SharedFuture<T> = Shared<BoxFuture<'static, T>>;

/// Single-flight: concurrent equal requests of a process share one attempt, by key.
pub(crate) struct SingleFlight<T: Clone> {
    open: Mutex<HashMap<String, Open<T>>>,
}

/// Shared future of a flight: it can be joined while anyone polls it.
struct Open<T: Clone> {
    flight: WeakShared<BoxFuture<'static, T>>,
    /// How long it may take, all in all.
    time: Duration,
}

/// A place on a flight.
pub(crate) enum Role<T: Clone> {
    /// This caller began it and sees it live.
    Leader(SharedFuture<T>),
    /// Another caller began it: its result is shown when it is there.
    Follower(SharedFuture<T>),
}

impl<T: Clone> std::fmt::Debug for SingleFlight<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SingleFlight({})", self.open.lock().unwrap_or_else(PoisonError::into_inner).len())
    }
}

impl<T: Clone> SingleFlight<T> {
    /// None open.
    pub(crate) fn new() -> Self {
        SingleFlight { open: Mutex::new(HashMap::new()) }
    }

    /// Joins the flight under this key, or begins it. One that may take less time than this caller has is not joined: it
    /// would fail for want of time that the caller has.
    pub(crate) fn join(
        &self,
        key: &str,
        time: Duration,
        work: impl FnOnce() -> BoxFuture<'static, T>,
    ) -> Role<T> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let joined = open.get(key).filter(|open| time <= open.time).and_then(|open| open.flight.upgrade());
        if let Some(flight) = joined.filter(|flight| flight.peek().is_none()) {
            return Role::Follower(flight);
        }
        let flight = work().shared();
        open.retain(|_, open| open.flight.upgrade().is_some());
        if let Some(weak) = flight.downgrade() {
            open.insert(key.to_owned(), Open { flight: weak, time });
        }
        Role::Leader(flight)
    }
}
