//! The settings of a client.

use std::path::PathBuf;

use aws_config::SdkConfig;
use claude_code_core::{Error, Policy, Result};

use crate::connect::Network;
use crate::metrics::request_log::LogForm;
use crate::secret::Secret;

/// Lambda sets it, and nobody else.
pub(super) const LAMBDA: &str = "AWS_LAMBDA_FUNCTION_NAME";

/// Which service answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// Amazon Bedrock.
    #[default]
    Bedrock,
    /// Any server with the Messages API: ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL.
    Anthropic,
    /// The twin's sample answers.
    Samples,
}

/// Where results, cache and budgets are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Nowhere; cache and budgets in memory.
    None,
    /// In the twin's engines under [`Config::local_dir`].
    Disk,
    /// In S3 and DynamoDB.
    Aws,
}

/// How the HTTP API is reached, in `serve` and in Lambda.
#[derive(Clone, Default)]
pub struct Api {
    /// The bearer token that `serve` asks for; needed where others reach it.
    pub token: Option<Secret>,
    /// Origins of pages that browsers may call from.
    pub origins: Vec<String>,
    /// Whether Lambda streams answers, as its function URL or gateway must be set to do.
    pub streaming: bool,
    /// The member of a custom authorizer's context that tells who calls; none: `principalId`.
    pub authorizer_claim: Option<String>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api")
            .field("token", &self.token.as_ref().map(|_| "set"))
            .field("origins", &self.origins)
            .field("streaming", &self.streaming)
            .field("authorizer_claim", &self.authorizer_claim)
            .finish()
    }
}

/// The settings of a client.
///
/// ```
/// use claude_code_aws::Config;
///
/// let config = Config { bucket_name: Some("our-results".to_owned()), ..Config::default() };
/// assert_eq!(config.table_name, "claude-code-results");
/// let refused = Config::from_vars([("CLAUDE_CODE_AWS_STORE".to_owned(), "tape".to_owned())]).unwrap_err();
/// assert!(refused.message().contains("CLAUDE_CODE_AWS_STORE"));
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Which service answers.
    pub provider: Provider,
    /// Where results are kept, if someone said so.
    pub store: Option<Store>,
    /// Where they are kept otherwise: nowhere for a library; a host with a home directory chooses the disk. A
    /// default that cannot be had costs the storing; one that was asked for fails the call.
    pub default_store: Store,
    /// The results table.
    pub table_name: String,
    /// The results bucket; none: `claude-code-workshop-{account-id}`.
    pub bucket_name: Option<String>,
    /// The table of cache, leases, budgets, jobs and keys.
    pub state_table: String,
    /// Where batch jobs run.
    pub batch: crate::connect::batch::Settings,
    /// The queue (SQS) between those who accept jobs and those who work on them; none: the process that accepts works.
    pub jobs_queue_url: Option<String>,
    /// The service creator's table.
    pub service_table: String,
    /// The service creator's bucket.
    pub service_bucket: String,
    /// How the HTTP API is reached.
    pub api: Api,
    /// Where local state is; none: `~/.claude-code-aws`.
    pub local_dir: Option<PathBuf>,
    /// Whether AWS_ENDPOINT_URL* counts, and a private address without https is taken for the Messages API. Off inside
    /// Lambda unless ALLOW_ENDPOINT_OVERRIDE=1: its environment shall not lead away requests that its role signs.
    pub allow_endpoint_override: bool,
    /// Who plays Bedrock where the provider is `samples`; none: a twin with the sample answers.
    #[cfg(feature = "local")]
    pub answers: Option<crate::local::Twin>,
    /// How connections are made: proxies and certificate authorities.
    pub network: Network,
    /// How the Messages API is reached, where it is the provider.
    pub anthropic: crate::anthropic::Settings,
    /// Whether each request is a line in CloudWatch's embedded metric format on stdout; so it is in Lambda.
    pub emf: bool,
    /// The line on stderr for each request.
    pub log: LogForm,
    /// Where spans and metrics go over OTLP.
    #[cfg(feature = "otlp")]
    pub otlp: Option<crate::metrics::otlp::Settings>,
    /// Whether requests are counted in the state table, for `usage`.
    pub usage_counters: bool,
    /// The AWS region; none: the standard chain, then `us-east-1`.
    pub region: Option<String>,
    /// An AWS configuration of the caller's own; none: the standard chain.
    pub sdk: Option<SdkConfig>,
    /// What the client decides for all its requests.
    pub policy: Policy,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            provider: Provider::default(),
            store: None,
            default_store: Store::None,
            table_name: "claude-code-results".into(),
            bucket_name: None,
            state_table: "claude-code-state".into(),
            batch: Default::default(),
            jobs_queue_url: None,
            service_table: "CloudServiceCreator".into(),
            service_bucket: "cloudservicecreator-code".into(),
            api: Api::default(),
            local_dir: None,
            allow_endpoint_override: !is_lambda(),
            #[cfg(feature = "local")]
            answers: None,
            network: Network::default(),
            anthropic: crate::anthropic::Settings::default(),
            emf: is_lambda(),
            log: LogForm::Off,
            #[cfg(feature = "otlp")]
            otlp: None,
            usage_counters: true,
            region: None,
            sdk: None,
            policy: Policy::default(),
        }
    }
}

impl Config {
    /// Over an AWS configuration of the caller's own, in place of the standard chain.
    pub fn with_sdk_config(mut self, sdk: SdkConfig) -> Self {
        self.sdk = Some(sdk);
        self
    }

    /// Where local state is.
    pub fn local_dir(&self) -> Result<PathBuf> {
        if let Some(dir) = &self.local_dir {
            return Ok(dir.clone());
        }
        std::env::home_dir().map(|home| home.join(".claude-code-aws")).ok_or_else(|| {
            Error::invalid("there is no home directory for local state: set CLAUDE_CODE_AWS_LOCAL_DIR")
        })
    }
}

/// Whether this process is a Lambda function, where whoever may set its environment shall not lead its requests, which
/// its role signs, to another address.
fn is_lambda() -> bool {
    std::env::var_os(LAMBDA).is_some()
}
