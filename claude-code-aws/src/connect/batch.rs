//! Where batch jobs run, from the settings.

use std::sync::Arc;

use claude_code_core::Result;

use super::config::{Config, Provider};
use crate::batch::lane::BatchLane;
use crate::batch::{BatchPlace, BedrockLane};

/// The role of the twin's jobs: it checks only that there is one.
#[cfg(feature = "local")]
const TWIN_ROLE: &str = "arn:aws:iam::000000000000:role/claude-code-batch";

/// What batch jobs need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The role that Bedrock takes on for a job; the deployment templates print it as `BatchRoleArn`.
    pub role_arn: Option<String>,
    /// The bucket of their files; none: the results bucket.
    pub bucket: Option<String>,
}

impl Settings {
    /// A role and a bucket, as far as they are given.
    pub(super) fn of(role_arn: Option<String>, bucket: Option<String>) -> Self {
        Settings { role_arn, bucket }
    }
}

/// Why these settings have no engine of batch jobs; none: they have one.
pub fn no_jobs(config: &Config) -> Option<String> {
    match config.provider {
        Provider::Anthropic => Some("batch jobs are Bedrock's, and the provider is anthropic".to_owned()),
        Provider::Bedrock if config.batch.role_arn.is_none() => Some(
            "CLAUDE_CODE_AWS_BATCH_ROLE_ARN is not set: a job needs a role that Bedrock takes on".to_owned(),
        ),
        #[cfg(not(feature = "local"))]
        Provider::Samples => Some("the samples have no batch jobs in this build".to_owned()),
        _ => None,
    }
}

/// The place of batch jobs, where the settings name a role. Fails where the bucket's name cannot be found out.
pub(crate) async fn place(config: &Config, sdk: &aws_config::SdkConfig) -> Result<Option<BatchPlace>> {
    let Some(role_arn) = config.batch.role_arn.clone() else { return Ok(None) };
    let bucket = match &config.batch.bucket {
        Some(bucket) => bucket.clone(),
        None => super::connect::bucket(sdk, config).await?,
    };
    Ok(Some(BatchPlace { bucket, role_arn }))
}

/// The engine of batch jobs for these settings, or why there is none.
pub async fn batch_lane(config: &Config) -> Result<std::result::Result<Arc<dyn BatchLane>, String>> {
    if let Some(why) = no_jobs(config) {
        return Ok(Err(why));
    }
    #[cfg(feature = "local")]
    if config.provider == Provider::Samples {
        let twin = match &config.answers {
            Some(twin) => twin.clone(),
            None => crate::local::Twin::shared(&config.local_dir()?),
        };
        let bucket = super::local::prepare(&twin, config).await?;
        let place = BatchPlace { bucket, role_arn: TWIN_ROLE.to_owned() };
        return Ok(Ok(Arc::new(BedrockLane::new(&twin.sdk_config(), place))));
    }
    let sdk = super::connect::load(config).await?;
    Ok(match place(config, &sdk).await? {
        Some(place) => Ok(Arc::new(BedrockLane::new(&sdk, place))),
        None => Err("no role for batch jobs is set".to_owned()),
    })
}
