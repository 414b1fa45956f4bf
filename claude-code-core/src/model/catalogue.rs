//! The model catalogue: ids, limits, prices, capabilities and lifecycle, as data (`models.json`) with its date.
//!
//! Prices are in dollars per million tokens: AWS list prices as collected by two projects that agree, litellm and
//! genai-prices. Dates of end of life are those of AWS model cards and announcements; where only the Anthropic API's
//! date is known (Opus 4), Bedrock ids are warned about and not refused.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
pub use crate::model::capability::Capabilities;
use crate::model::{Family, ModelId, ProfileScope, Tier};
use crate::money::rates::{PriceClass, PriceList, Rates};
use crate::money::usage_figures::InferenceGeo;

/// The data that is compiled in.
pub(crate) const BUILTIN: &str = include_str!("../../models.json");

/// The models that are known, with the day on which that was checked.
///
/// ```
/// use claude_code_core::{Catalogue, ModelId};
///
/// let models = Catalogue::builtin();
/// let id = ModelId::new("global.anthropic.claude-haiku-4-5-20251001-v1:0").unwrap();
/// assert!(models.find(&id).is_some());
/// ```
pub struct Catalogue {
    as_of: &'static str,
    models: Vec<ModelCard>,
    /// Indexes into `models`, by `Family::ALL`.
    current: [usize; Family::ALL.len()],
    /// The family of each tier, by `Tier::ALL`.
    tiers: [Family; Tier::ALL.len()],
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Two of the same day differ by their place: they are kept until the process ends.
        write!(f, "Catalogue({}, {} models, {self:p})", self.as_of, self.models.len())
    }
}

/// The file's form.
#[derive(Deserialize)]
struct Data {
    as_of: &'static str,
    tiers: BTreeMap<&'static str, Family>,
    families: BTreeMap<&'static str, &'static str>,
    models: Vec<ModelCard>,
}

/// One model.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ModelCard {
    /// The name for people: `Claude Sonnet 5.5`.
    pub name: &'static str,
    /// The base id on Bedrock, without a profile.
    pub bedrock_id: &'static str,
    /// The id of the Anthropic API.
    pub api_id: &'static str,
    /// The line that it belongs to.
    pub family: Family,
    /// The day of its release, `YYYY-MM-DD`, where known.
    pub released: Option<&'static str>,
    /// Tokens that prompt and answer together may have.
    pub context_window: u32,
    /// The largest `max_tokens`.
    pub max_output_tokens: u32,
    /// Where it stands between release and end of life.
    pub lifecycle: Lifecycle,
    /// The inference profiles that exist for it.
    pub profiles: Vec<ProfileScope>,
    /// Prices by where the request is processed.
    pub prices: PriceList,
    /// Whether batch jobs take it, at half the price.
    #[serde(default)]
    pub batch: BatchSupport,
    /// What it accepts.
    pub capabilities: Capabilities,
}

/// Whether a model's batch jobs and their price are known. A hint: the service decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BatchSupport {
    /// The service lists it for batch inference.
    Yes,
    /// Nobody has said so yet.
    #[default]
    Unknown,
}

/// Lifecycle of a model between release and end of life. Days are `YYYY-MM-DD`.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Lifecycle {
    /// As of the catalogue's day.
    pub status: Status,
    /// The end of life on Bedrock, where known.
    #[serde(borrow)]
    pub eol: Option<&'static str>,
    /// The end of life on the Anthropic API, where known.
    pub api_eol: Option<&'static str>,
    /// The family's current model by its bare name; none: it is the current one.
    pub successor: Option<&'static str>,
}

/// As of the catalogue's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// Open to every account.
    Active,
    /// Closed to accounts that did not use it in the last 30 days.
    Legacy,
    /// Past its end of life.
    Retired,
    /// By invitation only.
    Limited,
}

