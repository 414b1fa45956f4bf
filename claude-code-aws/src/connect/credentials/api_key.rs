//! The Messages API's key where it lies in AWS Secrets Manager: read once, when the client is made, and kept in memory only.

use std::borrow::Cow;

use aws_config::SdkConfig;
use claude_code_core::{Error, ErrorKind, Result};

use crate::anthropic::Settings;
use crate::connect::config::{Config, Provider};
use crate::secret::Secret;

/// Whether the key has to be fetched: the Messages API answers, and a secret is named instead of a key.
pub(in crate::connect) fn is_stored(config: &Config) -> bool {
    let settings = &config.anthropic;
    config.provider == Provider::Anthropic && settings.api_key.is_none() && settings.secret_arn.is_some()
}

/// The settings of the Messages API, with its key.
pub(in crate::connect) async fn settings<'c>(
    sdk: &SdkConfig,
    config: &'c Config,
) -> Result<Cow<'c, Settings>> {
    let settings = &config.anthropic;
    match settings.secret_arn.as_deref().filter(|_| is_stored(config)) {
        Some(arn) => {
            let key = read(sdk, arn).await?;
            Ok(Cow::Owned(Settings { api_key: Some(key), ..settings.clone() }))
        }
        None => Ok(Cow::Borrowed(settings)),
    }
}

#[cfg(feature = "server")]
async fn read(sdk: &SdkConfig, arn: &str) -> Result<Secret> {
    use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
    use std::time::Duration;

    /// How long Secrets Manager may take, each of three times.
    const ATTEMPT: Duration = Duration::from_secs(5);

    let limits = crate::connect::transport::limits(sdk, ATTEMPT, ATTEMPT * 3);
    let client = aws_sdk_secretsmanager::config::Builder::from(sdk).timeout_config(limits).build();
    let client = aws_sdk_secretsmanager::Client::from_conf(client);
    let got = client.get_secret_value().secret_id(arn).send().await.map_err(|failed| {
        if let Some(unreachable) = crate::connect::unreachable(&failed) {
            let error = refused(arn, &format!("could not be read: {unreachable}"));
            return Error::new(ErrorKind::Connection, error.message());
        }
        let why = match failed.code() {
            Some("ResourceNotFoundException") => {
                "there is no such secret: correct the ARN or the region".to_owned()
            }
            Some(code @ ("AccessDeniedException" | "DecryptionFailure")) => {
                format!("{code}: allow secretsmanager:GetSecretValue on it, and kms:Decrypt with its key")
            }
            Some(code) => format!("{code}: try again, or set ANTHROPIC_API_KEY"),
            None => super::told(&failed).unwrap_or_else(|| {
                "Secrets Manager did not answer: try again, or set ANTHROPIC_API_KEY".to_owned()
            }),
        };
        refused(arn, &format!("could not be read: {why}"))
    })?;
    let key = got.secret_string().map(str::trim).filter(|key| !key.is_empty());
    key.map(Secret::new).ok_or_else(|| refused(arn, "holds no text: put the key into it as its whole text"))
}

#[cfg(not(feature = "server"))]
async fn read(_sdk: &SdkConfig, arn: &str) -> Result<Secret> {
    Err(refused(arn, "is not read by this build: enable feature \"server\", or set ANTHROPIC_API_KEY"))
}

fn refused(arn: &str, why: &str) -> Error {
    Error::new(ErrorKind::Credentials, format!("CLAUDE_CODE_AWS_ANTHROPIC_SECRET_ARN={arn} {why}"))
}
