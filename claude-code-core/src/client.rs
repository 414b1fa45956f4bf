//! The sequence: how a prompt becomes accepted, stored code with a receipt. The only file that knows the order.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;

use crate::budget::ledger::Ledger;
use crate::cache::response::{self, CacheLookup, Entry, ResponseCache};
use crate::cache::single_flight::{Role, SingleFlight};
use crate::clock::{Clock, IdSource, UtcMillis, new_id};
use crate::draft::Draft;
use crate::draft::outcome::Outcome;
use crate::error::{Error, ErrorKind, Result};
use crate::generation::Generation;
use crate::metrics::MetricsSink;
use crate::metrics::observe::observation;
use crate::next::model_health::{ModelHealth, ProbePermit};
use crate::next::{self, Step};
use crate::plan::policy::Policy;
use crate::plan::send::NextAttempt;
use crate::plan::{self, Estimate, Plan};
use crate::provider::attempt;
use crate::provider::profile_resolver::{ProfileResolver, ResolvedProfile};
use crate::provider::{ModelCall, ModelFacts, ModelProvider};
use crate::request::GenerateRequest;
use crate::state::{Scope, StateStore, time_before_answer};
use crate::store::GenerationStore;
use crate::store::persist::ResultWriter;
use crate::stream::{GenerationStream, Out};
use crate::validate;

/// How long a count may take.
const COUNT_LIMIT: Duration = Duration::from_secs(10);

/// The result of a flight, shared by its waiters.
pub(crate) type SharedResult = Result<Arc<Generation>>;

/// Generates code. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) parts: Arc<Parts>,
    pub(crate) scope: Scope,
}

/// What a client is made of; see [`ClientBuilder`](crate::ClientBuilder).
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) provider: Arc<dyn ModelProvider>,
    pub(crate) facts: Option<Arc<dyn ModelFacts>>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) cache: ResponseCache,
    pub(crate) ledger: Ledger,
    pub(crate) result_writer: ResultWriter,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) metrics: Arc<dyn MetricsSink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) single_flight: SingleFlight<SharedResult>,
    pub(crate) health: ModelHealth,
    pub(crate) profiles: ProfileResolver,
}

impl Client {
    /// Generates code: [`stream`](Self::stream) read to its end.
    pub async fn generate(&self, request: impl Into<GenerateRequest>) -> Result<Generation> {
        self.stream(request).collect().await
    }

    /// Generates code and shows it as it is written. Lazy: nothing happens before the first poll. Dropping the
    /// stream closes the request, unless an equal one waits for the same answer.
    pub fn stream(&self, request: impl Into<GenerateRequest>) -> GenerationStream {
        let (client, request) = (self.clone(), request.into());
        let given = request.to_carry();
        let stream = GenerationStream::lazy(move |out| async move {
            let plan = Arc::new(client.planned(request).await?);
            match plan.is_cached() {
                true => client.share(plan, out).await,
                false => client.run(plan, out).await,
            }
        });
        stream.carrying(given)
    }

    /// Joins the equal request that is under way in this process, or begins one that others can join.
    async fn share(self, plan: Arc<Plan>, mut out: Out) -> SharedResult {
        let (parts, shown) = (&*self.parts, out.second());
        let begun = || self.clone().run(plan.clone(), shown).boxed();
        let time = plan.limits.deadline.since(plan.started);
        let flight = match parts.single_flight.join(&plan.single_flight_key(), time, begun) {
            Role::Leader(flight) => return flight.await,
            Role::Follower(flight) => flight,
        };
        // Who waits keeps its own time: the request that asks has as much, or more.
        let left = plan.limits.deadline.since(parts.clock.now());
        let result = timeout(left, flight).await.unwrap_or_else(|_| Err(overdue()));
        let now = parts.clock.now();
        let result =
            Arc::new(response::hit(&*result.map_err(|failure| response::waited_for(failure, now))?, now));
        out.replay(&result).await;
        Ok(result)
    }

    /// From the plan to the result, whatever happens on the way.
    async fn run(self, plan: Arc<Plan>, mut out: Out) -> SharedResult {
        let parts = &*self.parts;
        let lease = match parts.cache.look_up(&plan).await {
            CacheLookup::Hit(entry) => {
                let hit = Arc::new(self.served(&plan, entry).await);
                out.replay(&hit).await;
                parts.metrics.record(&observation(&hit, None, &plan, parts.clock.now()));
                return Ok(hit);
            }
            CacheLookup::Miss(lease) => lease,
        };
        let work = Box::pin(self.work(&plan, &mut out));
        let (generation, outcome) = parts.cache.hold(&lease, work).await;
        parts.cache.close(lease, &plan, &generation).await;
        parts.metrics.record(&observation(&generation, outcome.error(), &plan, parts.clock.now()));
        outcome.into_result(generation)
    }

