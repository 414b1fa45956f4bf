//! Bedrock's control plane: what a model is, which model a profile stands for, whether the account may call it. Short
//! requests that cost nothing; one attempt each.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_bedrock::Client;
use aws_sdk_bedrock::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrock::operation::get_foundation_model_availability::GetFoundationModelAvailabilityOutput;
use aws_sdk_bedrock::types::{FoundationModelLifecycle, InferenceProfileStatus};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use claude_code_core::provider::{Billing, ProviderError};
use claude_code_core::{ErrorKind, ModelId, ProfileScope};

/// The longest that one of these requests may take.
const LIMIT: Duration = Duration::from_secs(8);

/// A client of the control plane, made when it is first asked: most processes never do.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    config: Arc<SdkConfig>,
    client: Arc<OnceLock<Client>>,
}

impl Control {
    /// The control plane as this configuration reaches it.
    pub(crate) fn new(config: &Arc<SdkConfig>) -> Self {
        Control { config: config.clone(), client: Arc::default() }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let config = aws_sdk_bedrock::config::Builder::from(&*self.config)
                .retry_config(RetryConfig::disabled())
                .timeout_config(TimeoutConfig::builder().operation_timeout(LIMIT).build())
                .build();
            Client::from_conf(config)
        })
    }

    /// The model that a profile stands for, in the profile's geography: `us.anthropic.claude-sonnet-5-5`.
    pub(crate) async fn model_behind(&self, profile: &ModelId) -> Result<ModelId, ProviderError> {
        let found =
            self.client().get_inference_profile().inference_profile_identifier(profile.as_str()).send().await;
        let found = found.map_err(|failed| unresolved(failed.code()))?;
        let arns: Vec<&str> = found.models().iter().filter_map(|model| model.model_arn()).collect();
        named_by(&arns)
            .ok_or_else(|| fault(ErrorKind::NotFound, "its profile names no single model".to_owned()))
    }

    /// Whether a profile can be called in this region; none: it cannot.
    pub(crate) async fn has_profile(&self, profile: &ModelId) -> Result<bool, ProviderError> {
        let found =
            self.client().get_inference_profile().inference_profile_identifier(profile.as_str()).send().await;
        match found {
            Ok(found) => Ok(*found.status() == InferenceProfileStatus::Active),
            Err(failed) if is_missing(failed.code()) => Ok(false),
            Err(failed) => Err(unasked("GetInferenceProfile", &failed)),
        }
    }

    /// Where the service says that a model stands between release and end of life. None: the region does not have it.
    pub(crate) async fn lifecycle(&self, model: &str) -> Result<Option<Lifecycle>, ProviderError> {
        match self.client().get_foundation_model().model_identifier(model).send().await {
            Ok(found) => {
                let lifecycle = found.model_details().and_then(|details| details.model_lifecycle());
                Ok(Some(lifecycle.map(Lifecycle::of).unwrap_or_default()))
            }
            Err(failed) if is_missing(failed.code()) => Ok(None),
            Err(failed) => Err(unasked("GetFoundationModel", &failed)),
        }
    }

    /// What keeps this account from calling a model, if anything does.
    pub(crate) async fn obstacle(&self, model: &str) -> Result<Option<&'static str>, ProviderError> {
        match self.client().get_foundation_model_availability().model_id(model).send().await {
            Ok(found) => Ok(obstacle(&found)),
            Err(failed) => Err(unasked("GetFoundationModelAvailability", &failed)),
        }
    }
}

/// Where a model stands, as the service says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lifecycle {
    /// Whether it is legacy.
    pub(crate) is_legacy: bool,
    /// The day of its end of life, `YYYY-MM-DD`, where it is fixed.
    pub(crate) ends: Option<String>,
}

impl Lifecycle {
    fn of(found: &FoundationModelLifecycle) -> Self {
        Lifecycle { is_legacy: found.status().as_str() == "LEGACY", ends: found.end_of_life_time().map(day) }
    }
}

fn day(moment: &aws_smithy_types::DateTime) -> String {
    claude_code_core::UtcMillis(moment.secs().saturating_mul(1_000)).date()
}

