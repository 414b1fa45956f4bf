//! Foundation models, as the catalogue has them.

use claude_code_core::model::catalogue::{Catalogue, ModelCard, Status};
use claude_code_core::model::{ModelId, ProfileScope};
use serde_json::{Value, json};

use super::request::Request;
use super::{Answer, Refusal};

/// ListFoundationModels: the models that are alive and open to every account.
pub(super) fn list(request: &Request<'_>) -> Answer {
    let provider = request.query("byProvider");
    let customization = ["FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION"];
    let customization = request.one_of("byCustomizationType", &customization)?;
    let output = request.one_of("byOutputModality", &["TEXT", "IMAGE", "EMBEDDING"])?;
    let inference = request.one_of("byInferenceType", &["ON_DEMAND", "PROVISIONED"])?;
    // Claude writes text, and is reached through inference profiles alone; nobody customises it here.
    let any = provider.is_none_or(|name| name.eq_ignore_ascii_case("anthropic"))
        && output.is_none_or(|modality| modality == "TEXT")
        && customization.is_none()
        && inference.is_none();
    let models = Catalogue::builtin().models().iter();
    let open = |card: &&ModelCard| is_alive(card, request.today) && card.lifecycle.status != Status::Limited;
    let models: Vec<Value> = models
        .filter(|card| any && is_here(card, request))
        .filter(open)
        .map(|card| summary(card, request))
        .collect();
    Ok((200, json!({ "modelSummaries": models })))
}

/// GetFoundationModel.
pub(super) fn get(identifier: &str, request: &Request<'_>) -> Answer {
    Ok((200, json!({ "modelDetails": summary(found(identifier, request)?, request) })))
}

/// GetFoundationModelAvailability.
pub(super) fn availability(identifier: &str, request: &Request<'_>) -> Answer {
    let card = found(identifier, request)?;
    let open = card.lifecycle.status != Status::Limited;
    Ok((
        200,
        json!({
            "modelId": card.bedrock_id,
            "agreementAvailability": { "status": if open { "AVAILABLE" } else { "NOT_AVAILABLE" } },
            "authorizationStatus": if open { "AUTHORIZED" } else { "NOT_AUTHORIZED" },
            "entitlementAvailability": if open { "AVAILABLE" } else { "NOT_AVAILABLE" },
            "regionAvailability": "AVAILABLE",
        }),
    ))
}

/// The model of a base id, or of the ARN of a foundation model.
fn found(identifier: &str, request: &Request<'_>) -> Result<&'static ModelCard, Refusal> {
    let id = identifier.rsplit_once(":foundation-model/").map_or(identifier, |(_, id)| id);
    if ModelId::new(id).is_err() || id.contains('/') {
        return Err(Refusal::invalid("The provided model identifier is invalid."));
    }
    let mut models = Catalogue::builtin().models().iter();
    let card = models.find(|card| card.bedrock_id == id).filter(|card| is_alive(card, request.today));
    card.filter(|card| is_here(card, request)).ok_or_else(|| {
        Refusal::not_found("Could not resolve the foundation model from the provided model identifier.")
    })
}

/// The ARN of a model in a region; an empty region stands for all of them.
pub(super) fn arn(card: &ModelCard, partition: &str, region: &str) -> String {
    format!("arn:{partition}:bedrock:{region}::foundation-model/{}", card.bedrock_id)
}

/// Whether a model is before its end of life.
pub(in super::super) fn is_alive(card: &ModelCard, today: &str) -> bool {
    match card.lifecycle.eol {
        Some(eol) => eol > today,
        None => card.lifecycle.status != Status::Retired,
    }
}

fn is_here(card: &ModelCard, request: &Request<'_>) -> bool {
    ProfileScope::ALL.iter().any(|scope| card.profiles.contains(scope) && request.region.has(*scope))
}

fn summary(card: &ModelCard, request: &Request<'_>) -> Value {
    let mut lifecycle = json!({
        "status": if card.lifecycle.status == Status::Legacy { "LEGACY" } else { "ACTIVE" },
    });
    for (name, day) in [("startOfLifeTime", card.released), ("endOfLifeTime", card.lifecycle.eol)] {
        if let Some(day) = day {
            lifecycle[name] = json!(midnight(day));
        }
    }
    json!({
        "modelArn": arn(card, request.region.partition(), request.region.as_str()),
        "modelId": card.bedrock_id,
        "modelName": card.name,
        "providerName": "Anthropic",
        "inputModalities": ["TEXT", "IMAGE"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": true,
        "customizationsSupported": [],
        // The service sends this word, although its model lists only ON_DEMAND and PROVISIONED.
        "inferenceTypesSupported": ["INFERENCE_PROFILE"],
        "modelLifecycle": lifecycle,
    })
}

/// The first moment of a day.
pub(super) fn midnight(day: &str) -> String {
    format!("{day}T00:00:00Z")
}
