//! Where servers may stand that are not the services' own: on this machine, or behind https. Code or environment names
//! them, never a request.

use std::net::IpAddr;

use aws_config::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use claude_code_core::{Error, Result};
use http::Uri;

/// How far away a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostScope {
    /// This machine.
    Loopback,
    /// An address of a private network.
    Private,
    /// Anywhere.
    Public,
}

impl HostScope {
    /// The place of a host, by its name or address alone.
    pub(crate) fn of(host: &str) -> HostScope {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address) if address.is_loopback() => HostScope::Loopback,
            Ok(IpAddr::V4(address)) if address.is_private() => HostScope::Private,
            Ok(IpAddr::V6(address)) if address.is_unique_local() => HostScope::Private,
            Err(_) if bare.eq_ignore_ascii_case("localhost") => HostScope::Loopback,
            _ => HostScope::Public,
        }
    }
}

/// The services that are called, by the SDK's names.
pub(crate) const SERVICES: [&str; 7] =
    ["Bedrock Runtime", "Bedrock", "DynamoDB", "S3", "STS", "SQS", "Secrets Manager"];
/// The setting of AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_{SERVICE} and of a profile's `endpoint_url`.
pub(crate) const VARIABLE: &str = "AWS_ENDPOINT_URL";

/// Refuses a configuration that sends signed requests over plain http to another machine. One that brings its own HTTP
/// client, as the twin inside the process does, decides itself where requests go.
pub(crate) fn check(sdk: &SdkConfig) -> Result<()> {
    if sdk.http_client().is_some() { Ok(()) } else { check_addresses(sdk) }
}

/// Refuses plain http to another machine, whoever sends.
pub(crate) fn check_addresses(sdk: &SdkConfig) -> Result<()> {
    let named = SERVICES.into_iter().filter_map(|service| Some((service, of_service(sdk, service)?)));
    for (service, url) in named.chain(sdk.endpoint_url().map(|url| ("all services", url.to_owned()))) {
        check_url(service, &url)?;
    }
    Ok(())
}

/// The address that environment or profile name for one service, by the SDK's name for it.
pub(crate) fn of_service(sdk: &SdkConfig, service: &str) -> Option<String> {
    sdk.service_config()?.load_config(endpoint_key(service)?)
}

fn check_url(service: &str, url: &str) -> Result<()> {
    let wrong = |why: String| Error::invalid(format!("{VARIABLE} for {service} {why}"));
    let url: Uri = url.parse().map_err(|_| wrong("is not a URL".to_owned()))?;
    let host = url.host().ok_or_else(|| wrong("has no host".to_owned()))?;
    match (url.scheme_str(), HostScope::of(host)) {
        (Some("https"), _) | (Some("http"), HostScope::Loopback) => Ok(()),
        _ => Err(wrong(format!(
            "names host {host}: it must begin with https://, only this machine may go without"
        ))),
    }
}

/// The address that environment, profile or code give a service, if it is not AWS's own.
pub(crate) fn endpoint(sdk: &SdkConfig, service: &str) -> Option<String> {
    let of_service = || sdk.service_config()?.load_config(endpoint_key(service)?);
    of_service().or_else(|| sdk.endpoint_url().map(str::to_owned))
}

fn endpoint_key(service: &str) -> Option<ServiceConfigKey<'_>> {
    ServiceConfigKey::builder().service_id(service).env(VARIABLE).profile("endpoint_url").build().ok()
}

/// The same configuration with the services at AWS's own addresses, whatever environment and profile say.
pub(crate) fn without_overrides(sdk: SdkConfig) -> SdkConfig {
    let mut builder = sdk.to_builder();
    builder.set_endpoint_url(None);
    builder.service_config(Others(sdk)).build()
}

/// All settings of services but their addresses: a Bedrock API key is such a setting too.
#[derive(Debug)]
struct Others(SdkConfig);

impl LoadServiceConfig for Others {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() == VARIABLE { None } else { self.0.service_config()?.load_config(key) }
    }
}

/// Whether browsers send this as an Origin: scheme, host and port, in lower case.
pub(super) fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://").or(text.strip_prefix("http://")) else { return false };
    let is_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    !host.is_empty() && host.chars().all(is_host)
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;

    use super::*;

    /// An environment: each service's address, and a Bedrock API key.
    #[derive(Clone, Debug)]
    struct Set(&'static str);

    impl LoadServiceConfig for Set {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            Some(if key.env() == VARIABLE { self.0.to_owned() } else { "key".to_owned() })
        }
    }

    fn sdk(all: Option<&str>, each: Option<&'static str>) -> SdkConfig {
        let mut builder = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12());
        builder.set_endpoint_url(all.map(str::to_owned));
        builder.set_service_config(each.map(Set));
        builder.build()
    }

    fn asked<'a>(sdk: &'a SdkConfig, service: &'a str, env: &'a str) -> Option<String> {
        let key = ServiceConfigKey::builder().service_id(service).profile("endpoint_url").env(env);
        sdk.service_config()?.load_config(key.build().ok()?)
    }

    #[test]
    fn an_address_from_the_environment_is_forgotten_for_all_services_and_for_each_and_nothing_else_is() {
        let own = without_overrides(sdk(Some("https://evil.example"), Some("https://evil.example")));
        assert_eq!(own.endpoint_url(), None);
        for service in SERVICES {
            assert_eq!(asked(&own, service, "AWS_ENDPOINT_URL"), None, "{service}");
        }
        assert_eq!(asked(&own, "bedrock", "AWS_BEARER_TOKEN").as_deref(), Some("key"));
    }

    #[test]
    fn a_server_stands_on_this_machine_or_behind_https_and_nowhere_else() {
        let good =
            ["http://127.0.0.1:8000", "http://localhost:1/x", "http://[::1]:9", "https://vpce-1.example.com"];
        let bad = [
            "http://10.0.0.5",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "evil",
        ];
        for url in good {
            assert!(check(&sdk(Some(url), None)).is_ok() && check(&sdk(None, Some(url))).is_ok(), "{url}");
        }
        let told =
            |sdk: SdkConfig| check(&sdk).err().map(|error| error.message().to_owned()).unwrap_or_default();
        for url in bad {
            for text in [told(sdk(Some(url), None)), told(sdk(None, Some(url)))] {
                assert!(text.starts_with("AWS_ENDPOINT_URL for "), "{url}: {text}");
            }
        }
        let text = told(sdk(None, Some("http://user:canary@example.com/?token=canary")));
        assert!(text.contains("example.com") && !text.contains("canary"), "{text}");
    }
}
