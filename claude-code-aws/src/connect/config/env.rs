//! The environment: every variable stands in one table here; none panics.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use claude_code_core::select::Reach;
use claude_code_core::{Error, PicoUsd, Policy, ProfileScope, Result};

use super::settings::{Api, Config, LAMBDA, Provider, Store};
use crate::connect::Network;
use crate::secret::Secret;

/// What every variable's name begins with. `CLAUDE_CODE_` alone belongs to another program.
const PREFIX: &str = "CLAUDE_CODE_AWS_";
/// The shortest token that `serve` takes: 64 bits in hex.
const LEAST_TOKEN: usize = 16;

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
        config.batch = crate::connect::batch::Settings::of(text("BATCH_ROLE_ARN"), text("BATCH_BUCKET"));
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
        if let Some(wrong) =
            self.list("ALLOWED_ORIGINS").find(|text| !crate::connect::endpoints::is_origin(text))
        {
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
            policy.catalogue = crate::connect::catalogue_of(path.as_ref(), "CLAUDE_CODE_AWS_CATALOGUE")?;
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
