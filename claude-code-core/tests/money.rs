//! Budgets and the response cache, played in paused time.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "money/cache.rs"]
mod cache;
#[path = "money/charges.rs"]
mod charges;
#[path = "money/downgrade.rs"]
mod downgrade;
#[path = "money/ledger.rs"]
mod ledger;
#[path = "money/outage.rs"]
mod outage;
#[path = "money/races.rs"]
mod races;
#[path = "money/stop.rs"]
mod stop;
#[path = "money/unknown.rs"]
mod unknown;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use claude_code_core::provider::{Billing, ModelCall, ModelEvent, ProviderError, StopReason};
use claude_code_core::state::memory::MemoryState;
use claude_code_core::state::{AddError, Addition, Counters, OnlyIf, PutError, StateKey, Versioned};
use claude_code_core::testing::{Script, ScriptedProvider, SeededIds, TestClock};
use claude_code_core::{
    Client, ClientBuilder, Error, ErrorKind, GenerateRequest, ModelProvider, PicoUsd, Policy, StateStore,
    Usage, UtcMillis,
};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

pub const REVERSE: &str =
    "Here it is.\n\n```python reverse.py\ndef reverse(text):\n    return text[::-1]\n```\n";

/// As many of a campaign's runs as this run makes: all of them with CAMPAIGN=1, else one in twenty.
pub fn share(full: u64) -> u64 {
    if std::env::var_os("CAMPAIGN").is_some_and(|set| set == "1") { full } else { full.div_ceil(20) }
}

/// A request whose ceiling is nearly always the same: its prompts have one length.
pub fn on_haiku(n: usize) -> GenerateRequest {
    GenerateRequest::new(format!("reverse {n:04}")).with_model("haiku")
}

/// The ceiling of one such send.
pub fn ceiling_of(n: usize) -> PicoUsd {
    let client =
        on(&ScriptedProvider::new([Script::default()]), Arc::new(MemoryState::default()), Policy::default());
    client.estimate(on_haiku(n)).unwrap().worst_usd.known()
}

/// The lowest and the highest ceiling: they differ by the estimate of eight hex digits.
pub fn ceilings() -> (PicoUsd, PicoUsd) {
    static FOUND: OnceLock<(PicoUsd, PicoUsd)> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let all: Vec<PicoUsd> = (0..1000).map(ceiling_of).collect();
        (all.iter().copied().min().unwrap(), all.iter().copied().max().unwrap())
    })
}

/// A policy with a cap of so many ceilings for the day.
pub fn capped(times: u64) -> Policy {
    Policy { max_usd_per_day: Some(PicoUsd(ceilings().1.0 * times)), ..Policy::default() }
}

/// A client of its own over shared state.
pub fn on<P: ModelProvider + 'static>(
    provider: &Arc<P>,
    state: Arc<dyn StateStore>,
    policy: Policy,
) -> Client {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let ids = SeededIds::new(NEXT.fetch_add(1, Ordering::Relaxed));
    ClientBuilder::new(provider.clone(), Arc::new(TestClock::default()), Arc::new(ids))
        .with_state(state)
        .with_policy(policy)
        .build()
}

pub fn cut() -> ProviderError {
    ProviderError::new(ErrorKind::Cut, Billing::Maybe, "the connection was reset")
}

/// The same chance in every run.
#[derive(Debug)]
pub struct Chance(AtomicU64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Chance(AtomicU64::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
    }

    /// A number below `bound`.
    pub fn below(&self, bound: u64) -> u64 {
        let mut x = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }

    pub async fn wait(&self, most_ms: u64) {
        tokio::time::sleep(Duration::from_millis(self.below(most_ms + 1))).await;
    }
}

/// State whose every call takes its time, so that callers overtake each other.
#[derive(Debug)]
pub struct Jittery(pub MemoryState, pub Chance);

#[async_trait::async_trait]
impl StateStore for Jittery {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        self.1.wait(3).await;
        self.0.get(key).await
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        until: UtcMillis,
        if_: OnlyIf,
    ) -> Result<u64, PutError> {
        self.1.wait(3).await;
        self.0.put(key, value, until, if_).await
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        self.1.wait(3).await;
        let totals = self.0.add(key, addition).await;
        self.1.wait(3).await;
        totals
    }
}

/// A model that takes its time and knows what it has really cost at every moment.
#[derive(Debug)]
pub struct Meter {
    pub sends: AtomicU64,
    pub open: Arc<AtomicU64>,
    pub done: Arc<AtomicU64>,
    /// The most that was spent or at risk at once, in pico-dollars.
    pub peak: AtomicU64,
    slowest_ms: u64,
    chance: Arc<Chance>,
    each: (u64, u64),
}

impl Meter {
    /// Answers within so many milliseconds; at risk are `ceiling` while open and `cost` afterwards.
    pub fn new(seed: u64, slowest_ms: u64, ceiling: PicoUsd, cost: PicoUsd) -> Arc<Self> {
        Arc::new(Meter {
            sends: AtomicU64::new(0),
            open: Arc::default(),
            done: Arc::default(),
            peak: AtomicU64::new(0),
            slowest_ms,
            chance: Arc::new(Chance::new(seed)),
            each: (ceiling.0, cost.0),
        })
    }

    /// What a send of this model really costs.
    pub fn usage() -> Usage {
        Usage::new(100, 50)
    }
}

impl ModelProvider for Meter {
    fn name(&self) -> &'static str {
        "meter"
    }

    fn stream(&self, call: ModelCall) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
        self.sends.fetch_add(1, Ordering::SeqCst);
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        let done = self.done.load(Ordering::SeqCst);
        self.peak.fetch_max(open * self.each.0 + done * self.each.1, Ordering::SeqCst);
        let (counts, chance) = ((self.open.clone(), self.done.clone()), self.chance.clone());
        let slowest = self.slowest_ms;
        futures_util::stream::once(async move {
            call.sent_flag.mark();
            if slowest == u64::MAX {
                std::future::pending::<()>().await;
            }
            chance.wait(slowest).await;
            counts.0.fetch_sub(1, Ordering::SeqCst);
            counts.1.fetch_add(1, Ordering::SeqCst);
            let stop = ModelEvent::Stop { reason: StopReason::EndTurn, detail: None };
            futures_util::stream::iter([
                Ok(ModelEvent::Text(REVERSE.to_owned())),
                Ok(stop),
                Ok(ModelEvent::Usage(Meter::usage())),
            ])
        })
        .flatten()
        .boxed()
    }
}
