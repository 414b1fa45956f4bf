//! The request sequence: how a prompt becomes accepted, stored code with a receipt. The only file that knows the order.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;

use crate::budget::ledger::Ledger;
use crate::budget::usage_counters::UsageCounters;
use crate::cache::response::{CacheLookup, Entry, ResponseCache};
use crate::cache::shared_result::SharedResult;
use crate::cache::single_flight::{Role, SingleFlight};
use crate::clock::{Clock, IdSource, UtcMillis};
use crate::draft::Draft;
use crate::draft::next_attempt::NextAttempt;
use crate::draft::outcome::Outcome;
use crate::error::{Error, ErrorKind, Result};
use crate::generation::Generation;
use crate::metrics::account::Account;
use crate::metrics::delivery::{Delivery, Recorder};
use crate::metrics::observe::observation;
use crate::metrics::{MetricsSink, Timing};
use crate::next::model_health::{ModelHealth, ProbePermit};
use crate::next::{self, Step};
use crate::plan::policy::Policy;
use crate::plan::{self, Plan};
use crate::provider::attempt;
use crate::provider::profile_resolver::{ProfileResolver, ResolvedProfile};
use crate::provider::{ModelCall, ModelFacts, ModelProvider};
use crate::request::{GenerateRequest, SourceFile};
use crate::state::{Scope, StateStore, time_before_answer};
use crate::store::persist::ResultWriter;
use crate::stream::{GenerationStream, Out};
use crate::trace::RequestTrace;
use crate::validate;

/// Client that generates code. Cheap to clone; clones share everything.
///
/// ```
/// use claude_code_core::{Client, GenerateRequest, Result};
///
/// async fn queue(client: &Client) -> Result<String> {
///     let generation = client.generate(GenerateRequest::new("a queue with a timeout").with_language("rust")).await?;
///     let shorter = client.refine(&generation, "use a condition variable").await?;
///     shorter.raise_for_rejected()?.code().map(str::to_owned)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) parts: Arc<Parts>,
    pub(crate) scope: Scope,
}

