//! Inference profiles: those that AWS defines, and those that the account made.

use claude_code_core::model::catalogue::{Catalogue, ModelCard, Status};
use claude_code_core::model::{ModelId, ProfileScope};
use serde_json::{Value, json};

use super::account::{Account, Application};
use super::region::Region;
use super::request::Request;
use super::{Answer, Refusal, models, nothing};
use crate::local::server::clock;
use crate::local::server::keys::Keys;

/// The most profiles of one page, and what a page has where nothing is said.
const PAGE: usize = 1000;

/// A profile that AWS defines: one of a model's scopes.
struct Defined {
    card: &'static ModelCard,
    scope: ProfileScope,
}

/// ListInferenceProfiles. Without a type it gives those that AWS defines, as the service does.
pub(super) fn list(account: &Account, request: &Request<'_>) -> Answer {
    let kind = request.one_of("type", &["SYSTEM_DEFINED", "APPLICATION"])?;
    let limit = limit(request)?;
    let all: Vec<Value> = match kind {
        Some("APPLICATION") => {
            account.applications().iter().filter_map(|profile| made(profile, &request.region)).collect()
        }
        _ => defined(request).map(|profile| profile.json(&request.region)).collect(),
    };
    let from = match request.query("nextToken") {
        Some(token) => after(&all, token)?,
        None => 0,
    };
    let page: Vec<Value> = all.iter().skip(from).take(limit).cloned().collect();
    let last = page.last().map(token);
    let mut answer = json!({ "inferenceProfileSummaries": page });
    if let Some(token) = last.filter(|_| from + limit < all.len()) {
        answer["nextToken"] = json!(token);
    }
    Ok((200, answer))
}

fn limit(request: &Request<'_>) -> Result<usize, Refusal> {
    let Some(text) = request.query("maxResults") else { return Ok(PAGE) };
    let limit = text.parse::<usize>().ok().filter(|limit| (1..=PAGE).contains(limit));
    limit.ok_or_else(|| Refusal::invalid("maxResults lies between 1 and 1000"))
}

/// Where the page after the profile of this token begins.
fn after(all: &[Value], asked: &str) -> Result<usize, Refusal> {
    let last = all.iter().position(|profile| token(profile) == asked);
    last.map(|at| at + 1).ok_or_else(|| Refusal::invalid("The provided pagination token is invalid."))
}

/// What stands for "after this profile".
fn token(profile: &Value) -> String {
    let id = profile["inferenceProfileId"].as_str().unwrap_or_default();
    aws_smithy_types::base64::encode(id)
}

/// GetInferenceProfile: by id or by ARN.
pub(super) fn get(account: &Account, identifier: &str, request: &Request<'_>) -> Answer {
    let made = account.application(identifier).and_then(|profile| made(profile, &request.region));
    match made.or_else(|| defined_as(identifier, request).map(|profile| profile.json(&request.region))) {
        Some(profile) => Ok((200, profile)),
        None => Err(missing()),
    }
}

/// CreateInferenceProfile: an application profile, copied from one that AWS defines.
pub(super) fn create(account: &mut Account, request: &Request<'_>) -> Answer {
    let body = request.json()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let name = text("inferenceProfileName").filter(|name| is_name(name));
    let name =
        name.ok_or_else(|| Refusal::invalid("inferenceProfileName: 1 to 64 letters, digits, - and _"))?;
    let token = text("clientRequestToken");
    let again = account.applications().iter().find(|profile| token.is_some() && profile.token == token);
    if let Some(profile) = again {
        return created(&profile.arn);
    }
    let copied = body.pointer("/modelSource/copyFrom").and_then(Value::as_str).unwrap_or_default();
    let source = defined_as(copied, request).filter(|_| copied.starts_with("arn:"));
    let source = source.ok_or_else(|| {
        Refusal::invalid(
            "modelSource.copyFrom is not the ARN of an inference profile of this region; no model of the twin has \
             on-demand throughput",
        )
    })?;
    let id = Application::id_of(&name);
    let arn = Application::arn_of(request.region.partition(), request.region.as_str(), &id);
    account.add(Application {
        id,
        arn: arn.clone(),
        name,
        description: text("description"),
        source: source.id(),
        created_at: clock::iso(),
        tags: body.get("tags").cloned().unwrap_or_else(|| json!([])),
        token,
    })?;
    created(&arn)
}

