//! Plan of a request, decided before anything is sent: pure, and free of cost.

use std::sync::Arc;
use std::time::Duration;

use crate::answer::language::Language;
use crate::clock::UtcMillis;
use crate::model::Tier;
use crate::model::capability::SentThinking;
use crate::model::catalogue::BatchSupport;
use crate::money::price::{Cost, PicoUsd};
use crate::money::rates::{self, Rates};
use crate::money::receipt::Receipt;
use crate::money::usage::Usage;
use crate::money::usage_figures::InferenceGeo;
use crate::plan::candidate::{Candidate, CandidateId};
use crate::plan::policy::Policy;
use crate::plan::prompt::Prompt;
use crate::request::{CacheMode, GenerateRequest};
use crate::state::Scope;
use crate::trace::RequestTrace;

/// The bounds of one request.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Nothing is sent or awaited after this moment.
    pub deadline: UtcMillis,
    /// Until the first event of a send.
    pub first_event: Duration,
    /// Between the events of a send.
    pub idle: Duration,
    /// Sends that may be paid for.
    pub max_sends: u32,
    /// The most that the request may cost.
    pub max_usd: PicoUsd,
    /// Whether someone set that cap.
    pub max_usd_is_set: bool,
}

/// Plan of a request: candidates, prompt, limits and cache key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The id of the result.
    pub id: String,
    /// What was asked.
    pub request: GenerateRequest,
    /// Whose request it is.
    pub scope: Scope,
    /// When it came.
    pub started: UtcMillis,
    /// The language, where request or files tell it.
    pub language: Option<Language>,
    /// The tier to begin on.
    pub tier: Tier,
    /// Why.
    pub tier_reason: String,
    /// The models in the order of asking; never empty. Those behind the first are for safe faults.
    pub candidates: Vec<Candidate>,
    /// The one to begin with: the first, unless its circuit breaker is open after a fault.
    pub start: CandidateId,
    /// The model of the tier above, for an answer that stays rejected.
    pub escalation: Option<Candidate>,
    /// The models of the tiers below, nearest first, where a budget may choose them.
    pub cheaper: Vec<Candidate>,
    /// The words.
    pub prompt: Prompt,
    /// Tokens of the prompt, estimated from above.
    pub prompt_tokens: u64,
    /// The longest single answer in tokens; less where a candidate writes less.
    pub max_tokens: u32,
    /// The bounds.
    pub limits: Limits,
    /// The name of this very request in the cache.
    pub cache_key: String,
    /// How long its accepted answer is served again.
    pub cache_ttl: Duration,
    /// What the client sends along.
    pub policy: Arc<Policy>,
    /// What the caller should know.
    pub warnings: Vec<String>,
    /// The trace that the request belongs to, where somebody traces it.
    pub trace: Option<RequestTrace>,
}