fn obstacle(found: &GetFoundationModelAvailabilityOutput) -> Option<&'static str> {
    let agreement = found.agreement_availability().map(|agreement| agreement.status().as_str());
    if found.region_availability().as_str() == "NOT_AVAILABLE" {
        return Some("this region does not have it: choose another region");
    }
    if agreement.is_some_and(|status| status != "AVAILABLE") {
        return Some("its agreement is not accepted: open it in Bedrock's model catalogue and accept");
    }
    if found.authorization_status().as_str() == "NOT_AUTHORIZED" {
        return Some("this account is not authorised for it: ask for access in Bedrock's model catalogue");
    }
    (found.entitlement_availability().as_str() == "NOT_AVAILABLE")
        .then_some("this account is not entitled to it: ask for access in Bedrock's model catalogue")
}

/// The one model of these foundation models' ARNs, with the geography that their regions make.
fn named_by(arns: &[&str]) -> Option<ModelId> {
    let parts: Vec<(&str, &str)> = arns.iter().filter_map(|arn| region_and_model(arn)).collect();
    let (_, model) = parts.first()?;
    if parts.len() < arns.len() || parts.iter().any(|(_, other)| other != model) {
        return None;
    }
    let regions: Vec<&str> = parts.iter().map(|(region, _)| *region).collect();
    let id = match geography(&regions) {
        Some(scope) => format!("{scope}.{model}"),
        None => (*model).to_owned(),
    };
    ModelId::new(&id).ok()
}

/// `arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-…`
fn region_and_model(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':').skip(3);
    let region = parts.next()?;
    Some((region, parts.nth(1)?.strip_prefix("foundation-model/")?))
}

/// The geography of a profile over these regions; an ARN without a region is the global profile's. None: a single region,
/// or regions of no known geography, both billed as regional.
fn geography(regions: &[&str]) -> Option<ProfileScope> {
    if regions.iter().any(|region| region.is_empty()) {
        return Some(ProfileScope::Global);
    }
    if regions.iter().all(|region| region.starts_with("us-gov-")) {
        return Some(ProfileScope::UsGov);
    }
    let several = regions.iter().any(|region| *region != regions[0]);
    let scopes = [ProfileScope::Us, ProfileScope::Eu, ProfileScope::Jp, ProfileScope::Au, ProfileScope::In];
    let holds = |scope: &ProfileScope| regions.iter().all(|region| scope.has_region(region));
    scopes.into_iter().filter(|_| several).find(holds)
}

fn is_missing(code: Option<&str>) -> bool {
    matches!(code, Some("ResourceNotFoundException" | "ValidationException"))
}

fn unresolved(code: Option<&str>) -> ProviderError {
    match code {
        Some("AccessDeniedException") => fault(
            ErrorKind::AccessDenied,
            "allow bedrock:GetInferenceProfile on it, so that its model and price are known".to_owned(),
        ),
        code if is_missing(code) => fault(
            ErrorKind::NotFound,
            "Bedrock does not know this profile in this region: check ARN, account and region".to_owned(),
        ),
        Some(code) => fault(ErrorKind::Unavailable, format!("GetInferenceProfile failed ({code})")),
        None => fault(
            ErrorKind::Unavailable,
            "bedrock:GetInferenceProfile could not be asked: check the network".to_owned(),
        ),
    }
}

/// Why a question has no answer, with what to do.
fn unasked<E: ProvideErrorMetadata>(action: &str, failed: &SdkError<E>) -> ProviderError {
    match failed.code() {
        Some("AccessDeniedException") => {
            fault(ErrorKind::AccessDenied, format!("allow bedrock:{action} to have it checked"))
        }
        Some(code) => fault(ErrorKind::Unavailable, format!("bedrock:{action} failed ({code})")),
        None => fault(
            ErrorKind::Unavailable,
            format!("bedrock:{action} could not be asked: check network and credentials"),
        ),
    }
}

fn fault(kind: ErrorKind, text: String) -> ProviderError {
    ProviderError::new(kind, Billing::No, text)
}