fn created(arn: &str) -> Answer {
    Ok((201, json!({ "inferenceProfileArn": arn, "status": "ACTIVE" })))
}

/// `([0-9a-zA-Z][ _-]?)+`, 64 characters at most.
fn is_name(name: &str) -> bool {
    let words = name.strip_suffix([' ', '_', '-']).unwrap_or(name).split([' ', '_', '-']);
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    name.len() <= 64 && words.into_iter().all(word)
}

/// DeleteInferenceProfile: one that the account made.
pub(super) fn delete(account: &mut Account, identifier: &str, request: &Request<'_>) -> Answer {
    if account.remove(identifier) {
        return nothing();
    }
    match defined_as(identifier, request) {
        Some(_) => Err(Refusal::invalid("System-defined inference profiles cannot be deleted.")),
        None => Err(missing()),
    }
}

/// ListTagsForResource, for application profiles.
pub(super) fn tags(account: &Account, request: &Request<'_>) -> Answer {
    let body = request.json()?;
    let arn = body.get("resourceARN").and_then(Value::as_str).unwrap_or_default();
    let profile = account.application(arn).ok_or_else(missing)?;
    Ok((200, json!({ "tags": profile.tags })))
}

fn missing() -> Refusal {
    Refusal::not_found("The specified inference profile could not be found.")
}

/// The profiles that AWS defines in a region, of the models that are alive and open to every account.
fn defined<'r>(request: &'r Request<'_>) -> impl Iterator<Item = Defined> + 'r {
    let cards = Catalogue::builtin().models().iter();
    let open = cards.filter(|card| card.lifecycle.status != Status::Limited);
    open.filter(|card| models::is_alive(card, request.today)).flat_map(|card| {
        let scopes = card.profiles.iter().copied().filter(|scope| request.region.has(*scope));
        scopes.map(move |scope| Defined { card, scope }).collect::<Vec<_>>()
    })
}

/// The profile that AWS defines of an id or an ARN.
fn defined_as(identifier: &str, request: &Request<'_>) -> Option<Defined> {
    let id = match ModelId::new(identifier).ok()?.is_arn() {
        true => identifier.split_once(":inference-profile/")?.1,
        false => identifier,
    };
    defined(request).find(|profile| profile.id() == id)
}

impl Defined {
    fn id(&self) -> String {
        format!("{}.{}", self.scope, self.card.bedrock_id)
    }

    fn json(&self, region: &Region) -> Value {
        let id = self.id();
        let name = self.card.name;
        let places = match self.scope {
            ProfileScope::Global => "globally across all supported AWS Regions".to_owned(),
            scope => format!("in {}", region.destinations(scope).join(", ")),
        };
        let created = self.card.released.map(models::midnight);
        json!({
            "inferenceProfileName": format!("{} Anthropic {name}", title(self.scope)),
            "description": format!("Routes requests to Anthropic {name} {places}."),
            "createdAt": created,
            "updatedAt": created,
            "inferenceProfileArn": format!(
                "arn:{}:bedrock:{}:{}:inference-profile/{id}",
                region.partition(), region.as_str(), Keys::ACCOUNT
            ),
            "models": self.models(region),
            "inferenceProfileId": id,
            "status": "ACTIVE",
            "type": "SYSTEM_DEFINED",
        })
    }

    fn models(&self, region: &Region) -> Value {
        let regions = region.destinations(self.scope);
        let arns = regions.iter().map(|place| models::arn(self.card, region.partition(), place));
        arns.map(|arn| json!({ "modelArn": arn })).collect()
    }
}

fn title(scope: ProfileScope) -> String {
    match scope {
        ProfileScope::Global => "Global".to_owned(),
        other => other.as_str().to_uppercase(),
    }
}

/// An application profile, with the models of the one that it was copied from.
fn made(profile: &Application, region: &Region) -> Option<Value> {
    let id = ModelId::new(&profile.source).ok()?;
    let source = Defined { card: Catalogue::builtin().find(&id)?, scope: id.scope()? };
    let mut json = json!({
        "inferenceProfileName": profile.name,
        "createdAt": profile.created_at,
        "updatedAt": profile.created_at,
        "inferenceProfileArn": profile.arn,
        "models": source.models(region),
        "inferenceProfileId": profile.id,
        "status": "ACTIVE",
        "type": "APPLICATION",
    });
    if let Some(description) = &profile.description {
        json["description"] = json!(description);
    }
    Some(json)
}