/// Components of a client; see [`ClientBuilder`](crate::ClientBuilder).
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) provider: Arc<dyn ModelProvider>,
    pub(crate) facts: Option<Arc<dyn ModelFacts>>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) cache: ResponseCache,
    pub(crate) ledger: Ledger,
    pub(crate) usage: Option<UsageCounters>,
    pub(crate) result_writer: ResultWriter,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) metrics: Arc<dyn MetricsSink>,
    pub(crate) records_spans: bool,
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

    /// Changes given files as the instructions say; the result has the diff.
    pub async fn refactor(
        &self,
        files: Vec<SourceFile>,
        instructions: impl Into<String>,
    ) -> Result<Generation> {
        self.generate(GenerateRequest::refactor(files, instructions)).await
    }

    /// Changes a result as the instructions say: a refactoring of its files.
    pub async fn refine(&self, result: &Generation, instructions: impl Into<String>) -> Result<Generation> {
        self.generate(result.refine_request(instructions)).await
    }

    /// Generates code and shows it as it is written. Lazy: nothing happens before the first poll. Dropping the
    /// stream closes the request, unless an equal one waits for the same answer.
    pub fn stream(&self, request: impl Into<GenerateRequest>) -> GenerationStream {
        let (client, request) = (self.clone(), request.into());
        let given = request.to_carry();
        let stream = GenerationStream::lazy(move |out| async move {
            let mut recorder = client.recorder();
            let shared = match client.planned(request).await {
                Ok(plan) => {
                    let plan = recorder.plan.insert(Arc::new(plan)).clone();
                    match plan.is_cached() {
                        true => client.share(plan, out).await,
                        false => client.run(plan, out).await,
                    }
                }
                Err(refused) => SharedResult::failed(refused),
            };
            Delivery::new(shared, recorder)
        });
        stream.carrying(given)
    }

    /// Single-flight: joins the equal request that is under way in this process, or begins one that others can join.
    async fn share(self, plan: Arc<Plan>, mut out: Out) -> SharedResult {
        let parts = &*self.parts;
        loop {
            let shown = out.second();
            let begun = || self.clone().run(plan.clone(), shown).boxed();
            let time = plan.limits.deadline.since(plan.started);
            let flight = match parts.single_flight.join(&plan.single_flight_key(), time, begun) {
                Role::Leader(flight) => return flight.await,
                Role::Follower(flight) => flight,
            };
            // A follower keeps its own deadline: the leader has as much time, or more.
            let left = plan.limits.deadline.since(parts.clock.now());
            let result = timeout(left, flight).map(|result| result.map_err(|_| overdue()));
            let shared = match out.interrupt().unless(result).await {
                Ok(shared) => shared,
                Err(error) => return SharedResult::failed(error),
            };
            // The leader was interrupted, and this caller was not: it asks itself.
            if shared.is_interrupted() && !out.interrupt().is_set() {
                continue;
            }
            if let Ok(generation) = &shared.result {
                out.replay(generation).await;
            }
            return shared;
        }
    }

    /// From the plan to the result, whatever happens on the way.
    async fn run(self, plan: Arc<Plan>, mut out: Out) -> SharedResult {
        let parts = &*self.parts;
        let lease = match parts.cache.look_up(&plan).await {
            CacheLookup::Hit(entry) => {
                let entry = self.served(&plan, entry).await;
                let shared = SharedResult::hit(entry.generation, entry.charge);
                self.count_usage(&plan, &shared).await;
                if let Ok(generation) = &shared.result {
                    out.replay(generation).await;
                }
                return shared;
            }
            CacheLookup::Miss(lease) => lease,
        };
        let mut account = Account::new(&plan, &parts.metrics, &parts.clock);
        let work = Box::pin(self.work(&plan, &mut account, &mut out));
        let (generation, outcome, timing) = parts.cache.hold(&lease, work).await;
        parts.cache.close(lease, &plan, &generation, &account.charge).await;
        let shared = SharedResult::made(outcome.into_result(generation), timing, account);
        self.count_usage(&plan, &shared).await;
        shared
    }

    /// Counts the request in the state, where it is counted.
    async fn count_usage(&self, plan: &Plan, shared: &SharedResult) {
        let Some(usage) = &self.parts.usage else { return };
        let now = self.parts.clock.now();
        let seen = observation(&shared.seen(now), Some(plan), &shared.timing, now.since(plan.started));
        usage.count(&plan.scope, &seen, plan.limits.deadline.since(now)).await;
    }

    /// A kept answer, again. It is stored now where it was not: the first one to ask may not have wanted it.
    async fn served(&self, plan: &Plan, mut entry: Entry) -> Entry {
        let parts = &*self.parts;
        if parts.result_writer.lacks(plan, &entry.generation) {
            // Nothing is to be paid for here: a store that is down holds up a hit no longer than the cache would.
            let left = time_before_answer(plan.limits.deadline.since(parts.clock.now()));
            let original = Generation::clone(&entry.generation);
            entry.generation = Arc::new(parts.result_writer.keep(plan, original, left).await);
            parts.cache.renew(plan, &entry).await;
        }
        entry
    }

    /// Where this request's observation goes.
    fn recorder(&self) -> Recorder {
        let Parts { metrics, clock, .. } = &*self.parts;
        Recorder { metrics: metrics.clone(), clock: clock.clone(), plan: None, started: clock.now() }
    }

    /// Sends as often as the policy says, and stores what came out.
    async fn work(
        &self,
        plan: &Plan,
        account: &mut Account,
        out: &mut Out,
    ) -> (Arc<Generation>, Outcome, Timing) {
        let parts = &*self.parts;
        let mut draft = Draft::new(plan);
        draft.without = parts.health.refused(plan);
        let mut permit = ProbePermit::default();
        let outcome = loop {
            match next::after(plan, &draft, parts.clock.now()) {
                Step::Attempt(attempt) => {
                    self.send(plan, attempt, &mut draft, (&mut permit, account), out).await
                }
                Step::Stop(outcome) => break outcome,
            }
            account.booked(draft.receipt.total(), draft.paid_sends());
        };
        drop(permit);
        let (left, timing) = (self.left(plan, &draft), std::mem::take(&mut draft.timing));
        let mut generation = draft.into_generation(plan, &outcome);
        if outcome.error().is_none() {
            generation = parts.result_writer.keep(plan, generation, left).await;
        }
        (Arc::new(generation), outcome, timing)
    }

    /// One send. It never fails: what went wrong is in the draft.
    async fn send(
        &self,
        plan: &Plan,
        attempt: NextAttempt,
        draft: &mut Draft,
        (permit, account): (&mut ProbePermit, &mut Account),
        out: &mut Out,
    ) {
        let parts = &*self.parts;
        if !draft.attempts.is_empty() {
            let notice = next::notice(plan, draft, &attempt, parts.clock.now());
            if let Some(cause) = &notice.0 {
                let (model, wait) = (&plan.candidate(attempt.candidate).model, attempt.wait.as_secs_f64());
                tracing::warn!(target: "claude_code_core::retry", id = plan.id, "{} of {model} in {wait:.1} s: {cause}", attempt.why);
            }
            out.notice(plan, &attempt, notice).await;
            draft.held = out.held();
        }
        let waited = parts.health.wait(plan, &attempt, permit, self.left(plan, draft));
        if let Err(late) = out.interrupt().unless(waited).await {
            return draft.refused(plan, &attempt, late);
        }
        let mut reservation =
            match parts.ledger.reserve(&plan.scope, attempt.ceiling, self.left(plan, draft)).await {
                Ok(reservation) => reservation,
                Err(refused) => return draft.refused(plan, &attempt, refused),
            };
        let call = ModelCall { sent_flag: reservation.sent_flag(), ..next::call(plan, &attempt, draft) };
        account.begins(attempt.ceiling, reservation.sent_flag());
        let received = self.receive(plan, &attempt, call, draft, out);
        parts.ledger.keep(&mut reservation, received).await;
        parts.health.note(plan, &attempt, draft, permit);
        // What has no known price stays charged at its ceiling: a cap counts it at what it can have cost.
        let cost = draft.last_cost();
        let unknown = draft.last_is_unknown() || !cost.is_priced();
        parts.ledger.settle(reservation, cost, unknown, self.left(plan, draft)).await;
        if draft.is_complete() {
            let diagnostics = validate::accept(&plan.request, &draft.files, self.left(plan, draft)).await;
            draft.checked(diagnostics);
        }
    }

    /// Receives the answer of one attempt into the draft, whatever its end is.
    async fn receive(
        &self,
        plan: &Plan,
        attempt: &NextAttempt,
        call: ModelCall,
        draft: &mut Draft,
        out: &mut Out,
    ) {
        let parts = &*self.parts;
        let omitted = next::omitted_fields(plan, attempt, draft);
        draft.warnings.extend(omitted);
        draft.open(plan, attempt);
        let (opened, since) = (parts.clock.now(), |now: UtcMillis| now.since(plan.started));
        draft.began = Some(opened);
        let incoming = attempt::open(&*parts.provider, call, draft.timeouts(plan, opened));
        let mut incoming = incoming.until(out.interrupt().clone());
        while let Some(text) = incoming.next().await {
            for piece in draft.take(&text) {
                draft.timing.note(&piece, || since(parts.clock.now()));
                out.answer_event(piece).await;
            }
        }
        let first = incoming.first_event().map(|after| since(opened) + after);
        draft.timing.first_event = draft.timing.first_event.or(first);
        draft.warnings.extend(incoming.passed_over());
        draft.warnings.extend(incoming.take_warnings());
        let geo = incoming.inference_geo().clone();
        let (ended, usage) = incoming.ended();
        for piece in draft.close(plan, attempt, ended, usage, &geo) {
            draft.timing.note(&piece, || since(parts.clock.now()));
            out.answer_event(piece).await;
        }
        if let Some(last) = draft.attempts.last().filter(|_| plan.is_traced()) {
            let times = (since(opened), since(parts.clock.now()));
            draft.timing.note_attempt((draft.attempts.len() - 1, last.into()), times, first, usage);
        }
        draft.held = out.held();
    }

    /// What is left of a request's time.
    fn left(&self, plan: &Plan, draft: &Draft) -> Duration {
        draft.timeouts(plan, self.parts.clock.now()).total
    }

    /// The plan, with what the service tells of a model that only it can name.
    pub(crate) async fn planned(&self, request: GenerateRequest) -> Result<Plan> {
        let now = self.parts.clock.now();
        let total = request.timeout.unwrap_or(self.parts.policy.total);
        let identity = match plan::named(&request, &self.parts.policy) {
            Some(name) => self.parts.profiles.find(name, total / 2).await,
            None => None,
        };
        self.plan(request, identity, now)
    }

    pub(crate) fn plan(
        &self,
        request: GenerateRequest,
        identity: Option<ResolvedProfile>,
        now: UtcMillis,
    ) -> Result<Plan> {
        let id = request.id.clone().unwrap_or_else(|| self.new_id());
        let provider = self.parts.provider.name();
        let policy = &self.parts.policy;
        let mut plan = plan::build_with_profile(request, identity, policy, provider, &self.scope, id, now)?;
        plan.trace = match plan.request.trace.clone() {
            Some(span) if plan.request.owns_span => Some(RequestTrace::own(span)),
            caller => RequestTrace::begin(caller.as_ref(), self.parts.records_spans, &*self.parts.ids),
        };
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
