//! Client construction from configuration: the provider and the stores.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_sts::config::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use claude_code_core::answer::file::sha256_hex;
use claude_code_core::select::Reach;
use claude_code_core::{Client, ClientBuilder, Error, ErrorKind, ModelFacts, ModelProvider, Policy, Result};
use futures_util::FutureExt;

use crate::anthropic::Anthropic;
use crate::bedrock::Bedrock;
use crate::clock::{SystemClock, SystemIds};
use crate::connect::config::{Config, Provider, Store};
use crate::connect::credentials::profile::Profile;
use crate::connect::credentials::{self, Rereading, Rotating, api_key, pasted};
use crate::connect::scope;
#[cfg(feature = "local")]
use crate::local::Twin;
use crate::metrics::Observers;
use crate::storage::dynamodb::DynamoState;
use crate::storage::results::AwsResults;

/// Where requests go that nobody gave a region, unless that leaves their geography.
const DEFAULT_REGION: &str = "us-east-1";
/// How long STS may take to name the account, each of three times.
const STS_ATTEMPT: Duration = Duration::from_secs(5);

/// A client for these settings.
///
/// ```no_run
/// # async fn example() -> claude_code_aws::Result<()> {
/// let client = claude_code_aws::connect(claude_code_aws::Config::from_env()?).await?;
/// let generation = client.generate("a queue with a timeout").await?;
/// println!("{}", generation.code()?);
/// # Ok(())
/// # }
/// ```
///
/// AWS credentials and region by the standard chain, where AWS is asked at all; or those of
/// [`Config::with_sdk_config`].
///
/// Fails with [`ErrorKind::InvalidRequest`] for settings that cannot be, [`ErrorKind::Credentials`] where AWS has to be
/// asked and nobody may, [`ErrorKind::Storage`] where a local directory cannot be used.
pub async fn connect(config: Config) -> Result<Client> {
    Ok(Connected::open(&config).await?.client)
}

/// A client with the places that its results are in, for hosts that show more than answers: the HTTP API, the command
/// line, the Python package.
#[derive(Debug)]
pub struct Connected {
    /// The client.
    pub client: Client,
    #[cfg_attr(
        not(any(feature = "cli", feature = "server")),
        allow(dead_code, reason = "read by those hosts")
    )]
    pub(crate) places: Option<Places>,
    #[cfg_attr(
        not(any(feature = "cli", feature = "server")),
        allow(dead_code, reason = "read by those hosts")
    )]
    pub(crate) observers: Observers,
}

/// Where results are: what else reads them needs the same configuration.
#[derive(Debug)]
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "only the HTTP API makes links"))]
pub(crate) struct Places {
    pub(crate) sdk: SdkConfig,
    pub(crate) bucket: String,
    #[cfg(feature = "local")]
    pub(crate) twin: Option<Twin>,
}

#[cfg(feature = "server")]
impl Places {
    /// Whether other machines reach them too.
    pub(crate) fn is_shared(&self) -> bool {
        #[cfg(feature = "local")]
        return self.twin.is_none();
        #[cfg(not(feature = "local"))]
        true
    }
}

impl Connected {
    /// As [`connect`], with the places.
    pub async fn open(config: &Config) -> Result<Self> {
        // Boxed: what it holds on the way is large, and callers hold it too.
        Box::pin(async move {
            if let Some(sdk) = &config.sdk {
                return open_with(sdk, config).await;
            }
            let aws = config.store.unwrap_or(config.default_store) == Store::Aws;
            if config.provider == Provider::Bedrock || aws || api_key::is_stored(config) {
                return open_with(&load(config).await?, config).await;
            }
            open_with(&for_metrics(config).await, config).await
        })
        .await
    }
}

