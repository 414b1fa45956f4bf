//! Queries that generate nothing: estimates, budgets, usage, stored results, and the client's parts.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::budget::usage_report::UsageReport;
use crate::budget::{BudgetScope, BudgetView};
use crate::client::Client;
use crate::clock::{Clock, IdSource, new_id};
use crate::draft::Draft;
use crate::draft::next_attempt::NextAttempt;
use crate::error::{Error, Result};
use crate::next;
use crate::plan::policy::Policy;
use crate::plan::{self, Estimate};
use crate::provider::ModelCall;
use crate::request::GenerateRequest;
use crate::state::{Scope, StateStore};
use crate::store::GenerationStore;

/// How long a count may take.
const COUNT_LIMIT: Duration = Duration::from_secs(10);

impl Client {
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

    /// Sends the metrics and spans that wait to be sent: before a process ends or is frozen. Ends within seconds.
    pub async fn flush_metrics(&self) {
        self.parts.metrics.flush().await;
    }

    /// Gives back what dropped requests held: the right to attempt, and money reserved for sends that were not made. The next
    /// request does it too; this is for a process that makes none, and would leave others waiting for seconds.
    pub async fn release_leases(&self) {
        self.parts.cache.release_leases().await;
        self.parts.ledger.settle_deferred().await;
    }

    /// The figures of the current UTC day. Fails if the ledger cannot be read.
    pub async fn budget(&self) -> Result<BudgetView> {
        self.parts.ledger.view(&self.scope).await
    }

    /// From now on nothing is sent: every host over the same state refuses with a budget error within two seconds.
    /// What is under way runs to its end. Fails if the state cannot be written.
    pub async fn stop_budget(&self, whose: BudgetScope) -> Result<()> {
        self.parts.ledger.kill_switch.set(&self.named(whose), true).await
    }

    /// Ends a stop, within two seconds on every host. Fails if the state cannot be written.
    pub async fn resume_budget(&self, whose: BudgetScope) -> Result<()> {
        self.parts.ledger.kill_switch.set(&self.named(whose), false).await
    }

    fn named(&self, whose: BudgetScope) -> Scope {
        match whose {
            BudgetScope::Everybody => Scope::all(),
            BudgetScope::Scope => self.scope.clone(),
        }
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
                error.kind(),
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

    /// Usage of the last days, today included, by day, model and tier: the scope's own, and everybody's for a single user
    /// or an operator. Empty where the client counts none.
    pub async fn usage(&self, days: u32) -> Result<UsageReport> {
        let Some(usage) = &self.parts.usage else { return Ok(UsageReport { days, rows: Vec::new() }) };
        let rows = usage.read(&self.scope, "own", days).await?;
        Ok(UsageReport { days, rows })
    }

    /// As [`usage`](Self::usage), with everybody's rows too: for the operator, never for a caller of the HTTP API.
    pub async fn usage_of_all(&self, days: u32) -> Result<UsageReport> {
        let mut report = self.usage(days).await?;
        if let Some(usage) = &self.parts.usage {
            report.rows.extend(usage.read(&Scope::all(), "everybody", days).await?);
        }
        Ok(report)
    }
}
