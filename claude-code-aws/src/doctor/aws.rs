//! Checks of credentials, clock and region, by the one call that every identity may make.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use claude_code_core::ProfileScope;
use claude_code_core::select::Reach;

use super::Finding;
use crate::connect::config::Config;

/// Looking for credentials asks an address that does not answer outside of AWS.
const PATIENCE: Duration = Duration::from_secs(8);

/// No credentials: the ways to some.
const WAYS: &str = "aws sso login, or AWS_BEARER_TOKEN_BEDROCK, or provider=anthropic, or offline: Client.local(), \
                    --offline";

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let sdk = match crate::connect::load(config).await {
        Ok(sdk) => sdk,
        Err(error) => return vec![Finding::failed("endpoints", error)],
    };
    let mut findings = vec![region(&sdk, config)];
    findings.extend(super::route::findings(&crate::bedrock::runtime_url(&sdk), &config.network).await);
    let is_open = findings.iter().all(|finding| finding.ok);
    let identity = identity(&sdk).await;
    let may_ask = is_open && identity.iter().all(|finding| finding.ok);
    findings.extend(identity);
    // Without credentials the control plane says nothing that the line above does not.
    if may_ask {
        findings.extend(super::access::findings(&sdk, &config.policy).await);
        findings.extend(super::access::elsewhere(&sdk, &config.policy).await);
    }
    findings
}

fn region(sdk: &SdkConfig, config: &Config) -> Finding {
    let region = sdk.region().map_or("us-east-1", |region| region.as_ref());
    match config.policy.reach {
        Reach::Profile(ProfileScope::Global) => Finding::note(
            "region",
            format!("{region}; requests may be processed in any region"),
            "CLAUDE_CODE_AWS_PROFILE_SCOPE=us, eu, jp, au or in keeps them in one geography",
        ),
        Reach::Profile(scope) if !scope.has_region(region) => Finding::fix(
            "region",
            format!("{region} is outside of {scope}: nothing is sent"),
            "set AWS_REGION to a region of the scope, or CLAUDE_CODE_AWS_PROFILE_SCOPE to another one",
        ),
        Reach::Profile(scope) => Finding::ok("region", format!("{region}; requests stay in {scope}")),
        Reach::AnthropicApi | Reach::BedrockMessages => Finding::ok("region", region),
    }
}

async fn identity(sdk: &SdkConfig) -> Vec<Finding> {
    let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
    let config = aws_sdk_sts::config::Builder::from(sdk)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .build();
    match aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await {
        Ok(identity) => {
            let account = identity.account().unwrap_or("unknown");
            vec![
                Finding::ok("credentials", format!("account {account}")),
                Finding::ok("clock", "AWS accepted the signature: less than 5 minutes off"),
            ]
        }
        Err(_) if std::env::var_os("AWS_BEARER_TOKEN_BEDROCK").is_some_and(|token| !token.is_empty()) => {
            vec![Finding::ok("credentials", "AWS_BEARER_TOKEN_BEDROCK is set; it opens Bedrock alone")]
        }
        Err(failed) => vec![refused(&failed)],
    }
}

fn refused<E: ProvideErrorMetadata + std::error::Error + 'static>(failed: &SdkError<E>) -> Finding {
    let message = failed.message().unwrap_or_default();
    if let Some(offset) = failed.raw_response().and_then(crate::model_service::faults::skew) {
        return Finding::fix(
            "clock",
            format!(
                "this machine's clock is {} s {} AWS's",
                offset.abs(),
                if offset > 0 { "behind" } else { "ahead of" }
            ),
            "set it (timedatectl set-ntp true)",
        );
    }
    match failed.code() {
        Some("SignatureDoesNotMatch" | "RequestTimeTooSkewed" | "RequestExpired")
            if message.contains("expired") || message.contains("not yet") || message.contains("time") =>
        {
            Finding::fix(
                "clock",
                "this machine's clock is more than 5 minutes off",
                "set it (timedatectl set-ntp true)",
            )
        }
        Some("ExpiredToken" | "ExpiredTokenException") => {
            Finding::fix("credentials", "the credentials have expired", "aws sso login, or renew them")
        }
        Some(code) => Finding::fix(
            "credentials",
            format!("AWS refused the credentials ({code})"),
            "check key and secret",
        ),
        None => unasked(failed),
    }
}

/// Why STS gave no answer: it was not reached, or there was nothing to sign with.
fn unasked<E: std::error::Error + 'static>(failed: &SdkError<E>) -> Finding {
    if let Some(unreachable) = crate::connect::unreachable(failed) {
        return Finding::fix(
            "network",
            unreachable.to_string(),
            "check network, proxy and AWS_ENDPOINT_URL_STS",
        );
    }
    match crate::connect::credentials::told(failed) {
        Some(why) if why.starts_with("no AWS credentials found") => {
            Finding::fix("credentials", "no AWS credentials found (environment, ~/.aws, SSO, role)", WAYS)
        }
        Some(why) => {
            let (what, fix) = why.rsplit_once(": ").unwrap_or((&why, WAYS));
            Finding::fix("credentials", what, fix)
        }
        None => {
            Finding::fix("network", "AWS cannot be reached", "check network, proxy and AWS_ENDPOINT_URL_STS")
        }
    }
}