/// An AWS configuration where nothing but metrics may need one: without it they are not sent.
async fn for_metrics(config: &Config) -> SdkConfig {
    #[cfg(feature = "otlp")]
    if config.otlp.as_ref().is_some_and(crate::metrics::otlp::Settings::signs) {
        match load(config).await {
            Ok(sdk) => return sdk,
            Err(error) => tracing::warn!("spans and metrics cannot be signed: {error}"),
        }
    }
    let _ = config;
    SdkConfig::builder().build()
}

async fn open_with(sdk: &SdkConfig, config: &Config) -> Result<Connected> {
    #[cfg(feature = "local")]
    let twin = needs_twin(config).then(|| config.local_dir().map(|dir| Twin::shared(&dir))).transpose()?;
    crate::connect::endpoints::check(sdk)?;
    if config.provider == Provider::Bedrock {
        scope::check(sdk, config)?;
    }
    let mut policy = policy(sdk, config);
    let builder = match config.provider {
        Provider::Bedrock => asking(Bedrock::new(sdk).with_regions(&policy.places)),
        Provider::Anthropic => {
            let strict = !config.allow_endpoint_override;
            let settings = api_key::settings(sdk, config).await?;
            let network = config.network.clone().or_profile_bundle(Profile::load().await.ca_bundle());
            let connector = crate::connect::transport::connector(&network);
            let provider = Anthropic::new(&settings, connector, strict)?;
            policy.reach = config.anthropic.reach();
            policy.places = provider.places();
            asking(provider)
        }
        #[cfg(feature = "local")]
        Provider::Samples => {
            policy.places.clear();
            asking(crate::local::samples(twin.as_ref(), config.answers.as_ref()))
        }
        #[cfg(not(feature = "local"))]
        Provider::Samples => return Err(missing("provider \"samples\"")),
    }
    .with_policy(policy);
    let observers = Observers::of(config, sdk.credentials_provider());
    let builder = counted(observers.watch(builder), config);
    match config.store.unwrap_or(config.default_store) {
        Store::None => Ok(Connected { client: builder.build(), places: None, observers }),
        Store::Aws => {
            let bucket = bucket(sdk, config).await?;
            let client = stored(builder, sdk, config, &bucket).build();
            let places = Places {
                sdk: sdk.clone(),
                bucket,
                #[cfg(feature = "local")]
                twin: None,
            };
            Ok(Connected { client, places: Some(places), observers })
        }
        #[cfg(feature = "local")]
        Store::Disk => on_disk(builder, twin, config, observers).await,
        #[cfg(not(feature = "local"))]
        Store::Disk => Err(missing("store \"disk\"")),
    }
}

/// What the settings decide, with who answers.
fn policy(sdk: &SdkConfig, config: &Config) -> Policy {
    let mut policy = config.policy.clone();
    policy.samples = config.provider == Provider::Samples && !asks_model(config);
    if policy.answers_from.is_empty() {
        policy.answers_from = answers_from(sdk, config);
    }
    policy
}

/// Whether a model stands behind the twin.
#[cfg(feature = "local")]
fn asks_model(config: &Config) -> bool {
    config.answers.as_ref().is_some_and(Twin::asks_model)
}

#[cfg(not(feature = "local"))]
fn asks_model(_: &Config) -> bool {
    false
}

/// Who answers, where it is not the service itself: an address of somebody's own, or what a twin plays. An address may
/// tell more than others should read: it stands as its hash.
fn answers_from(sdk: &SdkConfig, config: &Config) -> String {
    let address = match config.provider {
        Provider::Bedrock => crate::connect::endpoints::endpoint(sdk, "Bedrock Runtime"),
        Provider::Anthropic => config.anthropic.base_url.clone(),
        #[cfg(feature = "local")]
        Provider::Samples => {
            return config.answers.as_ref().map_or_else(String::new, |twin| twin.answers_from().to_owned());
        }
        #[cfg(not(feature = "local"))]
        Provider::Samples => None,
    };
    address.map_or_else(String::new, |address| sha256_hex(address.as_bytes()))
}

