//! Regions against the geography that requests must stay in.

use aws_config::SdkConfig;
use claude_code_core::select::Reach;
use claude_code_core::{Error, ProfileScope, Result};

use crate::connect::config::Config;

/// Refuses a region outside of the geography that requests must stay in.
pub(super) fn check(sdk: &SdkConfig, config: &Config) -> Result<()> {
    let (Reach::Profile(scope), Some(region)) = (config.policy.reach, sdk.region()) else { return Ok(()) };
    if scope.has_region(region.as_ref()) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "CLAUDE_CODE_AWS_PROFILE_SCOPE={scope} and region {region}: the region is outside of it: set AWS_REGION to one of \
         its regions ({}), or another scope",
        regions_of(scope)
    )))
}

/// No region is set, and the default one is outside of the geography.
pub(super) fn no_region(scope: ProfileScope) -> Error {
    Error::invalid(format!(
        "CLAUDE_CODE_AWS_PROFILE_SCOPE={scope} and no region: set AWS_REGION to one of its regions ({}), or the region of \
         the AWS profile",
        regions_of(scope)
    ))
}

/// Regions of a geography, for a person to choose from.
fn regions_of(scope: ProfileScope) -> &'static str {
    match scope {
        ProfileScope::Eu => "eu-central-1, eu-west-1, eu-north-1",
        ProfileScope::Jp => "ap-northeast-1, ap-northeast-3",
        ProfileScope::Au => "ap-southeast-2, ap-southeast-4",
        ProfileScope::In => "ap-south-1, ap-south-2",
        ProfileScope::Ca => "ca-central-1, ca-west-1",
        ProfileScope::UsGov => "us-gov-west-1, us-gov-east-1",
        ProfileScope::Apac => "ap-southeast-1, ap-northeast-1",
        _ => "us-east-1, us-west-2",
    }
}