    /// A kept answer, again. It is stored now where it was not: the first one to ask may not have wanted it.
    async fn served(&self, plan: &Plan, mut entry: Entry) -> Generation {
        let parts = &*self.parts;
        if parts.result_writer.lacks(plan, &entry.generation) {
            // Nothing is to be paid for here: a store that is down reservations up a hit no longer than the cache would.
            let left = time_before_answer(plan.limits.deadline.since(parts.clock.now()));
            let original = Generation::clone(&entry.generation);
            entry.generation = Arc::new(parts.result_writer.keep(plan, original, left).await);
            parts.cache.renew(plan, &entry).await;
        }
        response::hit(&entry.generation, parts.clock.now())
    }

    /// Sends as often as the policy says, and stores what came out.
    async fn work(&self, plan: &Plan, out: &mut Out) -> (Arc<Generation>, Outcome) {
        let parts = &*self.parts;
        let mut draft = Draft::new(plan);
        draft.without = parts.health.refused(plan);
        let mut permit = ProbePermit::default();
        let outcome = loop {
            match next::after(plan, &draft, parts.clock.now()) {
                Step::Attempt(attempt) => self.send(plan, attempt, &mut draft, &mut permit, out).await,
                Step::Stop(outcome) => break outcome,
            }
        };
        drop(permit);
        let left = self.left(plan, &draft);
        let mut generation = draft.into_generation(plan, &outcome);
        if outcome.error().is_none() {
            generation = parts.result_writer.keep(plan, generation, left).await;
        }
        (Arc::new(generation), outcome)
    }

    /// One send. It never fails: what went wrong is in the draft.
    async fn send(
        &self,
        plan: &Plan,
        attempt: NextAttempt,
        draft: &mut Draft,
        permit: &mut ProbePermit,
        out: &mut Out,
    ) {
        let parts = &*self.parts;
        if !draft.sent.is_empty() {
            out.notice(plan, &attempt).await;
            draft.held = out.held();
        }
        if let Err(late) = parts.health.wait(plan, &attempt, permit, self.left(plan, draft)).await {
            return draft.refused(plan, &attempt, late);
        }
        let reservation =
            match parts.ledger.reserve(&plan.scope, attempt.ceiling, self.left(plan, draft)).await {
                Ok(reservation) => reservation,
                Err(refused) => return draft.refused(plan, &attempt, refused),
            };
        let call = ModelCall { sent_flag: reservation.sent_flag(), ..next::call(plan, &attempt, draft) };
        draft.open(plan, &attempt);
        let mut incoming = attempt::open(&*parts.provider, call, draft.timeouts(plan, parts.clock.now()));
        while let Some(text) = incoming.next().await {
            for piece in draft.take(&text) {
                out.answer_event(piece).await;
            }
        }
        draft.warnings.extend(incoming.passed_over());
        let (ended, usage) = incoming.ended();
        for piece in draft.close(plan, &attempt, ended, usage) {
            out.answer_event(piece).await;
        }
        draft.held = out.held();
        parts.health.note(plan, &attempt, draft, permit);
        let (cost, unknown) = (draft.last_cost(), draft.last_is_unknown());
        parts.ledger.settle(reservation, cost, unknown, self.left(plan, draft)).await;
        if draft.is_complete() {
            let diagnostics = validate::accept(&plan.request, &draft.files, self.left(plan, draft)).await;
            draft.checked(diagnostics);
        }
    }

    /// What is left of a request's time.
    fn left(&self, plan: &Plan, draft: &Draft) -> Duration {
        draft.timeouts(plan, self.parts.clock.now()).total
    }

    /// What a request would come to: tier, model, tokens, the most that one send can cost. Sends nothing.
    pub fn estimate(&self, request: impl Into<GenerateRequest>) -> Result<Estimate> {
        let request = request.into();
        let identity =
            plan::named(&request, &self.parts.policy).and_then(|name| self.parts.profiles.known(name));
        Ok(self.plan(request, identity, self.parts.clock.now())?.estimate())
    }

