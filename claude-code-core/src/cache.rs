//! Accepted answers are served again for an hour: from memory, else from shared state. Only accepted ones enter,
//! expiry is judged here, and what was stored is checked against its hash. If it cannot be reached, life goes on.

use std::future::Future;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::{Clock, UtcMillis};
use crate::file::sha256_hex;
use crate::generation::Generation;
use crate::lease::{Lease, Leases};
use crate::plan::Plan;
use crate::receipt::Receipt;
use crate::request::CacheMode;
use crate::state::{OnlyIf, StateKey, StateKind, StateStore};

/// Answers kept in memory, in bytes of code and text.
const MEMORY_BYTES: u64 = 64 << 20;

/// The response cache.
#[derive(Debug)]
pub(crate) struct ResponseCache {
    memory: moka::sync::Cache<String, Entry>,
    /// None: nobody shares it, and memory has everything.
    shared: Option<Arc<dyn StateStore>>,
    leases: Leases,
    clock: Arc<dyn Clock>,
}

/// An answer in memory. The moment of its end is ours; the map only bounds the size.
#[derive(Clone, Debug)]
struct Entry {
    generation: Arc<Generation>,
    expires_at: UtcMillis,
}

/// An answer in shared state.
#[derive(Serialize, Deserialize)]
struct Stored {
    sha256: String,
    body: String,
}

/// What the cache says to a request.
pub(crate) enum Entrance {
    /// The answer is there.
    Hit(Arc<Generation>),
    /// It is for this request to find it.
    Lead(Lease),
}

impl ResponseCache {
    pub(crate) fn new(shared: Option<Arc<dyn StateStore>>, leases: Leases, clock: Arc<dyn Clock>) -> Self {
        let memory = moka::sync::Cache::builder()
            .max_capacity(MEMORY_BYTES)
            .weigher(|_, entry: &Entry| {
                u32::try_from(entry.generation.code_length() + entry.generation.text.len() as u64)
                    .unwrap_or(u32::MAX)
            })
            .build();
        ResponseCache { memory, shared, leases, clock }
    }

    /// The answer, or the lease to find it. Waits while another process is at it.
    pub(crate) async fn enter(&self, plan: &Plan) -> Entrance {
        if !plan.is_cached() {
            return Entrance::Lead(Lease::none());
        }
        let reads = plan.request.cache == CacheMode::Use;
        loop {
            if reads && let Some(hit) = self.get(plan).await {
                return Entrance::Hit(hit);
            }
            match self.leases.take(plan).await {
                Some(lease) => return Entrance::Lead(lease),
                None => self.leases.pause(plan).await,
            }
        }
    }

    /// Does a request's work and keeps its lease meanwhile.
    pub(crate) async fn hold<T>(&self, lease: &Lease, work: impl Future<Output = T>) -> T {
        self.leases.hold(lease, work).await
    }

    /// Ends the leases of requests that were dropped.
    pub(crate) async fn give_back(&self) {
        self.leases.give_back().await;
    }

    /// Closes the lease; an accepted answer enters first, unless another leader has taken over meanwhile.
    pub(crate) async fn close(&self, lease: Lease, plan: &Plan, generation: &Arc<Generation>) {
        if plan.is_cached() && generation.accepted && self.leases.is_held(&lease).await {
            self.put(plan, generation).await;
        }
        self.leases.release(lease).await;
    }

    async fn get(&self, plan: &Plan) -> Option<Arc<Generation>> {
        let now = self.clock.now();
        if let Some(entry) = self.memory.get(&plan.cache_key) {
            if now < entry.expires_at {
                return Some(hit(&entry.generation, now));
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
        let entry = Entry { generation: generation.clone(), expires_at: found.expires_at };
        self.memory.insert(plan.cache_key.clone(), entry);
        Some(hit(&generation, now))
    }

    async fn put(&self, plan: &Plan, generation: &Arc<Generation>) {
        let expires_at = self.clock.now().plus(plan.cache_ttl);
        let entry = Entry { generation: generation.clone(), expires_at };
        self.memory.insert(plan.cache_key.clone(), entry);
        let Some(shared) = &self.shared else { return };
        let Some(value) = encode(&plan.cache_key, generation) else { return };
        if let Err(error) = shared.put(&key(plan), value, expires_at, OnlyIf::Any).await {
            Self::note(&error);
        }
    }

    /// A cache that cannot be reached costs a saving, never an answer.
    fn note(error: &dyn std::error::Error) {
        tracing::warn!(%error, "the response cache cannot be reached: going on without it");
    }
}

fn key(plan: &Plan) -> StateKey {
    StateKey::new(StateKind::Cache, &plan.scope, plan.cache_key.clone())
}

/// The same answer as a hit: the original id, its age, and a receipt of nothing that tells what was saved.
pub(crate) fn hit(generation: &Arc<Generation>, now: UtcMillis) -> Arc<Generation> {
    let mut hit = Generation::clone(generation);
    hit.cached =
        Some(crate::generation::Cached { age_seconds: now.since(generation.generated_at).as_secs() });
    hit.receipt = Receipt::of_cache_hit(&generation.receipt);
    hit.usage = crate::usage::Usage::default();
    hit.attempts = Vec::new();
    Arc::new(hit)
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
