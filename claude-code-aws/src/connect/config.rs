//! What a client is told, from code or from the environment. Every variable stands in one table here; none panics.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::network::Network;
use crate::metrics::request_log::LogForm;
use crate::secret::Secret;
use claude_code_core::select::Reach;
use claude_code_core::{Error, PicoUsd, Policy, ProfileScope, Result};

/// What every variable's name begins with. `CLAUDE_CODE_` alone belongs to another program.
const PREFIX: &str = "CLAUDE_CODE_AWS_";
/// The shortest token that `serve` takes: 64 bits in hex.
const LEAST_TOKEN: usize = 16;
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
    pub batch: super::batch::Settings,
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
            policy: Policy::default(),
        }
    }
}

impl Config {
    /// The settings of the process's environment. Fails naming the variable whose value cannot be used.
    pub fn from_env() -> Result<Self> {
        Config::from_vars_os(std::env::vars_os())
    }

    /// As [`from_vars`](Self::from_vars), for values that may not be UTF-8: one that is read here is an error by name.
    pub fn from_vars_os(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self> {
        let mut read = Vec::new();
        for (name, value) in vars {
            // A name that is not UTF-8 is none that anybody here reads.
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => read.push((name, value)),
                Err(_) if is_read(&name) => {
                    return Err(Error::invalid(format!(
                        "{name} is not UTF-8: set it to a value in UTF-8, or take it away"
                    )));
                }
                Err(_) => {}
            }
        }
        Config::from_vars(read)
    }

