//! Policy: what a client decides for all its requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::model::ProfileScope;
use crate::model::catalogue::Catalogue;
use crate::money::price::PicoUsd;
use crate::select::Reach;

/// Policy of a client: settings that hold for all its requests.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whether the provider plays the twin's sample answers: they cost nothing and are labelled.
    pub samples: bool,
    /// Who answers, where it is not the service itself or its built-in samples: a name for a server, a script, a recording.
    /// What one of them answered is never served for another.
    pub answers_from: String,
    /// How models are reached, which decides their ids.
    pub reach: Reach,
    /// The models that are known, and their prices: the built-in ones, or those with changes of one's own
    /// ([`Catalogue::with_changes`]).
    pub catalogue: &'static Catalogue,
    /// The model of requests that name neither model nor tier.
    pub model: Option<String>,
    /// Where a request may fall back to other models on safe faults.
    pub fallback: bool,
    /// Where else the same model may be asked after safe faults, in this order: regions, or hosts of the Messages API. The
    /// provider must know them.
    pub places: Vec<Arc<str>>,
    /// How long an accepted answer is served again.
    pub cache_ttl: Duration,
    /// The most that one request may cost.
    pub max_usd_per_request: PicoUsd,
    /// Whether someone set that cap: only then does it stop a model without a price.
    pub max_usd_is_set: bool,
    /// The most that all scopes together may spend in a UTC day.
    pub max_usd_per_day: Option<PicoUsd>,
    /// The most that each scope may spend in a UTC day.
    pub max_usd_per_day_per_scope: Option<PicoUsd>,
    /// Whether a budget that refuses the tier of the classifier's choice may get a cheaper tier instead. Off unless
    /// someone wants it: an answer that silently got weaker surprises more than a refusal does.
    pub downgrade: bool,
    /// Sends that may be paid for, per request.
    pub max_sends: u32,
    /// The longest single answer in tokens; none: by tier.
    pub max_tokens: Option<u32>,
    /// From the first send to the end.
    pub total: Duration,
    /// Until the first event; none: by model.
    pub first_event: Option<Duration>,
    /// Between events; none: by model.
    pub idle: Option<Duration>,
    /// How long a connection that cannot be made is retried; none: 30 s, and 3 s on loopback.
    pub reconnect: Option<Duration>,
    /// Sent as request metadata, for the service's invocation log.
    pub metadata: BTreeMap<String, String>,
    /// A guardrail's id and version.
    pub guardrail: Option<(String, String)>,
    /// The service tier.
    pub service_tier: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            samples: false,
            answers_from: String::new(),
            reach: Reach::Profile(ProfileScope::Global),
            catalogue: Catalogue::builtin(),
            model: None,
            fallback: true,
            places: Vec::new(),
            cache_ttl: Duration::from_secs(3600),
            max_usd_per_request: PicoUsd(1_000_000_000_000),
            max_usd_is_set: false,
            max_usd_per_day: None,
            max_usd_per_day_per_scope: None,
            downgrade: false,
            max_sends: 8,
            max_tokens: None,
            total: Duration::from_secs(900),
            first_event: None,
            idle: None,
            reconnect: None,
            metadata: BTreeMap::new(),
            guardrail: None,
            service_tier: None,
        }
    }
}

impl Policy {
    /// What of it no service takes. A request with it would be a 400.
    pub(crate) fn check(&self) -> Result<()> {
        let sign = |c: char| c.is_ascii_alphanumeric() || " \t:_@$#=/+,-.".contains(c);
        let fits = |text: &str, least: usize| {
            (least..=256).contains(&text.chars().count()) && text.chars().all(sign)
        };
        if self.metadata.len() > 16 {
            return Err(Error::invalid(format!(
                "{} pairs of request metadata: 16 are allowed",
                self.metadata.len()
            )));
        }
        if let Some((name, _)) = self.metadata.iter().find(|(name, value)| !fits(name, 1) || !fits(value, 0))
        {
            let name: String = name.chars().filter(|c| sign(*c)).take(64).collect();
            return Err(Error::invalid(format!(
                "request metadata {name:?}: names have 1 to 256, values 0 to 256 letters, digits, spaces and :_@$#=/+,-."
            )));
        }
        const TIERS: [&str; 4] = ["default", "priority", "flex", "reserved"];
        match self.service_tier.as_deref().filter(|tier| !TIERS.contains(tier) && !self.reach.is_messages()) {
            Some(tier) => {
                Err(Error::invalid(format!("service tier {tier:?} is none of {}", TIERS.join(", "))))
            }
            None => Ok(()),
        }
    }
}
