//! Batch jobs: what a lane of the service's own batch engine needs of a client. Jobs outlive processes, so what is
//! reserved for one is a note that can be kept, not a guard.

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::draft::Draft;
use crate::draft::next_attempt::NextAttempt;
use crate::error::Result;
use crate::model::ModelId;
use crate::model::catalogue::BatchSupport;
use crate::money::price::{Cost, PicoUsd};
use crate::money::usage::Usage;
use crate::next;
use crate::plan::{self, Estimate};
use crate::provider::ModelCall;
use crate::request::GenerateRequest;

/// A request as a record of a job would carry it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobCall {
    /// What is said to the model.
    pub call: ModelCall,
    /// What it comes to on demand.
    pub estimate: Estimate,
    /// The id that names the model and its price.
    pub priced_as: ModelId,
    /// Whether the catalogue knows that jobs take the model.
    pub support: BatchSupport,
    /// The most that the record can cost: half of the price on demand where a batch price is known, else all of it.
    pub ceiling: Cost,
    /// Why it cannot be in a job.
    pub obstacle: Option<&'static str>,
}

/// Money that is held for a job in the budget of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReservation {
    /// The day, `YYYY-MM-DD`; empty where no budget is kept.
    day: String,
    amount: PicoUsd,
}

impl Client {
    /// The request's first attempt as a record of a job. Sends nothing.
    pub fn job_call(&self, request: GenerateRequest) -> Result<JobCall> {
        let identity =
            plan::named(&request, &self.parts.policy).and_then(|name| self.parts.profiles.known(name));
        let plan = self.plan(request, identity, self.parts.clock.now())?;
        let (first, estimate) = (plan.first(), plan.estimate());
        let attempt = NextAttempt::first(estimate.max_tokens, estimate.worst_usd);
        let support = first.card.map_or(BatchSupport::Unknown, |card| card.batch);
        let is_standard = |tier: &str| matches!(tier, "default" | "standard_only");
        let obstacle = match &plan.policy {
            policy if policy.guardrail.is_some() => Some("a guardrail is set, and jobs apply none"),
            policy if !policy.service_tier.as_deref().is_none_or(is_standard) => {
                Some("a service tier is set, and jobs have none")
            }
            _ => None,
        };
        Ok(JobCall {
            call: next::call(&plan, &attempt, &Draft::new(&plan)),
            priced_as: first.known_as().clone(),
            support,
            ceiling: match (support, estimate.worst_usd) {
                (BatchSupport::Yes, Cost::Priced(worst)) => Cost::Priced(PicoUsd(worst.0.div_ceil(2))),
                (_, worst) => worst,
            },
            estimate,
            obstacle,
        })
    }

    /// Whether the response cache has the request's answer.
    pub async fn has_cached(&self, request: GenerateRequest) -> bool {
        match self.planned(request).await {
            Ok(plan) => self.parts.cache.has(&plan).await,
            Err(_) => false,
        }
    }

    /// Holds the most that a job can cost in the day's budget, or refuses it.
    pub async fn reserve_job(&self, ceiling: Cost) -> Result<JobReservation> {
        let time = self.parts.policy.total;
        let held = self.parts.ledger.reserve_detached(&self.scope, ceiling, time).await?;
        Ok(held.map_or_else(JobReservation::default, |(day, amount)| JobReservation { day, amount }))
    }

    /// What a usage costs in a job of this model: half where a batch price is known, else the price on demand, which is an
    /// upper bound.
    pub fn job_cost(&self, model: &ModelId, usage: &Usage) -> Cost {
        let catalogue = self.parts.policy.catalogue;
        let is_half = catalogue.find(model).is_some_and(|card| card.batch == BatchSupport::Yes);
        catalogue.rates(model).map_or(Cost::UNPRICED, |rates| rates.cost(usage, is_half))
    }

    /// Books what a job cost and frees the rest of what was held for it. Whoever calls it twice books it twice: note that
    /// it is to be done before it is done.
    pub async fn settle_job(&self, held: &JobReservation, spent: PicoUsd) {
        if !held.day.is_empty() {
            self.parts.ledger.settle_detached(&self.scope, &held.day, held.amount, spent).await;
        }
    }
}

impl JobReservation {
    /// How much is held.
    pub fn amount(&self) -> PicoUsd {
        self.amount
    }
}

impl Default for JobReservation {
    fn default() -> Self {
        JobReservation { day: String::new(), amount: PicoUsd::ZERO }
    }
}
