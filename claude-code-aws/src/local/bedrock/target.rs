//! Model resolution: what a model id stands for, and whether this account may call it in this way.

use claude_code_core::model::ModelId;
use claude_code_core::model::catalogue::{Catalogue, ModelCard, Status};

use super::Call;
use super::control::Control;
use crate::local::responder::Reply;
use crate::local::server::clock;
use crate::local::server::keys::Keys;

/// The API that an id is given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Converse and InvokeModel: an inference profile.
    Runtime,
    /// CountTokens: a base id.
    Count,
    /// The Messages API: a base id, or one of the Anthropic API.
    Messages,
}

/// Who would answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// A model of the catalogue.
    Model(&'static ModelCard),
    /// An application profile of another account: only that one can tell which model it is.
    Foreign,
}

/// Resolves an id. Fails with the refusal that the service has for it.
#[allow(clippy::result_large_err, reason = "a refusal is an answer, made once a call")]
pub(super) fn resolve(id: &str, call: &Call<'_>, control: &Control) -> Result<Target, Reply> {
    let door = call.door;
    let unknown = || match door {
        Door::Messages => Reply::not_found(format!("model: {id}")),
        Door::Runtime | Door::Count => Reply::invalid("The provided model identifier is invalid."),
    };
    if is_elsewhere(id, call) {
        return Err(unknown());
    }
    let copied = match application(id) {
        Some(account) if account != Keys::ACCOUNT => return Ok(Target::Foreign),
        Some(_) => Some(control.source(id).ok_or_else(unknown)?),
        None => None,
    };
    let id = ModelId::new(copied.as_deref().unwrap_or(id)).map_err(|_| unknown())?;
    let card = Catalogue::builtin().find(&id).filter(|card| is_name_of(&id, card, door));
    let card = card.filter(|_| is_reached_from(&id, call)).ok_or_else(unknown)?;
    if is_over(card, &id) {
        return Err(match door {
            Door::Messages => unknown(),
            Door::Runtime | Door::Count => {
                Reply::not_found("This model version has reached the end of its life.")
            }
        });
    }
    reach(card, &id, door, control)?;
    Ok(Target::Model(card))
}

/// Whether an ARN names another region than the one that is called: there it is unknown.
fn is_elsewhere(id: &str, call: &Call<'_>) -> bool {
    let named =
        id.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2)).filter(|region| !region.is_empty());
    matches!((named, call.region), (Some(named), Some(called)) if called.as_str() != named)
}

/// The account of an application profile's ARN: `arn:aws:bedrock:REGION:ACCOUNT:application-inference-profile/ID`.
fn application(id: &str) -> Option<&str> {
    let mut parts = id.strip_prefix("arn:")?.split(':').skip(3);
    let account = parts.next()?;
    parts.next()?.starts_with("application-inference-profile/").then_some(account)
}

/// Whether an id is spelt as the API has it: the catalogue finds a model by less.
fn is_name_of(id: &ModelId, card: &ModelCard, door: Door) -> bool {
    let named = id.as_str().rsplit_once('/').map_or(id.as_str(), |(_, name)| name);
    if id.is_anthropic_api() {
        return door == Door::Messages;
    }
    match id.scope() {
        Some(scope) => card.profiles.contains(&scope) && named == format!("{scope}.{}", card.bedrock_id),
        None => named == card.bedrock_id,
    }
}

/// Whether the region has the profile: a `eu.` profile is unknown in us-east-1.
fn is_reached_from(id: &ModelId, call: &Call<'_>) -> bool {
    match (call.door, id.scope(), call.region) {
        (Door::Runtime, Some(scope), Some(region)) => region.has(scope),
        _ => true,
    }
}

fn is_over(card: &ModelCard, id: &ModelId) -> bool {
    match card.end_of_life(id) {
        Some(eol) => eol <= clock::today().as_str(),
        None => !id.is_anthropic_api() && card.lifecycle.status == Status::Retired,
    }
}

/// Whether the account may ask the model, and by this id.
#[allow(clippy::result_large_err, reason = "a refusal is an answer, made once a call")]
fn reach(card: &ModelCard, id: &ModelId, door: Door, control: &Control) -> Result<(), Reply> {
    if id.is_anthropic_api() {
        return Ok(());
    }
    if card.lifecycle.status == Status::Limited {
        return Err(Reply::Error {
            code: "AccessDeniedException".to_owned(),
            status: 403,
            message: "You don't have access to the model with the specified model ID.".to_owned(),
        });
    }
    if door == Door::Runtime && id.scope().is_none() {
        // The apostrophe is the service's own.
        return Err(Reply::invalid(format!(
            "Invocation of model ID {id} with on-demand throughput isn’t supported. Retry your request with the \
             ID or ARN of an inference profile that contains this model."
        )));
    }
    let modes = &card.capabilities.data_retention;
    if door != Door::Count && !modes.is_empty() {
        let mode = control.data_retention();
        if !modes.contains(&mode.as_str()) {
            return Err(Reply::invalid(format!(
                "data retention mode '{mode}' is not available for this model"
            )));
        }
    }
    Ok(())
}
