//! Idempotency keys: a caller that repeats a request gets the answer of the first, and it is paid once.
//!
//! The first request takes the key under a [lease], which is the key's row itself. Whoever comes meanwhile
//! is told to wait; whoever comes after gets the kept answer; a key with another request is refused. A leader that dies is
//! followed within seconds, when its lease ends, and its late answer never overwrites its follower's.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::file::sha256_hex;
use crate::clock::{Clock, IdSource, UtcMillis, new_id};
use crate::error::{Error, ErrorKind, Result};
use crate::state::lease::{self, Lease, Leases};
use crate::state::{Scope, StateKey, StateKind, StateStore};

/// An answer is kept so long: a day, as long as bodies of shared state are.
pub const KEPT: Duration = Duration::from_secs(86_400);
/// The longest key, in bytes: a UUID has 36, and some callers put two into one.
pub const MAX_KEY: usize = 255;

/// The keys of all scopes.
#[derive(Clone, Debug)]
pub struct Idempotency {
    leases: Leases,
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

/// Claim of an idempotency key.
pub enum Entry {
    /// The request is the first, or follows one that died: do the work, then [`finish`](Idempotency::finish) or
    /// [`release`](Idempotency::release). [`Claim::lost`] renews the lease meanwhile.
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
    lease: Arc<Lease>,
    owner: String,
    request: String,
    id: String,
    follows: bool,
}

#[derive(Serialize, Deserialize)]
struct Row {
    request: String,
    /// Whose it is: another word for each claim.
    #[serde(default)]
    owner: String,
    /// The id of the result, which a follower keeps.
    #[serde(default)]
    id: String,
    answer: Option<Value>,
}

impl Idempotency {
    /// Keys in this state.
    pub fn new(state: Arc<dyn StateStore>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        let leases = Leases::new(state.clone(), clock.clone(), ids.clone());
        Idempotency { leases, state, clock, ids }
    }

    /// Takes the key for a request of this hash. Fails if the key is empty or too long, or if state cannot be reached: a
    /// promise of one payment is not made without it.
    pub async fn enter(&self, scope: &Scope, key: &str, request: &str) -> Result<Entry> {
        if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid(format!(
                "Idempotency-Key takes 1 to {MAX_KEY} visible ASCII characters"
            )));
        }
        self.leases.end_dropped().await;
        let key = StateKey::new(StateKind::Idem, scope, sha256_hex(key.as_bytes()));
        let before = self.left_behind(&key, request).await?;
        let follows = before.is_some();
        let id = before.unwrap_or_else(|| new_id(&*self.clock, &*self.ids));
        let (owner, request) = (self.leases.owner(), request.to_owned());
        let claimed = Row { request: request.clone(), owner: owner.clone(), id: id.clone(), answer: None };
        let found = match self.leases.take(key, encode(&claimed)?).await? {
            lease::Taken::Held(lease) => {
                let lease = Arc::new(lease);
                return Ok(Entry::Lead(Claim { lease, owner, request, id, follows }));
            }
            lease::Taken::Busy(found) => found,
        };
        let now = self.clock.now();
        if found.value.is_empty() || now >= found.expires_at {
            return Ok(Entry::InProgress(Duration::from_secs(1)));
        }
        let row: Row = serde_json::from_slice(&found.value).map_err(|_| damaged())?;
        if row.request != request {
            return Ok(Entry::OtherRequest);
        }
        let wait = found.expires_at.since(now).clamp(Duration::from_secs(1), lease::TTL);
        Ok(row.answer.map_or(Entry::InProgress(wait), Entry::Replay))
    }

    /// The id under which a leader of the same request may have stored its result before it died; none where there was
    /// no such leader within a day.
    async fn left_behind(&self, key: &StateKey, request: &str) -> Result<Option<String>> {
        let now = self.clock.now();
        let ended = |end: UtcMillis| end <= now && now < end.plus(KEPT);
        let found = self.state.get(key).await?.filter(|found| ended(found.expires_at));
        let row = found.and_then(|found| serde_json::from_slice::<Row>(&found.value).ok());
        let same = row.filter(|row| row.request == request && row.answer.is_none() && !row.id.is_empty());
        Ok(same.map(|row| row.id))
    }

    /// Keeps the answer for those who repeat the request. False if another leader has taken over meanwhile; then
    /// nothing was written.
    pub async fn finish(&self, claim: &Claim, answer: Value) -> Result<bool> {
        let Claim { request, owner, id, .. } = claim.clone();
        let row = encode(&Row { request, owner, id, answer: Some(answer) })?;
        claim.lease.conclude(&row, self.clock.now().plus(KEPT)).await
    }

    /// Gives the key back: the same request may be tried again at once.
    pub async fn release(&self, claim: &Claim) -> Result<bool> {
        claim.lease.release().await
    }
}

impl Claim {
    /// The id of the work's result, whoever does it.
    pub fn result_id(&self) -> &str {
        &self.id
    }

    /// Whether a leader died before: it may have stored its result under this id, and nothing is paid twice.
    pub fn follows(&self) -> bool {
        self.follows
    }

    /// Renews the lease for as long as this is polled; ready when another leader has taken over.
    pub async fn lost(&self) {
        self.lease.lost().await;
    }
}

fn encode(row: &Row) -> Result<Vec<u8>> {
    serde_json::to_vec(row).map_err(|_| damaged())
}

fn damaged() -> Error {
    Error::new(ErrorKind::Storage, "an idempotency row cannot be read: use another key")
}