    /// The settings of these variables, as [`from_env`](Self::from_env).
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let vars = Vars(vars.into_iter().filter(|(_, value)| !value.is_empty()).collect());
        let mut config = Config { network: vars.network(), ..Config::default() };
        vars.read_provider(&mut config)?;
        vars.read_places(&mut config)?;
        vars.read_api(&mut config)?;
        vars.read_metrics(&mut config)?;
        vars.read_policy(&mut config.policy)?;
        Ok(config)
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
pub(crate) fn is_lambda() -> bool {
    std::env::var_os(LAMBDA).is_some()
}

/// Whether a variable decides something here or in the AWS SDK, which passes over what is not UTF-8.
fn is_read(name: &str) -> bool {
    const OTHERS: [&str; 4] = ["HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY"];
    let begins = [PREFIX, "AWS_", "ANTHROPIC_"].iter().any(|prefix| name.starts_with(prefix));
    begins || OTHERS.contains(&name) || name.to_ascii_lowercase().ends_with("_proxy")
}

/// The variables that are set to something.
pub(super) struct Vars(pub(super) BTreeMap<String, String>);

impl Vars {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&format!("{PREFIX}{name}")).map(String::as_str)
    }

    /// The value of a variable in its type; an error names variable, value and what is taken.
    pub(super) fn parse<T>(
        &self,
        name: &str,
        takes: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value.trim())
            .map(Some)
            .ok_or_else(|| Error::invalid(format!("{PREFIX}{name}={value:?}: it takes {takes}")))
    }

    /// What stands between the commas.
    fn list<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.get(name)
            .into_iter()
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .filter(|part| !part.is_empty())
    }

    fn number<T: FromStr + PartialOrd + Default>(&self, name: &str) -> Result<Option<T>> {
        self.parse(name, "a whole number above 0", |text| text.parse().ok().filter(|n| *n > T::default()))
    }

    fn seconds(&self, name: &str) -> Result<Option<Duration>> {
        Ok(self.number::<u32>(name)?.map(|seconds| Duration::from_secs(seconds.into())))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>> {
        self.parse(name, "0 or 1", |text| match text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        })
    }

    fn network(&self) -> Network {
        let network = Network::from_vars(self.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        match self.get("CA_BUNDLE") {
            Some(path) => network.with_ca_bundle(path),
            None => network,
        }
    }

    fn read_provider(&self, config: &mut Config) -> Result<()> {
        let provider = self.parse("PROVIDER", "bedrock, anthropic or samples", |text| match text {
            "bedrock" => Some(Provider::Bedrock),
            "anthropic" => Some(Provider::Anthropic),
            "samples" => Some(Provider::Samples),
            _ => None,
        })?;
        config.provider = provider.unwrap_or_default();
        config.anthropic = crate::anthropic::Settings {
            api_key: self.0.get("ANTHROPIC_API_KEY").map(Secret::new),
            base_url: self.0.get("ANTHROPIC_BASE_URL").cloned(),
            other_urls: self.list("FAILOVER_URLS").map(str::to_owned).collect(),
            secret_arn: self.get("ANTHROPIC_SECRET_ARN").map(str::to_owned),
        };
        let scope = self.parse("PROFILE_SCOPE", "global, us, eu, jp, au or in", |text| {
            text.parse::<ProfileScope>().ok()
        })?;
        config.policy.reach = match config.provider {
            Provider::Anthropic => config.anthropic.reach(),
            _ => Reach::Profile(scope.unwrap_or(ProfileScope::Global)),
        };
        Ok(())
    }

    fn read_places(&self, config: &mut Config) -> Result<()> {
        config.store = self.parse("STORE", "none, disk or aws", |text| match text {
            "none" => Some(Store::None),
            "disk" => Some(Store::Disk),
            "aws" => Some(Store::Aws),
            _ => None,
        })?;
        let in_lambda = self.0.contains_key(LAMBDA);
        let places = ["TABLE_NAME", "BUCKET_NAME"].iter().any(|name| self.get(name).is_some());
        if config.store.is_none() && (in_lambda || places) {
            config.store = Some(Store::Aws);
        }
        let text = |name: &str| self.get(name).map(str::to_owned);
        config.bucket_name = text("BUCKET_NAME");
        config.batch = super::batch::Settings::of(text("BATCH_ROLE_ARN"), text("BATCH_BUCKET"));
        config.jobs_queue_url = text("JOBS_QUEUE_URL");
        for (name, place) in [
            ("TABLE_NAME", &mut config.table_name),
            ("STATE_TABLE", &mut config.state_table),
            ("SERVICE_TABLE", &mut config.service_table),
            ("SERVICE_BUCKET", &mut config.service_bucket),
        ] {
            if let Some(given) = text(name) {
                *place = given;
            }
        }
        config.local_dir = text("LOCAL_DIR").map(PathBuf::from);
        config.allow_endpoint_override = self.flag("ALLOW_ENDPOINT_OVERRIDE")?.unwrap_or(false) || !in_lambda;
        Ok(())
    }

    fn read_api(&self, config: &mut Config) -> Result<()> {
        let token = self.get("SERVE_TOKEN");
        if token.is_some_and(|token| token.len() < LEAST_TOKEN) {
            return Err(Error::invalid(format!(
                "{PREFIX}SERVE_TOKEN has fewer than {LEAST_TOKEN} characters and could be guessed: take one of `openssl rand -hex 16`"
            )));
        }
        if let Some(wrong) = self.list("ALLOWED_ORIGINS").find(|text| !super::endpoints::is_origin(text)) {
            return Err(Error::invalid(format!(
                "{PREFIX}ALLOWED_ORIGINS={wrong:?}: it takes origins such as https://app.example, without a path, a final \
                 slash or a wildcard"
            )));
        }
        config.api = Api {
            token: token.map(Secret::new),
            origins: self.list("ALLOWED_ORIGINS").map(str::to_owned).collect(),
            streaming: self.flag("RESPONSE_STREAMING")?.unwrap_or_default(),
            authorizer_claim: self.get("AUTHORIZER_CLAIM").map(str::to_owned),
        };
        Ok(())
    }

    fn read_policy(&self, policy: &mut Policy) -> Result<()> {
        let dollars = |name| self.parse(name, "dollars such as 0.50", |text| PicoUsd::from_usd(text).ok());
        policy.model = self.get("MODEL_ID").map(str::to_owned);
        if let Some(path) = self.get("CATALOGUE") {
            policy.catalogue = super::catalogue_of(path.as_ref(), "CLAUDE_CODE_AWS_CATALOGUE")?;
        }
        if let Some(ttl) = self.seconds("CACHE_TTL_SECONDS")? {
            policy.cache_ttl = ttl;
        }
        if let Some(cap) = dollars("MAX_USD_PER_REQUEST")? {
            (policy.max_usd_per_request, policy.max_usd_is_set) = (cap, true);
        }
        policy.max_usd_per_day = dollars("MAX_USD_PER_DAY")?;
        policy.max_usd_per_day_per_scope = dollars("MAX_USD_PER_DAY_PER_SCOPE")?;
        policy.downgrade = self.flag("DOWNGRADE")?.unwrap_or_default();
        policy.max_sends = self.number("MAX_SENDS")?.unwrap_or(policy.max_sends);
        policy.max_tokens = self.number("MAX_TOKENS")?;
        policy.total = self.seconds("TIMEOUT_SECONDS")?.unwrap_or(policy.total);
        policy.first_event = self.seconds("FIRST_EVENT_SECONDS")?;
        policy.idle = self.seconds("IDLE_SECONDS")?;
        policy.reconnect = self.seconds("RECONNECT_SECONDS")?;
        self.read_extras(policy)
    }

    /// What goes along with every request, and where else it may go.
    fn read_extras(&self, policy: &mut Policy) -> Result<()> {
        let region =
            |text: &str| text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if let Some(wrong) = self.list("FAILOVER_REGIONS").find(|text| !region(text)) {
            return Err(Error::invalid(format!(
                "{PREFIX}FAILOVER_REGIONS={wrong:?}: it takes regions such as us-west-2,eu-west-1"
            )));
        }
        policy.places = self.list("FAILOVER_REGIONS").map(Into::into).collect();
        policy.guardrail =
            self.parse("GUARDRAIL", "a guardrail's id or ARN, a colon, and its version", |text| {
                let (id, version) = text.rsplit_once(':')?;
                let is_version = version == "DRAFT" || version.parse::<u32>().is_ok();
                (is_version && !id.is_empty()).then(|| (id.to_owned(), version.to_owned()))
            })?;
        policy.service_tier = self.get("SERVICE_TIER").map(str::to_owned);
        let pair = |text: &str| {
            text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        };
        policy.metadata = self
            .list("REQUEST_METADATA")
            .map(|text| {
                pair(text).ok_or_else(|| {
                    Error::invalid(format!("{PREFIX}REQUEST_METADATA: it takes name=value,name=value"))
                })
            })
            .collect::<Result<_>>()?;
        Ok(())
    }
}
