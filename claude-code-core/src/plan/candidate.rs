//! Candidate: a model, and the place it is asked in, that may answer a request.

use std::sync::Arc;

use crate::model::capability::Effort;
use crate::model::catalogue::ModelCard;
use crate::model::{ModelId, Tier};

/// Names a candidate of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CandidateId {
    /// One of [`Plan::candidates`](super::Plan::candidates), by its index.
    Listed(usize),
    /// The stronger model of [`Plan::escalation`](super::Plan::escalation).
    Escalation,
    /// One of [`Plan::cheaper`](super::Plan::cheaper), by its index.
    Cheaper(usize),
}

impl CandidateId {
    /// The first of the list.
    pub const FIRST: CandidateId = CandidateId::Listed(0);
}

/// Candidate: a model that may be asked, and why it is in the list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidate {
    /// Sent as it is.
    pub model: ModelId,
    /// The tier that it serves.
    pub tier: Tier,
    /// Why it may be asked.
    pub why: String,
    /// What is known of it; none: unknown, and Unpriced.
    pub card: Option<&'static ModelCard>,
    /// The model that it stands for, where only AWS could tell.
    pub stands_for: Option<ModelId>,
    /// Where it is asked, if not in the provider's first place.
    pub place: Option<Arc<str>>,
}

impl Candidate {
    /// The id that names the model: what is sent, unless that is a profile that AWS told the model of.
    pub fn known_as(&self) -> &ModelId {
        self.stands_for.as_ref().unwrap_or(&self.model)
    }

    /// Model and place, for people and for what is remembered of it.
    pub fn name(&self) -> String {
        match &self.place {
            Some(place) => format!("{} in {place}", self.model),
            None => self.model.to_string(),
        }
    }

    /// Whether the model takes sampling parameters. Of an unknown one nobody knows: it is tried and learnt.
    pub fn takes_sampling(&self) -> bool {
        self.card.is_none_or(|card| card.capabilities.takes_temperature())
    }

    /// Whether the model takes this effort. Of an unknown one nobody knows: it is tried and learnt.
    pub fn takes_effort(&self, effort: Effort) -> bool {
        self.card.is_none_or(|card| card.capabilities.takes_effort(effort))
    }
}
