//! Response cache: accepted answers are served again for an hour, from memory, else from shared state. Expiry is
//! decided here, and a stored answer is checked against its hash. An unreachable cache never fails a request.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::answer::file::sha256_hex;
use crate::cache::charge::Charge;
use crate::clock::{Clock, IdSource, UtcMillis};
use crate::error::{Error, Result};
use crate::generation::{Cached, Generation};
use crate::money::receipt::Receipt;
use crate::money::usage::Usage;
use crate::plan::Plan;
use crate::plan::attempt_reason::AttemptReason;
use crate::request::CacheMode;
use crate::state::lease::{Lease, Leases, Taken};
use crate::state::{OnlyIf, PutError, Scope, StateKey, StateKind, StateStore};
use crate::state::{time_after_answer, time_before_answer};

/// Answers kept in memory, in bytes.
const MEMORY_BYTES: u64 = 64 << 20;
/// What an answer takes beside its texts: receipt, attempts, names. Of small answers it is the larger part.
const BESIDE: u64 = 3 << 10;

/// A look that was given less time than this may just have been too short.
const FAIR: Duration = Duration::from_secs(1);
/// How often a follower looks again.
const LOOK: Duration = Duration::from_millis(250);

/// The response cache.
#[derive(Debug)]
pub(crate) struct ResponseCache {
    memory: moka::sync::Cache<String, Entry>,
    /// None: nobody shares it, and memory has everything.
    shared: Option<Arc<dyn StateStore>>,
    /// None where state is not shared: single-flight does the same within one process.
    leases: Option<Leases>,
    clock: Arc<dyn Clock>,
}

/// An answer in memory. The moment of its end is ours; the map only bounds the size.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The original, with its own receipt.
    pub(crate) generation: Arc<Generation>,
    pub(crate) expires_at: UtcMillis,
    /// Who has the original's cost on its receipt: nobody yet, if all its callers were cancelled.
    pub(crate) charge: Charge,
}

/// An answer in shared state.
#[derive(Serialize, Deserialize)]
struct Stored {
    sha256: String,
    body: String,
}

/// Cache lookup: a hit, or a miss with its lease.
pub(crate) enum CacheLookup {
    /// The answer is there.
    Hit(Entry),
    /// It is for this request to find it; without a lease where none is shared or can be had.
    Miss(Option<Lease>),
}

impl ResponseCache {
    pub(crate) fn new(
        shared: Option<Arc<dyn StateStore>>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        let leases = shared.clone().map(|state| Leases::new(state, clock.clone(), ids));
        let memory = moka::sync::Cache::builder()
            .max_capacity(MEMORY_BYTES)
            .weigher(|_, entry: &Entry| {
                let answer = &entry.generation;
                let texts = answer.code_length() + (answer.text.len() + answer.prompt.len()) as u64;
                u32::try_from(texts + BESIDE).unwrap_or(u32::MAX)
            })
            .build();
        ResponseCache { memory, shared, leases, clock }
    }

    /// The answer, or the lease to find it. Waits while another process is at it.
    pub(crate) async fn look_up(&self, plan: &Plan) -> CacheLookup {
        if !plan.is_cached() {
            return CacheLookup::Miss(None);
        }
        let mut waited = false;
        loop {
            let left = plan.limits.deadline.since(self.clock.now());
            let limit = time_before_answer(left);
            match timeout(limit, self.look(plan)).await {
                Ok(Some(lookup)) => return lookup,
                Ok(None) => waited = true,
                // Who has waited for another's answer to the last moment must not send just because a look takes longer.
                Err(_) if waited && limit < FAIR && !left.is_zero() => {}
                Err(_) => {
                    tracing::warn!("the response cache does not answer: going on without it");
                    return CacheLookup::Miss(None);
                }
            }
            let left = plan.limits.deadline.since(self.clock.now());
            sleep(LOOK.min(left.max(Duration::from_millis(1)))).await;
        }
    }

    /// Whether the answer is there. Takes no lease and waits for nobody.
    pub(crate) async fn has(&self, plan: &Plan) -> bool {
        let limit = time_before_answer(plan.limits.deadline.since(self.clock.now()));
        let is_read = plan.is_cached() && plan.request.cache == CacheMode::Use;
        is_read && matches!(timeout(limit, self.get(plan)).await, Ok(Some(_)))
    }

