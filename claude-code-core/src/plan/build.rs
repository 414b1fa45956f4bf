//! Plan construction: a request becomes its plan, or the reason why it cannot be sent.

use std::sync::Arc;
use std::time::Duration;

use super::{Candidate, CandidateId, Estimate, Limits, Plan, cache_key};
use crate::answer::language::Language;
use crate::clock::UtcMillis;
use crate::error::{Error, ErrorKind, Result};
use crate::model::capability::{SentThinking, Think};
use crate::model::catalogue::{Catalogue, ModelCard};
use crate::model::token_estimate::estimate_tokens;
use crate::model::{Family, ModelId, Tier};
use crate::plan::policy::Policy;
use crate::plan::prompt;
use crate::provider::profile_resolver::ResolvedProfile;
use crate::request::GenerateRequest;
use crate::select::{self, Reach, Task};
use crate::state::Scope;

/// The longest prompt with its files that is taken, in bytes: a million tokens are about three million bytes.
const MAX_PROMPT_BYTES: usize = 8 << 20;
/// Bedrock refuses max_tokens from here on: the bound is exclusive.
const MAX_TOKENS_BOUND: u32 = 128_000;

/// Builds the plan, or fails with what is wrong with the request.
pub fn build(
    request: GenerateRequest,
    policy: &Arc<Policy>,
    provider: &str,
    scope: &Scope,
    id: String,
    now: UtcMillis,
) -> Result<Plan> {
    build_with_profile(request, None, policy, provider, scope, id, now)
}

/// As [`build`], with the model that the service resolved a profile to.
pub(crate) fn build_with_profile(
    request: GenerateRequest,
    identity: Option<ResolvedProfile>,
    policy: &Arc<Policy>,
    provider: &str,
    scope: &Scope,
    id: String,
    now: UtcMillis,
) -> Result<Plan> {
    check(&request)?;
    policy.check()?;
    let language = language_of(&request)?;
    let (candidates, tier_reason, mut warnings) = choose(&request, policy, identity, now)?;
    let candidates = spread(candidates, policy);
    let tier = candidates[0].tier;
    let prompt = prompt::write(&request, language.as_ref());
    let prompt_tokens = estimate_tokens(&prompt.system) + estimate_tokens(&prompt.user);
    let max_tokens = max_tokens(&request, policy, &candidates[0]);
    fits(&candidates[0], prompt_tokens, max_tokens)?;
    warnings.extend(left_out(&request, &candidates[0], max_tokens));
    warnings.extend(language.as_ref().filter(|language| !language.is_known()).map(unknown));
    let cache_key =
        cache_key::cache_key(&request, policy, provider, scope, &candidates[0], &prompt, max_tokens);
    Ok(Plan {
        id,
        scope: scope.clone(),
        started: now,
        language,
        tier,
        tier_reason,
        escalation: escalation(&request, policy, tier),
        cheaper: cheaper(&request, policy, tier),
        limits: limits(&request, policy, &candidates[0], now),
        candidates,
        start: CandidateId::FIRST,
        prompt,
        prompt_tokens,
        max_tokens,
        cache_key,
        cache_ttl: policy.cache_ttl,
        policy: policy.clone(),
        warnings,
        trace: None,
        request,
    })
}

/// Estimates a request without a client: nothing is sent, and profiles that only AWS can resolve stay unresolved.
pub fn estimate(
    request: GenerateRequest,
    policy: &Arc<Policy>,
    provider: &str,
    now: UtcMillis,
) -> Result<Estimate> {
    Ok(build(request, policy, provider, &Scope::local(), String::new(), now)?.estimate())
}

/// Warning for files in an unknown language.
fn unknown(language: &Language) -> String {
    format!("the language {:?} is not known: files are stored as .txt and not checked", language.as_str())
}

