//! Model ids in every shape that AWS and Anthropic use, geographic profiles, tiers and families.

use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, Result};

/// The longest id that is sent. It goes into a URL path and an ARN.
const MAX_ID: usize = 256;

/// A model's id, sent as it was given: a base id, an inference profile, an ARN or an Anthropic API id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(Arc<str>);

impl ModelId {
    /// The id as given. Fails unless it is 1 to 256 characters of `A-Z a-z 0-9 . _ : / -` without `..`.
    pub fn new(id: &str) -> Result<Self> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || b"._:/-".contains(&c);
        if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(allowed) || id.contains("..") {
            return Err(Error::invalid(format!(
                "model id {:?} is not 1 to {MAX_ID} characters of A-Z a-z 0-9 . _ : / - without two dots in a row",
                id.chars().take(64).collect::<String>()
            )));
        }
        Ok(ModelId(Arc::from(id)))
    }

    /// The id as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The inference profile's geography, from the prefix, also inside an ARN.
    pub fn scope(&self) -> Option<ProfileScope> {
        let (prefix, _) = self.resource()?.split_once('.')?;
        prefix.parse().ok()
    }

    /// The model's name without date and version: `claude-sonnet-5-5` from any shape of its id. None for an ARN
    /// that does not name a model, such as an application inference profile: only AWS can resolve that.
    pub fn base(&self) -> Option<&str> {
        self.dated().map(undated)
    }

    /// The model's name with its date, if the id has one: `claude-haiku-4-5-20251001`. This is the id that the
    /// Anthropic API uses.
    pub fn dated(&self) -> Option<&str> {
        let bare = self.foundation()?;
        Some(without_version(bare.strip_prefix("anthropic.").unwrap_or(bare)))
    }

    /// The id of the model itself, as Bedrock's control plane knows it: `anthropic.claude-sonnet-5-5`, without profile.
    /// None as for [`base`](Self::base).
    pub fn foundation(&self) -> Option<&str> {
        let resource = self.resource()?;
        match resource.split_once('.') {
            Some((prefix, rest)) if prefix.parse::<ProfileScope>().is_ok() => Some(rest),
            _ => Some(resource),
        }
    }

    /// Whether this is the ARN of an inference profile, AWS's own or an account's.
    pub fn is_profile_arn(&self) -> bool {
        let kind = self.0.splitn(6, ':').nth(5).and_then(|resource| resource.split_once('/'));
        self.is_arn() && kind.is_some_and(|(kind, _)| kind.ends_with("inference-profile"))
    }

    /// Whether this is an ARN.
    pub fn is_arn(&self) -> bool {
        self.0.starts_with("arn:")
    }

    /// Whether this is an id of the Anthropic API, such as `claude-sonnet-5-5`: no provider, profile or ARN.
    pub fn is_anthropic_api(&self) -> bool {
        self.0.starts_with("claude-")
    }

    /// Whether an ARN belongs to the AWS GovCloud partition.
    pub(crate) fn is_gov_partition(&self) -> bool {
        self.0.starts_with("arn:aws-us-gov:")
    }

    /// The part that names a model: the whole id, or the resource of a foundation-model or inference-profile ARN.
    fn resource(&self) -> Option<&str> {
        if !self.is_arn() {
            return Some(&self.0);
        }
        // arn:partition:bedrock:region:account:kind/name
        let (kind, name) = self.0.splitn(6, ':').nth(5)?.split_once('/')?;
        matches!(kind, "foundation-model" | "inference-profile").then_some(name)
    }
}

/// Cuts `-v1`, `-v1:0` or `-v2:0:200k` off the end.
fn without_version(name: &str) -> &str {
    match name.rfind("-v") {
        Some(at) => {
            let digits = name[at + 2..].trim_start_matches(|c: char| c.is_ascii_digit());
            let some = digits.len() < name.len() - at - 2;
            if some && (digits.is_empty() || digits.starts_with(':')) { &name[..at] } else { name }
        }
        None => name,
    }
}

/// Cuts `-20251001` or `-latest` off the end.
fn undated(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((stem, "latest")) => stem,
        Some((stem, date)) if date.len() == 8 && date.bytes().all(|c| c.is_ascii_digit()) => stem,
        _ => name,
    }
}

impl std::fmt::Display for ModelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ModelId {
    type Err = Error;

    fn from_str(id: &str) -> Result<Self> {
        ModelId::new(id)
    }
}

impl serde::Serialize for ModelId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for ModelId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        ModelId::new(&id).map_err(serde::de::Error::custom)
    }
}