    /// One look. None: another process is at it.
    async fn look(&self, plan: &Plan) -> Option<CacheLookup> {
        if plan.request.cache == CacheMode::Use
            && let Some(entry) = self.get(plan).await
        {
            return Some(CacheLookup::Hit(entry));
        }
        let leases = match &self.leases {
            Some(leases) => leases,
            None => return Some(CacheLookup::Miss(None)),
        };
        leases.end_dropped().await;
        let now = self.clock.now();
        let key = StateKey::new(StateKind::Lease, &plan.scope, plan.cache_key.clone());
        match leases.take(key, leases.owner().into_bytes()).await {
            Ok(Taken::Held(lease)) => Some(CacheLookup::Miss(Some(lease))),
            Ok(Taken::Busy(_)) if now < plan.limits.deadline => None,
            Ok(Taken::Busy(_)) => Some(CacheLookup::Miss(None)),
            Err(error) => {
                tracing::warn!(%error, "leases cannot be reached: going on without one");
                Some(CacheLookup::Miss(None))
            }
        }
    }

    /// Does a request's work and renews its lease meanwhile.
    pub(crate) async fn hold<T>(&self, lease: &Option<Lease>, work: impl Future<Output = T>) -> T {
        match lease {
            Some(lease) => lease.hold(work).await,
            None => work.await,
        }
    }

    /// Ends the leases of requests that were dropped.
    pub(crate) async fn release_leases(&self) {
        if let Some(leases) = &self.leases {
            leases.end_dropped().await;
        }
    }

    /// Closes the lease; an accepted answer enters first, unless another leader has taken over meanwhile.
    pub(crate) async fn close(
        &self,
        lease: Option<Lease>,
        plan: &Plan,
        generation: &Arc<Generation>,
        charge: &Charge,
    ) {
        let left = plan.limits.deadline.since(self.clock.now());
        let closed = timeout(time_after_answer(left), async {
            if plan.is_cached() && may_enter(generation) && is_held(&lease).await {
                let expires_at = self.clock.now().plus(plan.cache_ttl);
                let (generation, charge) = (generation.clone(), charge.clone());
                self.put(plan, Entry { generation, expires_at, charge }).await;
            }
            if let Some(lease) = &lease
                && let Err(error) = lease.release().await
            {
                tracing::warn!(%error, "a lease could not be released: it ends by itself");
            }
        });
        if closed.await.is_err() {
            tracing::warn!("the response cache does not answer: the lease ends by itself");
        }
    }

    /// Writes an entry again, such as it is now. Its end stays the same.
    pub(crate) async fn renew(&self, plan: &Plan, entry: &Entry) {
        let left = plan.limits.deadline.since(self.clock.now());
        let written = self.put(plan, entry.clone());
        let _ = timeout(time_after_answer(left), written).await;
    }

    /// Ends an entry: its result was erased. Other processes may have it in memory until its own end.
    pub(crate) async fn forget(&self, scope: &Scope, cache_key: &str) -> Result<()> {
        self.memory.invalidate(cache_key);
        let Some(shared) = &self.shared else { return Ok(()) };
        let key = StateKey::new(StateKind::Cache, scope, cache_key);
        match shared.put(&key, Vec::new(), self.clock.now(), OnlyIf::Any).await {
            Ok(_) | Err(PutError::Conflict) => Ok(()),
            Err(PutError::Store(error)) => Err(error),
        }
    }

    async fn get(&self, plan: &Plan) -> Option<Entry> {
        let now = self.clock.now();
        if let Some(entry) = self.memory.get(&plan.cache_key) {
            if now < entry.expires_at {
                return Some(entry);
            }
            self.memory.invalidate(&plan.cache_key);
        }
        let found = match self.shared.as_ref()?.get(&key(plan)).await {
            Ok(found) => found?,
            Err(error) => {
                Self::note(&error);
                return None;
            }
        };
        if now >= found.expires_at {
            return None;
        }
        let generation = Arc::new(decode(&plan.cache_key, &found.value)?);
        let entry = Entry { generation, expires_at: found.expires_at, charge: Charge::taken() };
        self.memory.insert(plan.cache_key.clone(), entry.clone());
        Some(entry)
    }

