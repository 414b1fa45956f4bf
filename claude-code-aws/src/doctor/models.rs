//! Model lifecycle check: whether the configured models are still available, according to the catalogue.

use claude_code_core::model::ModelId;
use claude_code_core::{Catalogue, Clock, Family, Policy, Tier, select};

use super::Finding;
use crate::clock::SystemClock;

/// A model that would be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InUse {
    /// Its tier, or `MODEL_ID`.
    pub role: String,
    /// Its id as it would be sent; `-` where there is none.
    pub model: String,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// Whether it cannot be asked.
    pub fatal: bool,
}

impl InUse {
    /// The id as it is sent; a family's name stands for its current model. None: there is none.
    pub(super) fn id(&self) -> Option<ModelId> {
        ModelId::new(&self.model)
            .ok()
            .filter(|id| self.model != "-" && !self.fatal && id.as_str().parse::<Family>().is_err())
    }
}

/// The models that these settings would ask, with what is wrong with them. Nothing is sent.
pub fn in_use(policy: &Policy) -> Vec<InUse> {
    let mut models = Vec::new();
    if let Some(given) = &policy.model {
        models.push(look(Role::Given, given, policy.catalogue));
    }
    for tier in Tier::ALL {
        match select::candidates(tier, policy.catalogue, policy.reach, false) {
            Ok(found) => models
                .extend(found.first().map(|c| look(Role::Tier(tier), c.model.as_str(), policy.catalogue))),
            Err(error) => models.push(InUse {
                role: tier.to_string(),
                model: "-".to_owned(),
                trouble: Some(error.to_string()),
                fatal: true,
            }),
        }
    }
    models
}

enum Role {
    Given,
    Tier(Tier),
}

fn look(role: Role, name: &str, catalogue: &Catalogue) -> InUse {
    let today = SystemClock.now().date();
    let known = |id: &ModelId| match (catalogue.refusal(id, &today), catalogue.find(id)) {
        (Some(refusal), _) => (Some(refusal.to_string()), true),
        (None, None) => {
            (Some("not in the catalogue: it is sent as it is, its price is unknown".to_owned()), false)
        }
        (None, Some(_)) => (catalogue.warning(id, &today), false),
    };
    // `haiku`, `sonnet`, `opus` always mean a current model.
    let (trouble, fatal) = match (name.parse::<Family>(), ModelId::new(name)) {
        (Ok(_), _) => (None, false),
        (_, Ok(id)) => known(&id),
        (_, Err(error)) => (Some(error.to_string()), true),
    };
    let role = match role {
        Role::Given => "MODEL_ID".to_owned(),
        Role::Tier(tier) => tier.to_string(),
    };
    InUse { role, model: name.to_owned(), trouble, fatal }
}

/// One finding if all live, else one for each that does not.
pub(super) fn findings(policy: &Policy) -> Vec<Finding> {
    let models = in_use(policy);
    let names: Vec<&str> = models.iter().map(|found| name(&found.model, policy.catalogue)).collect();
    let mut findings: Vec<Finding> = models
        .iter()
        .filter_map(|found| {
            let detail = format!("{}: {}", found.role, found.trouble.as_ref()?);
            Some(Finding { ok: !found.fatal, ..Finding::ok("models", detail) })
        })
        .collect();
    if findings.is_empty() {
        let detail = format!("{}: available according to the built-in model list", names.join(", "));
        findings.push(Finding::ok("models", detail));
    }
    findings
}

/// The model's name where the catalogue knows it, else its id.
fn name<'a>(id: &'a str, catalogue: &'a Catalogue) -> &'a str {
    let card = ModelId::new(id).ok().and_then(|id| catalogue.find(&id));
    card.map_or(id, |card| card.name)
}
