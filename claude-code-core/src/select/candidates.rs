//! Candidate models of a tier, in the order in which they are tried.

use crate::error::{Error, ErrorKind, Result};
use crate::model::catalogue::{Catalogue, ModelCard, Status};
use crate::model::{ModelId, ProfileScope, Tier};

/// How models are reached, which decides the shape of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On Bedrock through inference profiles of this geography, which is never left.
    Profile(ProfileScope),
    /// On the Anthropic API.
    AnthropicApi,
    /// On Bedrock's own Messages endpoint, which takes the models' ids without a profile.
    BedrockMessages,
}

impl Reach {
    /// The id by which a model is asked for; none where it is not reached so.
    pub fn id(self, card: &ModelCard) -> Option<ModelId> {
        match self {
            Reach::Profile(scope) => card.profile_id(scope),
            Reach::AnthropicApi => card.anthropic_id(),
            Reach::BedrockMessages => ModelId::new(card.bedrock_id).ok(),
        }
    }

    /// Whether the Messages API is spoken.
    pub fn is_messages(self) -> bool {
        matches!(self, Reach::AnthropicApi | Reach::BedrockMessages)
    }
}

/// A model to try, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// The id to send.
    pub model: ModelId,
    /// The tier that it serves.
    pub tier: Tier,
    /// One line.
    pub why: String,
}

/// The models for a tier: its current one; with `fallback` also those to try after a fault that cannot have been
/// paid for, namely the newest earlier model of the family, then the tier above, else the tier below. Where the
/// geography lacks the current model, the newest of the family that it has comes first. Models that are legacy, by
/// invitation, or in need of an account setting are never chosen. Fails where the geography has none at all.
pub fn candidates(tier: Tier, catalogue: &Catalogue, reach: Reach, fallback: bool) -> Result<Vec<Candidate>> {
    let mut line = of_tier(tier, catalogue, reach);
    let first = line.next().ok_or_else(|| unreachable_by(tier, reach))?;
    let mut chosen = vec![first];
    if fallback {
        chosen.extend(
            line.next().map(|(id, name, _)| (id, name, format!("{name}: the same family's earlier model"))),
        );
        let other = tier.above().map(|t| (t, "above")).or(tier.below().map(|t| (t, "below")));
        let other = other.and_then(|(t, side)| Some((t, side, of_tier(t, catalogue, reach).next()?)));
        if let Some((other, side, (id, name, _))) = other {
            let why = format!("{name}: the tier {side}, {other}");
            let mut all = finish(chosen, tier);
            all.push(Candidate { model: id, tier: other, why });
            return Ok(all);
        }
    }
    Ok(finish(chosen, tier))
}

/// An id to send, the model's name for people, and why it is chosen.
type Choice = (ModelId, &'static str, String);

fn finish(chosen: Vec<Choice>, tier: Tier) -> Vec<Candidate> {
    chosen.into_iter().map(|(model, _, why)| Candidate { model, tier, why }).collect()
}

/// The open models of a tier's family that can be reached, the current one first, then by release.
fn of_tier(tier: Tier, catalogue: &Catalogue, reach: Reach) -> impl Iterator<Item = Choice> {
    let current = catalogue.for_tier(tier);
    let mut family: Vec<&ModelCard> =
        catalogue.models().iter().filter(|m| m.family == current.family).collect();
    family.retain(|m| m.lifecycle.status == Status::Active && m.capabilities.data_retention.is_empty());
    family.sort_by_key(|m| (m.base() != current.base(), std::cmp::Reverse(m.released)));
    family.into_iter().filter_map(move |card| {
        let id = reach.id(card);
        let why = match (card.base() == current.base(), reach) {
            (false, Reach::Profile(scope)) => {
                format!(
                    "{}: the {tier} tier's newest model in geography {scope}, which lacks {}",
                    card.name, current.name
                )
            }
            _ => format!("{}: the {tier} tier's current model", card.name),
        };
        Some((id?, card.name, why))
    })
}

fn unreachable_by(tier: Tier, reach: Reach) -> Error {
    let place = match reach {
        Reach::Profile(scope) => format!("geography {scope}"),
        Reach::AnthropicApi => "the Anthropic API".to_owned(),
        Reach::BedrockMessages => "Bedrock's Messages endpoint".to_owned(),
    };
    Error::new(
        ErrorKind::NeedsProfile,
        format!(
            "{place} has no model of the {tier} tier in the catalogue; give a model id or another profile scope"
        ),
    )
}
