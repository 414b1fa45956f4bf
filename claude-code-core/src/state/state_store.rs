//! State store: the trait of shared state. Small versioned values that expire, and counters with bounds. Cache, leases,
//! budgets, jobs, idempotency keys and journals stand on it.

use std::time::Duration;

use crate::clock::UtcMillis;
use crate::error::Error;
use crate::state::{CounterName, Counters};

/// The longest that a request waits for shared state at one place: two tries of a store that takes five seconds each.
const WAIT: Duration = Duration::from_secs(10);
/// What follows a paid answer is given this time even where the request's own is over.
const LEAST: Duration = Duration::from_secs(1);

/// How long shared state is awaited before an answer is there. A store that hangs may use up a quarter of what is left,
/// not all of it.
pub(crate) fn time_before_answer(left: Duration) -> Duration {
    (left / 4).clamp(Duration::from_millis(1), WAIT)
}

/// How long it is awaited after an answer was paid for.
pub(crate) fn time_after_answer(left: Duration) -> Duration {
    left.clamp(LEAST, WAIT)
}

/// Whose data it is. Made only by authentication; a single user is `local`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Scope(String);

impl Scope {
    /// The one scope outside HTTP.
    pub fn local() -> Self {
        Scope("local".into())
    }

    /// The scope of a caller that authentication vouches for. `#` would end it inside a key: it is escaped.
    pub fn authenticated(principal: &str) -> Self {
        Scope(principal.replace('%', "%25").replace('#', "%23"))
    }

    /// What counts for everybody together. No escaped principal reads like it.
    pub(crate) fn all() -> Self {
        Scope("%all".into())
    }

    /// As it stands in keys.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for logs and metrics that does not tell whose scope it is: the first 16 hex digits of its SHA-256.
    pub fn hash(&self) -> String {
        let mut hash = crate::answer::file::sha256_hex(self.0.as_bytes());
        hash.truncate(16);
        hash
    }
}

/// Kind of a stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StateKind {
    /// An accepted answer.
    Cache,
    /// Who is asking the model right now.
    Lease,
    /// Money of one day.
    Budget,
    /// An asynchronous job.
    Job,
    /// An idempotency key.
    Idem,
    /// A batch journal.
    Batch,
    /// Counters of requests, for reports.
    Usage,
}

impl StateKind {
    /// As it stands in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            StateKind::Cache => "CACHE",
            StateKind::Lease => "LEASE",
            StateKind::Budget => "BUDGET",
            StateKind::Job => "JOB",
            StateKind::Idem => "IDEM",
            StateKind::Batch => "BATCH",
            StateKind::Usage => "USAGE",
        }
    }
}

/// The name of a value: kind, scope, key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct StateKey {
    /// What it is for.
    pub kind: StateKind,
    /// Whose it is.
    pub scope: Scope,
    /// Which one.
    pub key: String,
}

impl StateKey {
    /// A key of this kind and scope.
    pub fn new(kind: StateKind, scope: &Scope, key: impl Into<String>) -> Self {
        StateKey { kind, scope: scope.clone(), key: key.into() }
    }
}

/// `kind#scope#key`, the partition key.
impl std::fmt::Display for StateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}#{}", self.kind.as_str(), self.scope.as_str(), self.key)
    }
}

/// A value as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The bytes that were put.
    pub value: Vec<u8>,
    /// Grows with every put; the fencing token.
    pub version: u64,
    /// From this moment on it is gone, whether or not the store has removed it.
    pub expires_at: UtcMillis,
}

// A cached answer is the user's: Debug tells its size.
impl std::fmt::Debug for Versioned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Versioned({} bytes, version {})", self.value.len(), self.version)
    }
}

/// Under which condition a value is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlyIf {
    /// Always.
    Any,
    /// Only if there is none, or only an expired one at this moment.
    AbsentAt(UtcMillis),
    /// Only over this version.
    Version(u64),
}

/// Why a put did not happen.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PutError {
    /// The condition did not hold.
    #[error("the stored version is another one")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Counters to change together, or not at all.
#[derive(Clone, Debug, Default)]
pub struct Addition {
    /// What each counter starts at if there is no row yet.
    pub initial: Counters,
    /// What is added.
    pub deltas: Counters,
    /// No counter named here may end below its floor.
    pub floors: Counters,
    /// Counters that go: for those whose names are used for a time only. None of them is added to.
    pub removed: Vec<CounterName>,
    /// When the row may be removed.
    pub expires_at: UtcMillis,
}

/// Why an addition did not happen.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AddError {
    /// A counter would have ended below its floor. Nothing was changed.
    #[error("a counter would pass its bound")]
    OutOfBounds(Counters),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Shared state: DynamoDB, or memory.
#[async_trait::async_trait]
pub trait StateStore: std::fmt::Debug + Send + Sync {
    /// The value, expired or not: expiry is the reader's to judge.
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error>;

    /// Puts a value under a condition and gives its new version.
    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        expires_at: UtcMillis,
        only_if: OnlyIf,
    ) -> Result<u64, PutError>;

    /// Adds to counters, all or none, within bounds, and gives the totals of all counters of the row.
    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError>;
}
