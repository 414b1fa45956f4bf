//! One result for one key: a caller that repeats a request gets the answer of the first, and it is paid once.
//!
//! The first request takes the key under a lease. Whoever comes meanwhile is told to wait; whoever comes after
//! gets the kept answer; a key with another request is refused. A leader that dies is followed when its lease ends,
//! and its late answer never overwrites its follower's: who has a key is told by the owner in its row. Versions alone would
//! not do, for they begin anew where the table has removed a row.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::file::sha256_hex;
use crate::clock::{Clock, IdSource, UtcMillis};
use crate::error::{Error, ErrorKind, Result};
use crate::state::{OnlyIf, PutError, Scope, StateKey, StateKind, StateStore};

/// An answer is kept so long: a day, as long as bodies of shared state are.
const KEPT: Duration = Duration::from_secs(86_400);
/// A leader is not overtaken before its own deadline and this.
const GRACE: Duration = Duration::from_secs(1);
/// The longest key, in bytes: a UUID has 36, and some callers put two into one.
pub const MAX_KEY: usize = 255;
/// No caller is told to wait longer: the leader may be done long before its lease ends.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The keys of all scopes.
#[derive(Clone, Debug)]
pub struct Idempotency {
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

/// What a key says to a request.
pub enum Entry {
    /// The request is the first: do the work, then [`finish`](Idempotency::finish) or
    /// [`release`](Idempotency::release).
    Lead(Claim),
    /// It was done: this is the answer.
    Replay(Value),
    /// It is being done: ask again after this time.
    InProgress(Duration),
    /// The key belongs to another request.
    OtherRequest,
}

// The answer is the user's: Debug tells nothing of it.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Entry::Lead(_) => "Lead",
            Entry::Replay(_) => "Replay",
            Entry::InProgress(_) => "InProgress",
            Entry::OtherRequest => "OtherRequest",
        })
    }
}

/// The right to answer for a key.
#[derive(Clone, Debug)]
pub struct Claim {
    key: StateKey,
    owner: String,
    request: String,
}

#[derive(Serialize, Deserialize)]
struct Row {
    request: String,
    /// Whose it is: another word for each claim.
    #[serde(default)]
    owner: String,
    answer: Option<Value>,
}

impl Idempotency {
    /// Keys in this state.
    pub fn new(state: Arc<dyn StateStore>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Idempotency { state, clock, ids }
    }

    /// Takes the key for a request of this hash that is done within `lease`. Fails if the key is empty or too long,
    /// or if state cannot be reached: a promise of one payment is not made without it.
    pub async fn enter(&self, scope: &Scope, key: &str, request: &str, lease: Duration) -> Result<Entry> {
        if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid(format!(
                "Idempotency-Key takes 1 to {MAX_KEY} visible ASCII characters"
            )));
        }
        let key = StateKey::new(StateKind::Idem, scope, sha256_hex(key.as_bytes()));
        let now = self.clock.now();
        let expires_at = now.plus(lease).plus(GRACE);
        let owner = crate::answer::file::hex(&self.ids.random());
        let claim = Claim { key, owner, request: request.to_owned() };
        let row = claim.row(None)?;
        match self.state.put(&claim.key, row, expires_at, OnlyIf::AbsentAt(now)).await {
            Ok(_) => return Ok(Entry::Lead(claim)),
            Err(PutError::Conflict) => {}
            Err(PutError::Store(error)) => return Err(error),
        }
        let found = self.state.get(&claim.key).await?.filter(|found| now < found.expires_at);
        let Some(found) = found else { return Ok(Entry::InProgress(Duration::from_secs(1))) };
        let row: Row = serde_json::from_slice(&found.value).map_err(|_| damaged())?;
        // A put that was made although its reply was lost meets itself when it is repeated.
        if row.owner == claim.owner {
            return Ok(Entry::Lead(claim));
        }
        if row.request != request {
            return Ok(Entry::OtherRequest);
        }
        let wait = found.expires_at.since(now).clamp(Duration::from_secs(1), LONGEST_WAIT);
        Ok(row.answer.map_or(Entry::InProgress(wait), Entry::Replay))
    }

    /// Keeps the answer for those who repeat the request. False if another leader has taken over meanwhile; then
    /// nothing was written.
    pub async fn finish(&self, claim: &Claim, answer: Value) -> Result<bool> {
        self.put(claim, claim.row(Some(answer))?, self.clock.now().plus(KEPT)).await
    }

    /// Gives the key back: the same request may be tried again at once.
    pub async fn release(&self, claim: &Claim) -> Result<bool> {
        self.put(claim, Vec::new(), self.clock.now()).await
    }

    /// Writes over the claim's own row. False if it is another's by now.
    async fn put(&self, claim: &Claim, row: Vec<u8>, expires_at: UtcMillis) -> Result<bool> {
        let Some(found) = self.state.get(&claim.key).await?.filter(|found| claim.owns(&found.value)) else {
            return Ok(false);
        };
        let over = OnlyIf::Version(found.version);
        match self.state.put(&claim.key, row.clone(), expires_at, over).await {
            Ok(_) => Ok(true),
            // Taken over at this moment, or written with the reply lost.
            Err(PutError::Conflict) => {
                Ok(self.state.get(&claim.key).await?.is_some_and(|found| found.value == row))
            }
            Err(PutError::Store(error)) => Err(error),
        }
    }
}

impl Claim {
    fn row(&self, answer: Option<Value>) -> Result<Vec<u8>> {
        let row = Row { request: self.request.clone(), owner: self.owner.clone(), answer };
        serde_json::to_vec(&row).map_err(|_| damaged())
    }

    fn owns(&self, value: &[u8]) -> bool {
        serde_json::from_slice::<Row>(value).is_ok_and(|row| row.owner == self.owner)
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Storage, "an idempotency row cannot be read: use another key")
}
