//! Client builder.

use std::sync::Arc;

use crate::budget::Caps;
use crate::budget::ledger::Ledger;
use crate::budget::usage_counters::UsageCounters;
use crate::cache::response::ResponseCache;
use crate::cache::single_flight::SingleFlight;
use crate::client::{Client, Parts};
use crate::clock::{Clock, IdSource};
use crate::metrics::{MetricsSink, NoMetrics};
use crate::next::model_health::ModelHealth;
use crate::plan::policy::Policy;
use crate::provider::profile_resolver::ProfileResolver;
use crate::provider::{ModelFacts, ModelProvider};
use crate::state::memory::MemoryState;
use crate::state::{Scope, StateStore};
use crate::store::GenerationStore;
use crate::store::persist::{ResultWriter, StoreMode};

/// Builder of a client. Without more than its three arguments it keeps nothing: state in memory, no store, no
/// metrics.
///
/// ```
/// use std::sync::Arc;
/// use claude_code_core::{Client, ClientBuilder, Clock, IdSource, ModelProvider, Policy};
///
/// fn client(provider: Arc<dyn ModelProvider>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Client {
///     let policy = Policy { max_sends: 2, ..Policy::default() };
///     ClientBuilder::new(provider, clock, ids).with_policy(policy).build()
/// }
/// ```
#[derive(Debug)]
#[must_use = "it is a client once it is built"]
pub struct ClientBuilder {
    provider: Arc<dyn ModelProvider>,
    facts: Option<Arc<dyn ModelFacts>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    policy: Policy,
    state: Option<Arc<dyn StateStore>>,
    keeping: StoreMode,
    metrics: Arc<dyn MetricsSink>,
    counts_usage: bool,
    records_spans: bool,
}

impl ClientBuilder {
    /// A client that asks this provider.
    pub fn new(provider: Arc<dyn ModelProvider>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        ClientBuilder {
            provider,
            facts: None,
            clock,
            ids,
            policy: Policy::default(),
            state: None,
            keeping: StoreMode::None,
            metrics: Arc::new(NoMetrics),
            counts_usage: false,
            records_spans: false,
        }
    }

    /// With these decisions.
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// With a service to ask which model a profile stands for, and how many tokens a prompt has.
    pub fn with_facts(mut self, facts: Arc<dyn ModelFacts>) -> Self {
        self.facts = Some(facts);
        self
    }

    /// With state that other processes share: cache, leases, budgets.
    pub fn with_state(mut self, state: Arc<dyn StateStore>) -> Self {
        self.state = Some(state);
        self
    }

    /// With results stored here.
    pub fn with_store(mut self, store: Arc<dyn GenerationStore>) -> Self {
        self.keeping = StoreMode::Store(store);
        self
    }

    /// Without a store although one was meant to be there, and why; each result tells it.
    pub fn without_store(mut self, why: impl Into<String>) -> Self {
        self.keeping = StoreMode::Unavailable(why.into());
        self
    }

    /// With observations going here.
    pub fn with_metrics(mut self, metrics: Arc<dyn MetricsSink>) -> Self {
        self.metrics = metrics;
        self
    }

    /// With requests counted in the state, for [`Client::usage`]: two or three writes for each request more.
    pub fn with_usage_counters(mut self) -> Self {
        self.counts_usage = true;
        self
    }

    /// With a span for each request and each attempt in its observation, and their trace told to the service. Without it
    /// the trace of a caller is passed on as it came.
    pub fn with_spans(mut self) -> Self {
        self.records_spans = true;
        self
    }

    /// The client, in the scope of a single user.
    pub fn build(self) -> Client {
        let ClientBuilder {
            provider,
            facts,
            clock,
            ids,
            policy,
            state: shared,
            keeping,
            metrics,
            counts_usage,
            records_spans,
        } = self;
        let state = shared.clone().unwrap_or_else(|| Arc::new(MemoryState::default()));
        let parts = Parts {
            cache: ResponseCache::new(shared, clock.clone(), ids.clone()),
            ledger: Ledger::new(state.clone(), clock.clone(), Caps::of(&policy)),
            usage: counts_usage.then(|| UsageCounters::new(state.clone(), clock.clone(), policy.catalogue)),
            result_writer: ResultWriter(keeping),
            state,
            single_flight: SingleFlight::new(),
            health: ModelHealth::default(),
            profiles: ProfileResolver::new(facts.clone(), policy.catalogue),
            facts,
            provider,
            policy: Arc::new(policy),
            metrics,
            records_spans,
            clock,
            ids,
        };
        Client { parts: Arc::new(parts), scope: Scope::local() }
    }
}
