//! What Bedrock itself says of the models in use: whether this region and this account have them, and until when. Nothing
//! is sent to a model.

use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use claude_code_core::model::catalogue::{Catalogue, ModelCard, Status};
use claude_code_core::provider::ProviderError;
use claude_code_core::select::Reach;
use claude_code_core::{ErrorKind, ModelId, Policy};
use futures_util::future::{join_all, join3};

use super::Finding;
use super::models::in_use;
use crate::bedrock::control::{Control, Lifecycle};

/// One finding or more for each model that these settings would ask.
pub(super) async fn findings(sdk: &SdkConfig, policy: &Policy) -> Vec<Finding> {
    let control = Control::new(&Arc::new(sdk.clone()));
    let mut ids: Vec<ModelId> = in_use(policy).iter().filter_map(|found| found.id()).collect();
    ids.dedup();
    let of_each = join_all(ids.iter().map(|id| of_model(&control, id, policy.catalogue))).await;
    let mut findings: Vec<Finding> = Vec::new();
    // A permission that is missing is missing for all of them.
    for finding in of_each.into_iter().flatten() {
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

/// The same of each other region that is asked after safe faults.
pub(super) async fn elsewhere(sdk: &SdkConfig, policy: &Policy) -> Vec<Finding> {
    let there = policy.places.iter().map(|place| async move {
        if let Reach::Profile(scope) = policy.reach
            && !scope.has_region(place)
        {
            let told = format!("{place} is outside of {scope}: it is never asked");
            return vec![Finding::note("access", told, "see CLAUDE_CODE_AWS_FAILOVER_REGIONS")];
        }
        let sdk = sdk.to_builder().region(Region::new(place.to_string())).build();
        let found = findings(&sdk, policy).await;
        found.into_iter().map(|f| Finding { detail: format!("{place}: {}", f.detail), ..f }).collect()
    });
    join_all(there).await.into_iter().flatten().collect()
}

/// What the service says of one model.
pub(super) async fn of_model(control: &Control, id: &ModelId, catalogue: &Catalogue) -> Vec<Finding> {
    let resolved = match id.foundation() {
        Some(_) => None,
        None => match control.model_behind(id).await {
            Ok(model) => Some(model),
            Err(fault) => {
                return vec![Finding::note("access", format!("{id} is sent as it is"), fault.message)];
            }
        },
    };
    let known = resolved.as_ref().unwrap_or(id);
    let Some(model) = known.foundation() else { return Vec::new() };
    let card = catalogue.find(known);
    let name = match (&resolved, card) {
        (Some(_), Some(card)) => format!("{} (behind {id})", card.name),
        (None, Some(card)) => card.name.to_owned(),
        (_, None) => model.to_owned(),
    };
    let is_profile = resolved.is_none() && (id.scope().is_some() || id.is_profile_arn());
    let has_profile = async {
        match is_profile {
            true => control.has_profile(id).await,
            false => Ok(true),
        }
    };
    let (found, open, lives) = join3(has_profile, control.obstacle(model), control.lifecycle(model)).await;
    let checks = [profile(found, id), obstacle(open, &name), dates(lives, &name, (card, catalogue))];
    let mut findings: Vec<Finding> = checks.into_iter().flatten().collect();
    if findings.is_empty() {
        let source = resolved.map_or_else(String::new, |model| format!(", which stands for {model}"));
        findings.push(Finding::ok("access", format!("{name}: this account may call {id}{source}")));
    }
    findings
}

fn profile(found: Result<bool, ProviderError>, id: &ModelId) -> Option<Finding> {
    match found {
        Ok(true) => None,
        Ok(false) => Some(Finding::fix(
            "profile",
            format!("inference profile {id} is not in this region"),
            "choose another region, CLAUDE_CODE_AWS_PROFILE_SCOPE or MODEL_ID",
        )),
        Err(fault) => Some(unasked("profile", fault)),
    }
}

fn obstacle(found: Result<Option<&'static str>, ProviderError>, name: &str) -> Option<Finding> {
    match found {
        Ok(obstacle) => obstacle.map(|text| {
            let (what, fix) = text.split_once(": ").unwrap_or((text, "see Bedrock's model catalogue"));
            Finding::fix("access", format!("{name}: {what}"), fix)
        }),
        Err(fault) => Some(unasked("access", fault)),
    }
}

/// Where the service's dates are not the catalogue's, the service is right.
fn dates(
    found: Result<Option<Lifecycle>, ProviderError>,
    name: &str,
    (card, catalogue): (Option<&ModelCard>, &Catalogue),
) -> Option<Finding> {
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) => {
            let text = format!("{name}: Bedrock does not know it in this region");
            return Some(Finding::fix("lifecycle", text, "choose another region or model"));
        }
        Err(fault) => return Some(unasked("lifecycle", fault)),
    };
    let ends = found.ends.as_deref().map_or_else(String::new, |day| format!(" and ends on {day}"));
    let Some(card) = card else {
        let state = if found.is_legacy { "legacy" } else { "active" };
        return Some(Finding::ok(
            "lifecycle",
            format!("{name} is {state}{ends}; the catalogue does not know it"),
        ));
    };
    let known = card.lifecycle.status == Status::Legacy;
    let as_of = catalogue.as_of();
    let told = match (found.is_legacy, known) {
        (true, false) => format!("{name} is legacy{ends}; the catalogue of {as_of} has it as active"),
        _ if found.ends.as_deref() != card.lifecycle.eol && found.ends.is_some() => {
            let noted = card.lifecycle.eol.unwrap_or("no day");
            format!(
                "{name} ends on {}; the catalogue of {as_of} has {noted}",
                found.ends.as_deref().unwrap_or_default()
            )
        }
        _ => return None,
    };
    let next = catalogue.successor_of(card).map_or_else(
        || "an update of this package brings its successor".to_owned(),
        |next| format!("its successor is {}", next.name),
    );
    Some(Finding::note("lifecycle", told, next))
}

/// A question without an answer: nothing is wrong yet, for the models may be callable all the same.
fn unasked(name: &str, fault: ProviderError) -> Finding {
    let what = if fault.kind == ErrorKind::AccessDenied {
        "was not allowed to be checked"
    } else {
        "could not be checked"
    };
    Finding::note(name, what, fault.message)
}
