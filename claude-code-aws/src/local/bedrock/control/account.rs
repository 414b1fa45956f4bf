//! Account settings: application inference profiles and the data-retention mode.

use claude_code_core::answer::file::sha256_hex;
use serde_json::{Value, json};

use super::Refusal;
use crate::local::server::clock;
use crate::local::server::keys::Keys;

/// The mode of an account that never set one.
const DEFAULT_RETENTION: &str = "default";

const MODES: [&str; 5] = [DEFAULT_RETENTION, "none", "aws_review", "provider_data_share", "inherit"];

/// The twin's account.
#[derive(Debug, Default)]
pub(super) struct Account {
    applications: Vec<Application>,
    retention: Option<(String, String)>,
}

/// An application profile.
#[derive(Clone, Debug)]
pub(super) struct Application {
    /// Twelve letters and digits.
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    /// The id of the system-defined profile that it was copied from.
    pub(super) source: String,
    pub(super) created_at: String,
    pub(super) tags: Value,
    /// The caller's token: the same one makes no second profile.
    pub(super) token: Option<String>,
}

impl Account {
    /// The profile of an id or an ARN.
    pub(super) fn application(&self, identifier: &str) -> Option<&Application> {
        self.applications.iter().find(|profile| profile.is(identifier))
    }

    /// Every profile, the oldest first.
    pub(super) fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// Keeps a new profile. Fails where its name is taken.
    pub(super) fn add(&mut self, profile: Application) -> Result<(), Refusal> {
        if self.applications.iter().any(|other| other.name == profile.name) {
            return Err(Refusal::conflict("An inference profile with this name already exists."));
        }
        self.applications.push(profile);
        Ok(())
    }

    /// Removes a profile; whether it was there.
    pub(super) fn remove(&mut self, identifier: &str) -> bool {
        let before = self.applications.len();
        self.applications.retain(|profile| !profile.is(identifier));
        self.applications.len() < before
    }

    /// The data-retention mode.
    pub(super) fn retention(&self) -> &str {
        self.retention.as_ref().map_or(DEFAULT_RETENTION, |(mode, _)| mode.as_str())
    }

    /// The data-retention mode, as the service shows it.
    pub(super) fn retention_json(&self) -> Value {
        let mut json = json!({ "mode": self.retention() });
        if let Some((_, updated_at)) = &self.retention {
            json["updatedAt"] = json!(updated_at);
        }
        json
    }

    /// Sets the data-retention mode.
    pub(super) fn set_retention(&mut self, mode: &str) -> Result<(), Refusal> {
        if !MODES.contains(&mode) {
            return Err(Refusal::invalid(format!("mode is none of {}", MODES.join(", "))));
        }
        self.retention = Some((mode.to_owned(), clock::iso()));
        Ok(())
    }
}

impl Application {
    fn is(&self, identifier: &str) -> bool {
        self.id == identifier || self.arn == identifier
    }

    /// An id in the service's form, the same for the same name: what a script's author writes down stays true.
    pub(super) fn id_of(name: &str) -> String {
        sha256_hex(name.as_bytes())[..12].to_owned()
    }

    /// The ARN of an id.
    pub(super) fn arn_of(partition: &str, region: &str, id: &str) -> String {
        format!("arn:{partition}:bedrock:{region}:{}:application-inference-profile/{id}", Keys::ACCOUNT)
    }
}