/// Where a request may be processed: the prefix of an inference profile. Everything but `Global` stays inside its
/// geography and costs more (10 % at the time of the price table, 20 % for GovCloud).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProfileScope {
    /// Any commercial region; the cheapest.
    #[default]
    Global,
    /// The United States.
    Us,
    /// The European Union.
    Eu,
    /// Japan.
    Jp,
    /// Australia.
    Au,
    /// India.
    In,
    /// Asia-Pacific; older models only.
    Apac,
    /// Canada.
    Ca,
    /// AWS GovCloud (US).
    UsGov,
}

impl ProfileScope {
    /// Every scope, the cheapest first.
    pub const ALL: [ProfileScope; 9] = [
        ProfileScope::Global,
        ProfileScope::Us,
        ProfileScope::Eu,
        ProfileScope::Jp,
        ProfileScope::Au,
        ProfileScope::In,
        ProfileScope::Apac,
        ProfileScope::Ca,
        ProfileScope::UsGov,
    ];

    /// Whether a region lies in this geography, so that its profiles can be called from there.
    pub fn has_region(self, region: &str) -> bool {
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| region.starts_with(prefix));
        match self {
            ProfileScope::UsGov => begins(&["us-gov-"]),
            _ if begins(&["us-gov-", "cn-"]) => false,
            ProfileScope::Global => true,
            ProfileScope::Us => begins(&["us-", "ca-"]),
            ProfileScope::Eu => begins(&["eu-"]),
            ProfileScope::Jp => begins(&["ap-northeast-"]),
            ProfileScope::Au => begins(&["ap-southeast-"]),
            ProfileScope::In => begins(&["ap-south-"]),
            ProfileScope::Apac => begins(&["ap-"]),
            ProfileScope::Ca => begins(&["ca-"]),
        }
    }

    /// The prefix in an id, without its dot: `global`, `us-gov`.
    pub fn as_str(self) -> &'static str {
        match self {
            ProfileScope::Global => "global",
            ProfileScope::Us => "us",
            ProfileScope::Eu => "eu",
            ProfileScope::Jp => "jp",
            ProfileScope::Au => "au",
            ProfileScope::In => "in",
            ProfileScope::Apac => "apac",
            ProfileScope::Ca => "ca",
            ProfileScope::UsGov => "us-gov",
        }
    }
}

/// How much a task asks of a model; each tier has a current model in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// One small function, a query, a conversion, mechanical changes.
    Simple,
    /// Several parts that work together, all of a common kind.
    Medium,
    /// Concurrency, own algorithms, security, large changes: where a plausible answer is often wrong.
    Complex,
}

impl Tier {
    /// Every tier, the cheapest first.
    pub const ALL: [Tier; 3] = [Tier::Simple, Tier::Medium, Tier::Complex];

    /// `simple`, `medium` or `complex`.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Simple => "simple",
            Tier::Medium => "medium",
            Tier::Complex => "complex",
        }
    }

    /// The next stronger tier, where escalation goes.
    pub fn above(self) -> Option<Tier> {
        match self {
            Tier::Simple => Some(Tier::Medium),
            Tier::Medium => Some(Tier::Complex),
            Tier::Complex => None,
        }
    }

    /// The next cheaper tier, where a tight budget goes.
    pub fn below(self) -> Option<Tier> {
        match self {
            Tier::Simple => None,
            Tier::Medium => Some(Tier::Simple),
            Tier::Complex => Some(Tier::Medium),
        }
    }
}

/// A line of models; as a model argument (`-m sonnet`) it means the line's current model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Family {
    /// The fast, cheap line.
    Haiku,
    /// The middle line.
    Sonnet,
    /// The strong line.
    Opus,
    /// The strongest line; the account must set a data-retention mode.
    Fable,
    /// By invitation only.
    Mythos,
}

impl Family {
    /// Every family.
    pub const ALL: [Family; 5] = [Family::Haiku, Family::Sonnet, Family::Opus, Family::Fable, Family::Mythos];

    /// The name in ids: `haiku`.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Haiku => "haiku",
            Family::Sonnet => "sonnet",
            Family::Opus => "opus",
            Family::Fable => "fable",
            Family::Mythos => "mythos",
        }
    }
}

/// Display and FromStr of an enum that lists `ALL` and has `as_str`.
macro_rules! named {
    ($type:ident, $noun:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(name: &str) -> Result<Self> {
                $type::ALL.into_iter().find(|v| v.as_str() == name).ok_or_else(|| {
                    let known = $type::ALL.map(|v| v.as_str()).join(", ");
                    Error::invalid(format!(concat!($noun, " {:?} is none of {}"), name, known))
                })
            }
        }
    };
}

named!(ProfileScope, "profile scope");
named!(Tier, "tier");
named!(Family, "model family");
