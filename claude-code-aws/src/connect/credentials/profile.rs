//! AWS profile: what `~/.aws/config` says beyond what the SDK reads: its CA bundle, and service endpoints under the key
//! that AWS documents (`bedrock_runtime`; the SDK looks for `bedrock-runtime`).

use std::collections::BTreeMap;
use std::path::Path;

use aws_config::SdkConfig;
use aws_config::profile::ProfileSet;
use aws_runtime::env_config::property::PropertiesKey;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use claude_code_core::{Error, ErrorKind, Result};

use super::chain::one_line;
use super::files::Files;
use crate::connect::cause::sources;
use crate::connect::endpoints::{SERVICES, VARIABLE};

/// The most names that an error lists.
const SHOWN: usize = 12;

/// The profile that AWS_PROFILE selects.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    set: Option<ProfileSet>,
    /// Why the files cannot be read.
    wrong: Option<String>,
}

impl Profile {
    /// Reads the files of the environment. For the SDK one that is damaged or not UTF-8 has nothing in it: the endpoints and
    /// certificates that somebody set there would be passed over.
    pub(crate) async fn load() -> Self {
        let files = Files::of_env();
        let read = async |files| {
            aws_config::profile::load(&Fs::real(), &Env::real(), &files, super::pasted::profile_name()).await
        };
        let mut wrong = files.not_utf8();
        let set = read(files.for_sdk()).await.ok();
        if set.is_none() && wrong.is_none() {
            for (path, file) in files.alone() {
                if let Err(error) = read(file).await {
                    wrong = Some(damage(path, &error));
                    break;
                }
            }
        }
        Profile { set, wrong }
    }

    /// Fails where the files cannot be read, or AWS_PROFILE names a profile that is not there, with those that are.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(wrong) = &self.wrong {
            return Err(Error::new(
                ErrorKind::Credentials,
                format!("the AWS profiles cannot be read: {wrong}"),
            ));
        }
        let Some(asked) = set("AWS_PROFILE").filter(|name| !name.trim().is_empty()) else { return Ok(()) };
        let profiles = self.set.as_ref();
        if profiles.is_some_and(|profiles| profiles.get_profile(&asked).is_some()) {
            return Ok(());
        }
        let mut names: Vec<&str> = profiles.map(|profiles| profiles.profiles().collect()).unwrap_or_default();
        names.sort_unstable();
        let more = names.len().saturating_sub(SHOWN);
        names.truncate(SHOWN);
        let there = match (names.is_empty(), more) {
            (true, _) => "~/.aws/config and ~/.aws/credentials have none".to_owned(),
            (false, 0) => format!("there are {}", names.join(", ")),
            (false, more) => format!("there are {} and {more} more", names.join(", ")),
        };
        Err(Error::new(
            ErrorKind::Credentials,
            format!("AWS_PROFILE={asked}: there is no such profile: {there}"),
        ))
    }

    /// Its `region`.
    pub(crate) fn region(&self) -> Option<&str> {
        self.set.as_ref()?.get("region")
    }

    /// Its `ca_bundle`.
    pub(crate) fn ca_bundle(&self) -> Option<&str> {
        self.set.as_ref()?.get("ca_bundle").filter(|path| !path.is_empty())
    }

    /// The configuration with the endpoints of `[services]` as AWS documents them. The environment's win.
    pub(crate) fn with_services(&self, sdk: SdkConfig) -> SdkConfig {
        let found =
            SERVICES.into_iter().filter_map(|service| Some((service.to_owned(), self.endpoint(service)?)));
        let endpoints: BTreeMap<String, String> = found.collect();
        if endpoints.is_empty() || self.ignores_endpoints() || set(VARIABLE).is_some() {
            return sdk;
        }
        sdk.to_builder().service_config(WithServices { sdk, endpoints }).build()
    }

    fn endpoint(&self, service: &str) -> Option<String> {
        let profiles = self.set.as_ref()?;
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(profiles.get("services")?)
            .property_name(service.to_lowercase().replace([' ', '-'], "_"))
            .sub_property_name("endpoint_url");
        profiles.other_sections().get(&key.build().ok()?).cloned()
    }

    fn ignores_endpoints(&self) -> bool {
        let of_profile = || self.set.as_ref()?.get("ignore_configured_endpoint_urls").map(str::to_owned);
        let value = set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").or_else(of_profile);
        value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }
}

fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What is wrong with a file, by its line.
fn damage(path: &Path, error: &(dyn std::error::Error + 'static)) -> String {
    let told = sources(error).last().map(ToString::to_string).unwrap_or_default();
    // The SDK knows no path of a text that it is given.
    let told = told.replacen("error parsing  on", &format!("error parsing {} on", path.display()), 1);
    format!("{}: correct that line", one_line(&told))
}

/// Settings of services, with endpoints of our own reading before those of the profile alone.
#[derive(Debug)]
struct WithServices {
    sdk: SdkConfig,
    endpoints: BTreeMap<String, String>,
}

impl LoadServiceConfig for WithServices {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let ours = || self.endpoints.get(key.service_id()).filter(|_| key.env() == VARIABLE);
        let variable =
            || set(&format!("{VARIABLE}_{}", key.service_id().to_uppercase().replace([' ', '-'], "_")));
        match ours() {
            Some(endpoint) if variable().is_none() => Some(endpoint.clone()),
            _ => self.sdk.service_config()?.load_config(key),
        }
    }
}