/// Warnings for request fields that the model does not accept.
fn left_out(request: &GenerateRequest, first: &Candidate, max_tokens: u32) -> Vec<String> {
    let taken = request.effort.filter(|effort| first.takes_effort(*effort));
    let told = |wish: Think| first.card?.capabilities.thinking_as(wish, taken, max_tokens);
    let thinks = request.thinking.and_then(told).flatten().is_some_and(SentThinking::is_on);
    let temperature = request.temperature.filter(|_| !first.takes_sampling() || thinks);
    let when = if thinks && first.takes_sampling() { " while it thinks" } else { "" };
    let not_taken = |field: &str| format!("{field} was left out: {} does not take it", first.model);
    let effort = request.effort.filter(|effort| !first.takes_effort(*effort));
    let thinking = request.thinking.filter(|wish| told(*wish).is_none()).map(|wish| match wish {
        Think::On => not_taken("thinking on"),
        Think::Off => not_taken("thinking off"),
    });
    let effort = effort.map(|effort| not_taken(&format!("effort {effort}")));
    temperature.map(|_| not_taken("temperature") + when).into_iter().chain(effort).chain(thinking).collect()
}

fn check(request: &GenerateRequest) -> Result<()> {
    if request.prompt.trim().is_empty() {
        return Err(Error::invalid("the prompt is empty: say what the code should do"));
    }
    if request.work.needs_files() && request.files.is_empty() {
        return Err(Error::invalid(format!(
            "{:?} needs at least one file: give the code that it is about",
            request.work
        )));
    }
    let bytes = request.prompt.len() + request.files.iter().map(|f| f.content.len()).sum::<usize>();
    if bytes > MAX_PROMPT_BYTES {
        return Err(Error::new(
            ErrorKind::ContextTooLong,
            format!(
                "prompt and files have {bytes} bytes, {MAX_PROMPT_BYTES} are allowed: hand in fewer files"
            ),
        ));
    }
    if let Some(t) = request.temperature.filter(|t| !(0.0..=1.0).contains(t)) {
        return Err(Error::invalid(format!("temperature {t} is outside 0 to 1")));
    }
    if request.max_tokens == Some(0) || request.max_tokens.is_some_and(|n| n >= MAX_TOKENS_BOUND) {
        return Err(Error::invalid(format!("max_tokens must be 1 to {}", MAX_TOKENS_BOUND - 1)));
    }
    if request.max_sends == Some(0) {
        return Err(Error::invalid("max_sends must be at least 1"));
    }
    if let Some(binary) = request.files.iter().find(|f| f.content.contains('\0')) {
        return Err(Error::invalid(format!(
            "the given file {:?} holds a NUL byte, so it is no text: leave it out",
            binary.path
        )));
    }
    match request.files.iter().find(|f| f.path.is_empty() || f.path.contains(['\n', '\r'])) {
        Some(_) => {
            Err(Error::invalid("a given file has an empty path or a line break in it: name each file"))
        }
        None => Ok(()),
    }
}

fn language_of(request: &GenerateRequest) -> Result<Option<Language>> {
    match &request.language {
        Some(name) => Language::new(name).map(Some),
        None => Ok(request.files.first().and_then(|f| Language::from_path(&f.path))),
    }
}

/// The model that a request names, or its client for it.
pub(crate) fn named<'a>(request: &'a GenerateRequest, policy: &'a Policy) -> Option<&'a str> {
    request.model.as_deref().or(policy.model.as_deref().filter(|_| request.tier.is_none()))
}

/// Precedence: model argument, tier argument, the client's model, classifier.
fn choose(
    request: &GenerateRequest,
    policy: &Policy,
    identity: Option<ResolvedProfile>,
    now: UtcMillis,
) -> Result<(Vec<Candidate>, String, Vec<String>)> {
    let catalogue = policy.catalogue;
    if let Some(name) = named(request, policy) {
        refuse_a_mistyped_family(name, policy)?;
        let (stands_for, unknown) = match identity {
            Some(ResolvedProfile::Model(model)) => (Some(model), None),
            Some(ResolvedProfile::Unknown(why)) => (None, Some(why)),
            None => (None, None),
        };
        let candidate = named_model(name, stands_for, policy, catalogue)?;
        let mut warnings = Vec::new();
        match candidate.card {
            Some(_) => {
                if let Some(refusal) = catalogue.refusal(candidate.known_as(), &now.date()) {
                    return Err(refusal);
                }
                warnings.extend(catalogue.warning(candidate.known_as(), &now.date()));
            }
            None => {
                let known =
                    candidate.stands_for.as_ref().map(|model| format!(" ({model})")).unwrap_or_default();
                let why = unknown.map(|why| format!("; {why}")).unwrap_or_default();
                warnings.push(format!(
                    "{}{known} is not in the catalogue: its price is unknown{why}",
                    candidate.model
                ))
            }
        }
        let reason = format!("the model was given: {name}");
        return Ok((vec![candidate], reason, warnings));
    }
    let (tier, reason) = match request.tier {
        Some(tier) => (tier, "the tier was given".to_owned()),
        None => classify(request),
    };
    Ok((candidates(tier, policy, policy.fallback)?, reason, Vec::new()))
}