/// Estimate of a request's cost before it is sent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// The tier.
    pub tier: Tier,
    /// Why.
    pub tier_reason: String,
    /// The model that would be asked first.
    pub model: String,
    /// The language that the answer is expected in; empty where the request does not name it.
    pub language: String,
    /// Tokens of the prompt, estimated from above.
    pub input_tokens: u64,
    /// The longest single answer in tokens.
    pub max_tokens: u32,
    /// The most that one send can cost.
    pub worst_usd: Cost,
    /// Whether the service counted the tokens; else they are estimated from above.
    pub counted: bool,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Estimates the request.
    pub fn estimate(&self) -> Estimate {
        Estimate {
            tier: self.tier,
            tier_reason: self.tier_reason.clone(),
            model: self.first().model.to_string(),
            language: self.request.language.clone().unwrap_or_default(),
            input_tokens: self.prompt_tokens,
            max_tokens: self.max_tokens_of(self.first()),
            worst_usd: self.ceiling(self.first(), self.prompt_tokens),
            counted: false,
            warnings: self.warnings.clone(),
        }
    }

    /// The same with the tokens as the service counted them.
    pub(crate) fn counted(&self, tokens: u64) -> Estimate {
        let worst_usd = self.ceiling(self.first(), tokens);
        Estimate { input_tokens: tokens, worst_usd, counted: true, ..self.estimate() }
    }

    /// The most that one send to a candidate can cost.
    pub fn ceiling(&self, candidate: &Candidate, prompt_tokens: u64) -> Cost {
        let rates = self.rates(candidate);
        rates::ceiling(rates.as_ref(), prompt_tokens, u64::from(self.max_tokens_of(candidate)))
    }

    /// The longest answer that a candidate is asked for: the plan's, if it writes that much.
    pub fn max_tokens_of(&self, candidate: &Candidate) -> u32 {
        candidate.card.map_or(self.max_tokens, |card| card.max_output_tokens.min(self.max_tokens))
    }

    /// Whether prompt and answer fit into a candidate's context. Of an unknown one nobody knows.
    pub fn fits(&self, candidate: &Candidate) -> bool {
        let needed = self.prompt_tokens + u64::from(self.max_tokens_of(candidate));
        candidate.card.is_none_or(|card| needed <= u64::from(card.context_window))
    }

    /// What a send to a candidate is charged, line by line.
    pub(crate) fn receipt(&self, candidate: &Candidate, usage: &Usage, geo: &InferenceGeo) -> Receipt {
        match self.rates(candidate) {
            Some(_) => Receipt::of_send_in(self.policy.catalogue, candidate.known_as(), geo, usage, false),
            None => Receipt::of_unpriced(self.policy.catalogue, candidate.known_as(), usage),
        }
    }

    /// What the answer of a batch job is charged: half, where the catalogue knows a batch price; else it is unpriced.
    pub(crate) fn job_receipt(&self, candidate: &Candidate, usage: &Usage) -> Receipt {
        let (catalogue, model) = (self.policy.catalogue, candidate.known_as());
        match candidate.card.is_some_and(|card| card.batch == BatchSupport::Yes) {
            true => Receipt::of_send(catalogue, model, usage, true),
            false => Receipt::of_unpriced(catalogue, model, usage),
        }
    }

    /// The prices of a candidate. Those of a service tier beside the standard one are not published: none is assumed.
    fn rates(&self, candidate: &Candidate) -> Option<Rates> {
        let is_standard = |tier: &str| matches!(tier, "default" | "standard_only");
        let standard = self.policy.service_tier.as_deref().is_none_or(is_standard);
        self.policy.catalogue.rates(candidate.known_as()).filter(|_| standard)
    }

    /// The `thinking` that a candidate is sent.
    pub fn thinking(&self, candidate: &Candidate) -> Option<SentThinking> {
        let wish = self.request.thinking?;
        let effort = self.request.effort.filter(|effort| candidate.takes_effort(*effort));
        candidate.card?.capabilities.thinking_as(wish, effort, self.max_tokens_of(candidate))?
    }

    /// The first model to ask.
    pub fn first(&self) -> &Candidate {
        &self.candidates[0]
    }

    /// The candidate of this name; the first, where the plan has none of it.
    pub fn candidate(&self, id: CandidateId) -> &Candidate {
        let found = match id {
            CandidateId::Listed(index) => self.candidates.get(index),
            CandidateId::Escalation => self.escalation.as_ref(),
            CandidateId::Cheaper(index) => self.cheaper.get(index),
        };
        found.unwrap_or(&self.candidates[0])
    }

    /// The listed candidates and the escalation: what can be asked without a budget's refusal.
    pub(crate) fn candidate_ids(&self) -> impl Iterator<Item = CandidateId> {
        (0..self.candidates.len()).map(CandidateId::Listed).chain([CandidateId::Escalation])
    }

    /// What a request must share with another one of this process to wait for its answer: who may pay less, send less or
    /// not store is another flight, though its answer may come from the same entry of the cache.
    pub(crate) fn single_flight_key(&self) -> String {
        let Limits { max_sends, max_usd, max_usd_is_set, .. } = &self.limits;
        let (mode, skips) = (self.request.cache, self.request.skip_store);
        format!("{} {mode:?} {skips} {max_sends} {} {max_usd_is_set}", self.cache_key, max_usd.0)
    }

    /// Whether its attempts are spans.
    pub(crate) fn is_traced(&self) -> bool {
        self.trace.as_ref().is_some_and(|trace| trace.is_recorded)
    }

    /// Whether its answer may come from the cache, or go there.
    pub fn is_cached(&self) -> bool {
        self.request.cache != CacheMode::Off && self.request.check.is_none()
    }
}
