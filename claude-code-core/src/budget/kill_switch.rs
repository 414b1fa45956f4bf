//! Kill switch (`budget stop`): a value that every host reads before each attempt, at most two seconds old.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, UtcMillis};
use crate::error::{Error, ErrorKind, Result};
use crate::state::{OnlyIf, PutError, Scope, StateKey, StateKind, StateStore};

/// A look at the value serves so long: a stop is seen within it, and sends do not pay for a read each.
const AGE: Duration = Duration::from_secs(2);
/// A stop stays until somebody resumes; ten years stand for that.
const KEPT: Duration = Duration::from_secs(3_650 * 86_400);
/// Beside the days of the budget.
const KEY: &str = "stop";
/// The value of a stop; resuming leaves none.
const STOPPED: &[u8] = b"stopped";

/// Who was stopped, for people.
const EVERYBODY: &str = "everybody";
/// The same for one scope.
const USER: &str = "this user";

/// Who may not send, as far as this process has looked.
#[derive(Debug)]
pub(crate) struct KillSwitch {
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    seen: Mutex<HashMap<Scope, (UtcMillis, bool)>>,
}

impl KillSwitch {
    pub(crate) fn new(state: Arc<dyn StateStore>, clock: Arc<dyn Clock>) -> Self {
        KillSwitch { state, clock, seen: Mutex::default() }
    }

    /// Fails if sending was stopped, for everybody or for this scope.
    pub(crate) async fn check(&self, scope: &Scope) -> Result<()> {
        for (whose, name) in [(&Scope::all(), EVERYBODY), (scope, USER)] {
            if self.is_stopped(whose).await {
                return Err(stopped(name));
            }
        }
        Ok(())
    }

    /// As [`check`](Self::check), by what was last seen: for when the state does not answer.
    pub(crate) fn recall(&self, scope: &Scope) -> Result<()> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (whose, name) in [(&Scope::all(), EVERYBODY), (scope, USER)] {
            if seen.get(whose).is_some_and(|(_, stopped)| *stopped) {
                return Err(stopped(name));
            }
        }
        Ok(())
    }

    /// Whether a scope is stopped. If it cannot be known, what was last seen counts.
    pub(crate) async fn is_stopped(&self, scope: &Scope) -> bool {
        let now = self.clock.now();
        let last = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(scope).copied();
        if let Some((at, stopped)) = last
            && now.since(at) < AGE
        {
            return stopped;
        }
        let stopped = match self.state.get(&key(scope)).await {
            Ok(found) => found.is_some_and(|found| found.value == STOPPED),
            Err(error) => {
                tracing::warn!(%error, "whether sending was stopped cannot be read");
                last.is_some_and(|(_, stopped)| stopped)
            }
        };
        self.note(scope, now, stopped);
        stopped
    }

    /// Stops a scope, or lets it send again.
    pub(crate) async fn set(&self, scope: &Scope, stopped: bool) -> Result<()> {
        let now = self.clock.now();
        let (value, until) = if stopped { (STOPPED.to_vec(), now.plus(KEPT)) } else { (Vec::new(), now) };
        match self.state.put(&key(scope), value, until, OnlyIf::Any).await {
            Ok(_) => self.note(scope, now, stopped),
            Err(PutError::Store(error)) => return Err(error),
            Err(PutError::Conflict) => {}
        }
        Ok(())
    }

    fn note(&self, scope: &Scope, now: UtcMillis, stopped: bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // What has aged is read again anyway; a stop is kept for the case that it cannot be.
        seen.retain(|_, (at, stopped)| *stopped || now.since(*at) < AGE);
        seen.insert(scope.clone(), (now, stopped));
    }
}

fn stopped(name: &str) -> Error {
    let message =
        format!("sending was stopped for {name}: nothing was sent; `claude-code-aws budget resume` ends it");
    Error::new(ErrorKind::Budget, message)
}

fn key(scope: &Scope) -> StateKey {
    StateKey::new(StateKind::Budget, scope, KEY)
}
