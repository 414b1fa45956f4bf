//! From settings to a client: which provider, which stores.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use claude_code_core::{Client, ClientBuilder, Error, Kind, Result};

use crate::bedrock::Bedrock;
use crate::clock::{SystemClock, SystemIds};
use crate::config::{Config, Provider, Store};
use crate::dynamodb::DynamoState;
use crate::results::AwsResults;

/// A client for these settings; AWS credentials and region by the standard chain.
pub async fn connect(config: Config) -> Result<Client> {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
    let loader = match &config.region {
        Some(region) => loader.region(Region::new(region.clone())),
        None => loader,
    };
    let loaded = loader.load().await;
    let sdk = match loaded.region() {
        Some(_) => loaded,
        None => loaded.into_builder().region(Region::from_static("us-east-1")).build(),
    };
    connect_with(&sdk, config).await
}

/// A client for these settings over an AWS configuration of the caller's own.
pub async fn connect_with(sdk: &SdkConfig, config: Config) -> Result<Client> {
    let builder = match config.provider {
        Provider::Bedrock => builder(Arc::new(Bedrock::new(sdk)), &config),
        Provider::Anthropic => return Err(not_here("anthropic")),
        Provider::Samples => return Err(not_here("samples")),
    };
    match config.store.unwrap_or(Store::None) {
        Store::None => Ok(builder.build()),
        Store::Aws => stored(builder, sdk, &config).await,
        Store::Disk => Err(Error::invalid(
            "the store \"disk\" is the local twin's: open the client with claude_code_aws::local (feature local)",
        )),
    }
}

/// A builder with the settings' policy on the system's clock.
pub(crate) fn builder(provider: Arc<dyn claude_code_core::ModelProvider>, config: &Config) -> ClientBuilder {
    ClientBuilder::new(provider, Arc::new(SystemClock), Arc::new(SystemIds)).with_policy(config.policy.clone())
}

/// The client with results in S3 and DynamoDB and with shared state.
pub(crate) async fn stored(builder: ClientBuilder, sdk: &SdkConfig, config: &Config) -> Result<Client> {
    let bucket = bucket(sdk, config).await?;
    let dynamodb = aws_sdk_dynamodb::Client::new(sdk);
    let s3 = crate::s3::client(sdk);
    let state = DynamoState::new(dynamodb.clone(), &config.state_table).with_bucket(s3.clone(), &bucket);
    let results = AwsResults::new(dynamodb, s3, &config.table_name, &bucket);
    Ok(builder.with_state(Arc::new(state)).with_store(Arc::new(results)).build())
}

/// The results bucket: as set, else named after the account.
pub(crate) async fn bucket(sdk: &SdkConfig, config: &Config) -> Result<String> {
    if let Some(name) = &config.bucket_name {
        return Ok(name.clone());
    }
    let identity = aws_sdk_sts::Client::new(sdk).get_caller_identity().send().await.map_err(|_| {
        Error::new(
            Kind::Credentials,
            "the account's id for the bucket's name could not be read: set CLAUDE_CODE_AWS_BUCKET_NAME, or give \
             credentials that may call sts:GetCallerIdentity",
        )
    })?;
    Ok(format!("claude-code-workshop-{}", identity.account().unwrap_or("000000000000")))
}

fn not_here(provider: &str) -> Error {
    Error::invalid(format!("provider {provider:?} is not available in this build: enable feature \"local\", or use bedrock"))
}