impl Catalogue {
    /// The catalogue that is compiled in; parsed once.
    pub fn builtin() -> &'static Catalogue {
        static PARSED: OnceLock<Catalogue> = OnceLock::new();
        PARSED.get_or_init(|| match Catalogue::parse(BUILTIN) {
            Ok(catalogue) => catalogue,
            // The data is fixed when this crate is built, and a test parses it.
            Err(error) => unreachable!("models.json: {error}"),
        })
    }

    /// Reads a catalogue. Fails on broken JSON and where a family has no current model or a tier no family.
    pub fn parse(json: &'static str) -> Result<Catalogue> {
        let broken =
            |what: String| Error::new(ErrorKind::Malformed, format!("the model catalogue is broken: {what}"));
        let data: Data = serde_json::from_str(json).map_err(|e| broken(e.to_string()))?;
        let mut current = [0; Family::ALL.len()];
        for (slot, family) in current.iter_mut().zip(Family::ALL) {
            let name = data.families.get(family.as_str()).copied();
            *slot = data
                .models
                .iter()
                .position(|m| Some(m.base()) == name && m.family == family)
                .ok_or_else(|| broken(format!("no current model of family {family}")))?;
        }
        let mut tiers = [Family::Opus; Tier::ALL.len()];
        for (slot, tier) in tiers.iter_mut().zip(Tier::ALL) {
            let family = data.tiers.get(tier.as_str()).copied();
            *slot = family.ok_or_else(|| broken(format!("no family for tier {tier}")))?;
        }
        Ok(Catalogue { as_of: data.as_of, models: data.models, current, tiers })
    }

    /// The day on which prices and dates were checked, `YYYY-MM-DD`. It is the price table's version on receipts.
    pub fn as_of(&self) -> &'static str {
        self.as_of
    }

    /// Every model, the newest first.
    pub fn models(&self) -> &[ModelCard] {
        &self.models
    }

    /// The model of an id in any shape. None: it is unknown, or only AWS can tell which model it is.
    pub fn find(&self, id: &ModelId) -> Option<&ModelCard> {
        let (dated, base) = (id.dated()?, id.base()?);
        let undated = base == dated || dated.ends_with("-latest");
        self.models.iter().find(|m| m.api_id == dated).or_else(|| {
            // A date that is not the card's means another model, unless the card has none at all. `-0` is the
            // Anthropic API's alias of a first version: claude-sonnet-4-0.
            let same = |m: &&ModelCard| m.base() == base || Some(m.base()) == base.strip_suffix("-0");
            self.models.iter().filter(same).find(|m| undated || m.base() == m.api_id)
        })
    }

    /// The current model of a tier.
    pub fn for_tier(&self, tier: Tier) -> &ModelCard {
        self.for_family(self.family_of(tier))
    }

    /// The current model of a family: what `haiku`, `sonnet` and `opus` mean as a model argument.
    pub fn for_family(&self, family: Family) -> &ModelCard {
        let at = Family::ALL.iter().position(|f| *f == family).unwrap_or_default();
        &self.models[self.current[at]]
    }

    /// The family that serves a tier.
    pub fn family_of(&self, tier: Tier) -> Family {
        let at = Tier::ALL.iter().position(|t| *t == tier).unwrap_or_default();
        self.tiers[at]
    }

    /// The tier that a model's family serves, and `Complex` for the families above all tiers.
    pub fn tier_of(&self, card: &ModelCard) -> Tier {
        Tier::ALL.into_iter().find(|t| self.family_of(*t) == card.family).unwrap_or(Tier::Complex)
    }

    /// The prices of an id as it is billed: by its profile, by its region where it has none, by the Anthropic API's
    /// list where it is one of its ids. None: unpriced.
    pub fn rates(&self, id: &ModelId) -> Option<Rates> {
        self.rates_in(id, &InferenceGeo::Unrestricted)
    }

    /// The prices of an id for inference in a geography. None where they are not known.
    pub fn rates_in(&self, id: &ModelId, geo: &InferenceGeo) -> Option<Rates> {
        let card = self.find(id)?;
        let rates = card.rates(PriceClass::of(id))?;
        match (geo, PriceClass::of(id)) {
            (InferenceGeo::Unrestricted | InferenceGeo::Sample, _) => Some(rates),
            (InferenceGeo::Us, PriceClass::Global) => {
                card.rates(PriceClass::Regional).filter(|regional| regional.has_uplift())
            }
            // The id's own price is that of a geography already.
            (InferenceGeo::Us, _) => Some(rates),
            (InferenceGeo::Unknown(_), _) => None,
        }
    }

    /// Why a request to this id is not sent: the model is past its end of life on the service that the id belongs
    /// to. `today` is `YYYY-MM-DD`. The error names the successor.
    pub fn refusal(&self, id: &ModelId, today: &str) -> Option<Error> {
        let card = self.find(id)?;
        let over = card.end_of_life(id).filter(|eol| *eol <= today)?;
        let service = if id.is_anthropic_api() { "the Anthropic API" } else { "Amazon Bedrock" };
        let instead = self
            .successor_of(card)
            .map(|next| next.id_like(id))
            .map_or(String::new(), |next| format!("; use its successor {next}"));
        Some(Error::new(
            ErrorKind::Retired,
            format!("model {id} reached its end of life on {service} on {over}{instead}"),
        ))
    }

    /// What to tell about an id that is sent all the same: a legacy model, or one by invitation. `today` is
    /// `YYYY-MM-DD`.
    pub fn warning(&self, id: &ModelId, today: &str) -> Option<String> {
        let card = self.find(id)?;
        let ends = card.end_of_life(id).filter(|eol| *eol > today);
        let ends = ends.map_or(String::new(), |eol| format!(" and ends on {eol}"));
        let instead = self
            .successor_of(card)
            .map_or(String::new(), |next| format!("; its successor is {}", next.id_like(id)));
        match card.lifecycle.status {
            Status::Active | Status::Retired if ends.is_empty() => None,
            Status::Active | Status::Retired => Some(format!("model {id} is open{ends}{instead}")),
            Status::Legacy => Some(format!(
                "model {id} is legacy{ends}: accounts that did not use it in the last 30 days are refused{instead}"
            )),
            Status::Limited => Some(format!("model {id} is open by invitation only")),
        }
    }

    /// The family's current model, where this is not it.
    pub fn successor_of(&self, card: &ModelCard) -> Option<&ModelCard> {
        let name = card.lifecycle.successor?;
        self.models.iter().find(|m| m.base() == name)
    }
}