    async fn put(&self, plan: &Plan, entry: Entry) {
        self.memory.insert(plan.cache_key.clone(), entry.clone());
        let Some(shared) = &self.shared else { return };
        let Entry { generation, expires_at, .. } = entry;
        let Some(value) = encode(&plan.cache_key, &generation) else { return };
        if let Err(error) = shared.put(&key(plan), value, expires_at, OnlyIf::Any).await {
            Self::note(&error);
        }
    }

    /// A cache that cannot be reached costs a saving, never an answer.
    fn note(error: &dyn std::error::Error) {
        tracing::warn!(%error, "the response cache cannot be reached: going on without it");
    }
}

/// Whether the lease is still held. A request without a lease has no competitor.
async fn is_held(lease: &Option<Lease>) -> bool {
    match lease {
        Some(lease) => lease.is_held().await.unwrap_or(true),
        None => true,
    }
}

fn key(plan: &Plan) -> StateKey {
    StateKey::new(StateKind::Cache, &plan.scope, plan.cache_key.clone())
}

/// Whether an answer is the one that its key promises. One from a cheaper tier, because a budget was short, is not.
fn may_enter(generation: &Generation) -> bool {
    let downgrade = AttemptReason::Downgrade.to_string();
    generation.accepted && generation.attempts.iter().all(|attempt| attempt.why != downgrade)
}

/// The same answer as a hit: the original id, its age, and a receipt of nothing that tells what was saved.
pub(crate) fn hit(generation: &Generation, now: UtcMillis) -> Generation {
    let mut hit = aged(generation, now);
    hit.receipt = Receipt::of_cache_hit(&generation.receipt);
    hit.usage = Usage::default();
    hit.attempts = Vec::new();
    hit
}

/// The answer as one that comes from the cache, with its receipt as it is.
pub(crate) fn aged(generation: &Generation, now: UtcMillis) -> Generation {
    let age_seconds = now.since(generation.generated_at).as_secs();
    Generation { cached: Some(Cached { age_seconds }), ..generation.clone() }
}

/// Failure as followers receive it: what it cost is on the receipt of the request that asked.
pub(crate) fn waited_for(failure: Error, now: UtcMillis) -> Error {
    match failure.partial().map(|partial| hit(partial, now)) {
        Some(partial) => failure.with_partial(partial),
        None => failure,
    }
}

/// The hash over an answer and the key it belongs to, which has a fixed length: an answer that was changed, or moved
/// under another key, no longer fits.
fn seal(key: &str, body: &str) -> String {
    sha256_hex(format!("{key}{body}").as_bytes())
}

fn encode(key: &str, generation: &Generation) -> Option<Vec<u8>> {
    let body = serde_json::to_string(generation).ok()?;
    serde_json::to_vec(&Stored { sha256: seal(key, &body), body }).ok()
}

/// The answer, if its hash is right and it is one that may be here.
fn decode(key: &str, value: &[u8]) -> Option<Generation> {
    let stored: Stored = serde_json::from_slice(value).ok()?;
    if seal(key, &stored.body) != stored.sha256 {
        tracing::warn!("a stored answer is damaged or under another request's key: it is not served");
        return None;
    }
    serde_json::from_str::<Generation>(&stored.body).ok().filter(|generation| generation.accepted)
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::sync::Arc;

    use super::{BESIDE, Charge, Entry, MEMORY_BYTES, ResponseCache};
    use crate::clock::UtcMillis;
    use crate::testing::store_contract::generation;
    use crate::testing::{SeededIds, TestClock};

    #[test]
    fn many_small_answers_take_no_more_memory_than_a_few_large_ones() {
        let cache = ResponseCache::new(None, Arc::new(TestClock::default()), Arc::new(SeededIds::new(1)));
        let answer = Arc::new(generation("small", 0, &[("a.py", "a = 1\n")]));
        for n in 0..60_000 {
            let expires_at = UtcMillis(i64::MAX);
            let entry = Entry { generation: answer.clone(), expires_at, charge: Charge::open() };
            cache.memory.insert(n.to_string(), entry);
        }
        cache.memory.run_pending_tasks();
        let kept = cache.memory.entry_count();
        assert!(kept <= MEMORY_BYTES / BESIDE && kept > 10_000, "{kept}");
    }
}