/// Refuses a word of letters alone that is no family: on Bedrock no id looks so, and what is mistyped would be sent.
fn refuse_a_mistyped_family(name: &str, policy: &Policy) -> Result<()> {
    let is_id = name.bytes().any(|byte| !byte.is_ascii_alphabetic());
    let is_family = Family::ALL.iter().any(|family| family.as_str() == name);
    if policy.reach.is_messages() || is_id || is_family || name.is_empty() {
        return Ok(());
    }
    // Each family begins with a letter of its own.
    let begins = |family: &Family| name.to_ascii_lowercase().starts_with(&family.as_str()[..1]);
    let meant =
        Family::ALL.into_iter().find(begins).map_or_else(String::new, |f| format!("; did you mean {f}?"));
    let known = Family::ALL.map(Family::as_str).join(", ");
    Err(Error::invalid(format!("model {name:?} is neither a model id nor one of {known}{meant}")))
}

fn classify(request: &GenerateRequest) -> (Tier, String) {
    let verdict = select::classify(&Task {
        prompt: &request.prompt,
        language: request.language.as_deref(),
        files: u32::try_from(request.files.len()).ok().filter(|n| *n > 0),
        code_lines: request.files.iter().map(|f| f.content.lines().count() as u32).sum(),
    });
    (verdict.tier, verdict.why)
}

/// Each candidate here, then in the other places that can have it: the same model comes before another one. An ARN
/// belongs to its region, and a geographic profile is called from within its geography.
fn spread(candidates: Vec<Candidate>, policy: &Policy) -> Vec<Candidate> {
    let mut all = Vec::with_capacity(candidates.len() * (1 + policy.places.len()));
    for candidate in candidates {
        let there = |place: &&Arc<str>| match policy.reach {
            Reach::AnthropicApi | Reach::BedrockMessages => true,
            Reach::Profile(_) if candidate.model.is_arn() => false,
            Reach::Profile(_) => candidate.model.scope().is_none_or(|scope| scope.has_region(place)),
        };
        let elsewhere: Vec<_> = policy.places.iter().filter(there).cloned().collect();
        all.push(candidate.clone());
        all.extend(elsewhere.into_iter().map(|place| Candidate {
            why: format!("the same model in {place}"),
            place: Some(place),
            ..candidate.clone()
        }));
    }
    all
}

/// A family's current model, or an id as it was given.
fn named_model(
    name: &str,
    stands_for: Option<ModelId>,
    policy: &Policy,
    catalogue: &'static Catalogue,
) -> Result<Candidate> {
    let given = |model, tier, card| Candidate {
        model,
        tier,
        why: "given".into(),
        card,
        stands_for: None,
        place: None,
    };
    if let Ok(family) = name.parse::<Family>() {
        let card = catalogue.for_family(family);
        let model = id_of(card, policy)?;
        return Ok(given(model, catalogue.tier_of(card), Some(card)));
    }
    let model = ModelId::new(name)?;
    let card = catalogue.find(stands_for.as_ref().unwrap_or(&model));
    let tier = card.map_or(Tier::Medium, |card| catalogue.tier_of(card));
    Ok(Candidate { stands_for, ..given(model, tier, card) })
}