/// A builder of clients that ask this provider, for answers and for facts.
fn asking(provider: impl ModelProvider + ModelFacts + 'static) -> ClientBuilder {
    let provider = Arc::new(provider);
    ClientBuilder::new(provider.clone(), Arc::new(SystemClock), Arc::new(SystemIds)).with_facts(provider)
}

/// A client over a twin that is already open: its samples, its stores.
#[cfg(feature = "local")]
pub(crate) async fn connect_to(twin: &Twin, config: Config) -> Result<Client> {
    Ok(connected_to(twin, &config).await?.client)
}

/// As [`connect_to`], with the places.
#[cfg(feature = "local")]
pub(crate) async fn connected_to(twin: &Twin, config: &Config) -> Result<Connected> {
    let answers_from = twin.answers_from().to_owned();
    let policy = Policy { samples: true, answers_from, ..config.policy.clone() };
    let observers = Observers::of(config, None);
    let builder = asking(crate::local::samples(Some(twin), None)).with_policy(policy);
    on_disk(counted(observers.watch(builder), config), Some(twin.clone()), config, observers).await
}

#[cfg(feature = "local")]
async fn on_disk(
    builder: ClientBuilder,
    twin: Option<Twin>,
    config: &Config,
    observers: Observers,
) -> Result<Connected> {
    let client = crate::local::stored(builder, twin.as_ref(), config).await?;
    let places = twin.filter(|_| client.results().is_some()).map(|twin| Places {
        sdk: twin.sdk_config(),
        bucket: config.bucket_name.clone().unwrap_or_else(|| crate::local::BUCKET.to_owned()),
        twin: Some(twin),
    });
    Ok(Connected { client, places, observers })
}

/// The builder with requests counted in the state table, where the settings want it.
fn counted(builder: ClientBuilder, config: &Config) -> ClientBuilder {
    if config.usage_counters { builder.with_usage_counters() } else { builder }
}

#[cfg(feature = "local")]
fn needs_twin(config: &Config) -> bool {
    config.provider == Provider::Samples || config.store.unwrap_or(config.default_store) == Store::Disk
}

/// The AWS configuration of the standard chain. Fails where the environment sends requests over plain http to another
/// machine.
pub(crate) async fn load(config: &Config) -> Result<SdkConfig> {
    pasted::check_secrets(|name| std::env::var(name).ok())?;
    let profile = Profile::load().await;
    profile.check()?;
    let network = config.network.clone().or_profile_bundle(profile.ca_bundle());
    let http = crate::connect::transport::client(&network);
    let loaded = profile.with_services(loader(&http, config.region.clone()).load().await);
    let loaded = rereading(loaded, http, config.region.clone());
    let loaded = match config.allow_endpoint_override {
        true => loaded,
        false => crate::connect::endpoints::without_overrides(loaded),
    };
    crate::connect::endpoints::check_addresses(&loaded)?;
    let loaded = pasted::with_region(loaded, &profile)?;
    match (loaded.region(), config.policy.reach) {
        (Some(_), _) => Ok(loaded),
        (None, Reach::Profile(scope))
            if !scope.has_region(DEFAULT_REGION) && config.provider == Provider::Bedrock =>
        {
            Err(scope::no_region(scope))
        }
        (None, _) => Ok(loaded.into_builder().region(Region::from_static(DEFAULT_REGION)).build()),
    }
}

/// The standard chain over our connections. The SDK's own client would read the system's certificates now, even where
/// nothing needs them.
fn loader(http: &SharedHttpClient, region: Option<String>) -> ConfigLoader {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http.clone())
        .profile_files(credentials::files_of_env())
        .identity_cache(Rotating::new());
    let loader = pasted::with_profile(loader);
    match region {
        Some(region) => loader.region(Region::new(region)),
        None => loader,
    }
}