impl ModelCard {
    /// The bare name without a date: `claude-haiku-4-5`.
    pub fn base(&self) -> &'static str {
        match self.api_id.rsplit_once('-') {
            Some((base, date)) if date.len() == 8 => base,
            _ => self.api_id,
        }
    }

    /// The id of its inference profile for a scope. None where it has no such profile: a request must not leave
    /// the geography that was asked for.
    pub fn profile_id(&self, scope: ProfileScope) -> Option<ModelId> {
        let id = format!("{scope}.{}", self.bedrock_id);
        self.profiles.contains(&scope).then(|| ModelId::new(&id).ok())?
    }

    /// Its id on the Anthropic API.
    pub fn anthropic_id(&self) -> Option<ModelId> {
        ModelId::new(self.api_id).ok()
    }

    /// The prices of a class. None where it has none.
    pub fn rates(&self, class: PriceClass) -> Option<Rates> {
        Rates::new(self.base(), &self.prices, class)
    }

    /// The end of life on the service that an id belongs to, `YYYY-MM-DD`, where known.
    pub fn end_of_life(&self, id: &ModelId) -> Option<&'static str> {
        if id.is_anthropic_api() { self.lifecycle.api_eol } else { self.lifecycle.eol }
    }

    /// This model's id in the shape of another: the same profile where it exists, else the first one that does.
    fn id_like(&self, id: &ModelId) -> String {
        if id.is_anthropic_api() {
            return self.api_id.to_owned();
        }
        let scope = id.scope().filter(|s| self.profiles.contains(s)).or(self.profiles.first().copied());
        scope.map_or(self.bedrock_id.to_owned(), |scope| format!("{scope}.{}", self.bedrock_id))
    }
}