    /// As [`estimate`](Self::estimate), but the service is asked which model a profile stands for and counts the prompt's
    /// tokens. Nothing is generated or paid. What it does not tell is estimated, and the warnings say so.
    pub async fn count(&self, request: impl Into<GenerateRequest>) -> Result<Estimate> {
        let plan = self.planned(request.into()).await?;
        let mut estimate = plan.estimate();
        let Some(facts) = &self.parts.facts else {
            estimate.warnings.push("tokens are estimated: this provider counts none".to_owned());
            return Ok(estimate);
        };
        let ceiling = estimate.worst_usd;
        let attempt = NextAttempt::first(plan.max_tokens, ceiling);
        let call = next::call(&plan, &attempt, &Draft::new(&plan));
        let call = ModelCall { model: plan.first().known_as().clone(), ..call };
        match timeout(COUNT_LIMIT, facts.count_tokens(call)).await {
            Ok(Ok(tokens)) => return Ok(plan.counted(tokens)),
            Ok(Err(fault)) => estimate.warnings.push(format!("tokens are estimated: {fault}")),
            Err(_) => {
                estimate.warnings.push("tokens are estimated: the service did not count in time".to_owned())
            }
        }
        Ok(estimate)
    }

    /// Gives back what dropped requests held: the right to attempt, and money reserved for sends that were not made. The next
    /// request does it too; this is for a process that makes none, and would leave others waiting for seconds.
    pub async fn release_leases(&self) {
        self.parts.cache.release_leases().await;
        self.parts.ledger.settle_deferred().await;
    }

    /// Stored results, where the client has a store.
    pub fn results(&self) -> Option<&Arc<dyn GenerationStore>> {
        self.parts.result_writer.store()
    }

    /// Why results are not stored although they should be; none where they are, or where none are kept.
    pub fn store_problem(&self) -> Option<&str> {
        self.parts.result_writer.problem()
    }

    /// Erases a stored result: its row, its objects, and the answer in the response cache, which would be served on.
    /// Other hosts may serve it from their memory until its hour is over. `NotFound` where the scope has no such result.
    pub async fn erase(&self, id: &str) -> Result<()> {
        let store = self.results().ok_or_else(|| {
            Error::invalid("results are kept nowhere, so there is none to erase: give the client a store")
        })?;
        let Some(cache_key) = store.delete(&self.scope, id).await? else { return Ok(()) };
        self.parts.cache.forget(&self.scope, &cache_key).await.map_err(|error| {
            let ttl = self.parts.policy.cache_ttl.as_secs();
            Error::new(
                error.kind,
                format!("the result is erased, but the cache may serve it for up to {ttl} s: {error}"),
            )
        })
    }

    /// Shared state, for what stands beside the sequence: jobs and idempotency keys.
    pub fn state(&self) -> &Arc<dyn StateStore> {
        &self.parts.state
    }

    /// What it decides for all its requests.
    pub fn policy(&self) -> &Policy {
        &self.parts.policy
    }

    /// Where it takes the time from.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }

    /// Where it takes its chance from.
    pub fn ids(&self) -> &Arc<dyn IdSource> {
        &self.parts.ids
    }

    /// A new id, as results have them.
    pub fn new_id(&self) -> String {
        new_id(&*self.parts.clock, &*self.parts.ids)
    }

    /// The same client for another scope. Only authentication makes scopes.
    pub fn scoped(&self, scope: Scope) -> Self {
        Client { parts: self.parts.clone(), scope }
    }

    /// The scope that it reads and writes.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The plan, with what the service tells of a model that only it can name.
    async fn planned(&self, request: GenerateRequest) -> Result<Plan> {
        let now = self.parts.clock.now();
        let total = request.timeout.unwrap_or(self.parts.policy.total);
        let identity = match plan::named(&request, &self.parts.policy) {
            Some(name) => self.parts.profiles.find(name, total / 2).await,
            None => None,
        };
        self.plan(request, identity, now)
    }

    fn plan(
        &self,
        request: GenerateRequest,
        identity: Option<ResolvedProfile>,
        now: UtcMillis,
    ) -> Result<Plan> {
        let id = request.id.clone().unwrap_or_else(|| self.new_id());
        let provider = self.parts.provider.name();
        let policy = &self.parts.policy;
        let mut plan = plan::build_with_profile(request, identity, policy, provider, &self.scope, id, now)?;
        self.parts.health.start(&mut plan);
        Ok(plan)
    }
}

/// What it is to have waited for another request's answer for as long as this one's time was.
fn overdue() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "an equal request is under way and was not done within this one's time: raise the timeout, or ask again",
    )
}