/// The configuration with credentials that are looked for anew when their files change.
fn rereading(loaded: SdkConfig, http: SharedHttpClient, region: Option<String>) -> SdkConfig {
    let Some(first) = loaded.credentials_provider() else { return loaded };
    let chain = move || {
        let loader = loader(&http, region.clone());
        async move { loader.load().await.credentials_provider() }.boxed()
    };
    let provider = SharedCredentialsProvider::new(Rereading::new(first, Arc::new(chain)));
    loaded.into_builder().credentials_provider(provider).build()
}

/// Why requests to Bedrock would fail for want of credentials, with the fix; none where there are some.
#[cfg(feature = "cli")]
pub(crate) async fn credentials_problem(config: &Config, limit: Duration) -> Option<String> {
    use aws_sdk_s3::config::ProvideCredentials;
    let sdk = match load(config).await {
        Ok(sdk) => sdk,
        Err(error) => return Some(error.to_string()),
    };
    // A bearer token is taken in place of credentials.
    if std::env::var_os("AWS_BEARER_TOKEN_BEDROCK").is_some_and(|token| !token.is_empty()) {
        return None;
    }
    let found = match sdk.credentials_provider() {
        Some(provider) => {
            tokio::time::timeout(limit, provider.provide_credentials()).await.is_ok_and(|found| found.is_ok())
        }
        None => false,
    };
    (!found).then(|| {
        "no AWS credentials found (environment, ~/.aws, SSO, role): every request to a model will fail; fix: aws sso login, \
         AWS_BEARER_TOKEN_BEDROCK, CLAUDE_CODE_AWS_PROVIDER=anthropic, or --offline for sample answers"
            .to_owned()
    })
}

/// The builder with results in S3 and DynamoDB and with shared state.
pub(crate) fn stored(
    builder: ClientBuilder,
    sdk: &SdkConfig,
    config: &Config,
    bucket: &str,
) -> ClientBuilder {
    let results = results(sdk, config, bucket);
    let state = DynamoState::new(results.dynamodb.clone(), &config.state_table)
        .with_bucket(results.s3.clone(), bucket);
    builder.with_state(Arc::new(state)).with_store(Arc::new(results))
}

/// Results in S3 and DynamoDB.
pub(crate) fn results(sdk: &SdkConfig, config: &Config, bucket: &str) -> AwsResults {
    let dynamodb = crate::storage::dynamodb::client(sdk);
    let s3 = crate::storage::s3::client(sdk);
    AwsResults::new(dynamodb, s3, &config.table_name, bucket).with_credentials(sdk.credentials_provider())
}

/// The results bucket: as set, else named after the account.
pub(crate) async fn bucket(sdk: &SdkConfig, config: &Config) -> Result<String> {
    if let Some(name) = &config.bucket_name {
        return Ok(name.clone());
    }
    let limits = crate::connect::transport::limits(sdk, STS_ATTEMPT, STS_ATTEMPT * 3);
    let sts = aws_sdk_sts::config::Builder::from(sdk).timeout_config(limits).build();
    let identity =
        aws_sdk_sts::Client::from_conf(sts).get_caller_identity().send().await.map_err(|failed| {
            let unread = "the account's id for the bucket's name could not be read";
            if let Some(unreachable) = crate::connect::unreachable(&failed) {
                return Error::new(ErrorKind::Connection, format!("{unread}: {unreachable}"));
            }
            let why = credentials::told(&failed).unwrap_or_else(|| {
                "set CLAUDE_CODE_AWS_BUCKET_NAME, or give credentials that may call sts:GetCallerIdentity"
                    .to_owned()
            });
            Error::new(ErrorKind::Credentials, format!("{unread}: {why}"))
        })?;
    Ok(format!("claude-code-workshop-{}", identity.account().unwrap_or("000000000000")))
}

#[cfg(not(feature = "local"))]
fn missing(what: &str) -> Error {
    Error::invalid(format!("{what} is not part of this build: enable feature \"local\", or use bedrock"))
}