/// The tier above, for an answer that stays rejected: only where the tier was the classifier's choice.
fn escalation(request: &GenerateRequest, policy: &Policy, tier: Tier) -> Option<Candidate> {
    let above = tier.above().filter(|_| !is_fixed(request, policy))?;
    candidates(above, policy, false).ok()?.into_iter().next()
}

/// The tiers below, nearest first, for a budget that refuses: only where it may, and where the tier was the
/// classifier's choice.
fn cheaper(request: &GenerateRequest, policy: &Policy, tier: Tier) -> Vec<Candidate> {
    if !policy.downgrade || is_fixed(request, policy) {
        return Vec::new();
    }
    let below = std::iter::successors(tier.below(), |tier| tier.below());
    below.filter_map(|tier| candidates(tier, policy, false).ok()?.into_iter().next()).collect()
}

/// Whether the caller chose the model or the tier.
fn is_fixed(request: &GenerateRequest, policy: &Policy) -> bool {
    request.model.is_some() || request.tier.is_some() || policy.model.is_some()
}

/// The models for a tier, with their ids as the provider knows them. Those without such an id are passed over.
fn candidates(tier: Tier, policy: &Policy, fallback: bool) -> Result<Vec<Candidate>> {
    let catalogue = policy.catalogue;
    let found = select::candidates(tier, catalogue, policy.reach, fallback)?;
    Ok(found
        .into_iter()
        .map(|found| Candidate {
            card: catalogue.find(&found.model),
            model: found.model,
            tier: found.tier,
            why: found.why,
            stands_for: None,
            place: None,
        })
        .collect())
}

/// The id of a model as the provider knows it.
fn id_of(card: &ModelCard, policy: &Policy) -> Result<ModelId> {
    policy.reach.id(card).ok_or_else(|| {
        Error::new(
            ErrorKind::NeedsProfile,
            format!(
                "{} cannot be reached as {:?}: set PROFILE_SCOPE to one it has, or name a model id",
                card.name, policy.reach
            ),
        )
    })
}

/// Bedrock reserves quota by max_tokens, so the default is no longer than the tier's answers; resume covers more.
fn max_tokens(request: &GenerateRequest, policy: &Policy, first: &Candidate) -> u32 {
    let by_tier = match first.tier {
        Tier::Simple => 8_192,
        Tier::Medium => 16_384,
        Tier::Complex => 32_768,
    };
    let most =
        first.card.map_or(MAX_TOKENS_BOUND - 1, |card| card.max_output_tokens.min(MAX_TOKENS_BOUND - 1));
    request.max_tokens.or(policy.max_tokens).unwrap_or(by_tier).clamp(1, most)
}

fn fits(first: &Candidate, prompt_tokens: u64, max_tokens: u32) -> Result<()> {
    let Some(card) = first.card else { return Ok(()) };
    let (needed, allowed) = (prompt_tokens + u64::from(max_tokens), u64::from(card.context_window));
    if needed <= allowed {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::ContextTooLong,
        format!(
            "about {needed} tokens are needed (prompt {prompt_tokens}, answer {max_tokens}), {} allows {allowed}: \
             hand in fewer files",
            first.model
        ),
    ))
}

fn limits(request: &GenerateRequest, policy: &Policy, first: &Candidate, now: UtcMillis) -> Limits {
    let total = request.timeout.unwrap_or(policy.total);
    // A thinking model may be silent for minutes; an unknown model may be one.
    let thinks = request.thinking == Some(Think::On)
        || first.card.is_none_or(|card| card.capabilities.thinking_default_on);
    let (first_event, idle) = if thinks { (600, 600) } else { (120, 60) };
    Limits {
        deadline: now.plus(total),
        first_event: policy.first_event.unwrap_or(Duration::from_secs(first_event)).min(total),
        idle: policy.idle.unwrap_or(Duration::from_secs(idle)).min(total),
        max_sends: request.max_sends.unwrap_or(policy.max_sends).max(1),
        max_usd: request.max_usd.unwrap_or(policy.max_usd_per_request),
        max_usd_is_set: request.max_usd.is_some() || policy.max_usd_is_set,
    }
}
