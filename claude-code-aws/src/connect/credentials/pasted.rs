//! Pasted values: variables as people and secret stores set them, with line breaks, blanks, or nothing in them.

use std::borrow::Cow;

use aws_config::{ConfigLoader, Region, SdkConfig};
use claude_code_core::{Error, ErrorKind, Result};

use super::profile::Profile;

/// Variables that go into headers and signatures: no line break or blank may stand in them.
const SECRETS: [&str; 4] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"];

/// Whether it can be a key or token: visible ASCII alone. The SDK panics at some others.
pub(in crate::connect) fn is_usable(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Fails where a key or token of the environment has a line break or blank in it.
pub(in crate::connect) fn check_secrets(get: impl Fn(&str) -> Option<String>) -> Result<()> {
    match SECRETS.into_iter().find(|name| get(name).is_some_and(|value| !is_usable(&value))) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            ErrorKind::Credentials,
            format!(
                "{name} has a character that no key has, such as a line break at its end: set it again without it"
            ),
        )),
    }
}

/// The profile to load where AWS_PROFILE is set and empty: the default one, as the AWS command line has it.
pub(in crate::connect) fn profile_name() -> Option<Cow<'static, str>> {
    let is_empty = std::env::var("AWS_PROFILE").is_ok_and(|name| name.trim().is_empty());
    is_empty.then_some(Cow::Borrowed("default"))
}

/// The loader of that profile.
pub(in crate::connect) fn with_profile(loader: ConfigLoader) -> ConfigLoader {
    match profile_name() {
        Some(name) => loader.profile_name(name),
        None => loader,
    }
}

/// The configuration with its region as AWS writes it. A variable that is set and empty leaves it to the profile.
pub(in crate::connect) fn with_region(loaded: SdkConfig, profile: &Profile) -> Result<SdkConfig> {
    let Some(given) = loaded.region().map(ToString::to_string) else { return Ok(loaded) };
    let region = match given.trim() {
        "" => profile.region().unwrap_or_default().trim(),
        region => region,
    };
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !region.bytes().all(is_name) {
        return Err(Error::invalid(format!(
            "the region {region:?} is no region's name: set AWS_REGION, or the region of the AWS profile, to one such as \
             us-east-1"
        )));
    }
    if region == given {
        return Ok(loaded);
    }
    let region = (!region.is_empty()).then(|| Region::new(region.to_owned()));
    Ok(loaded.into_builder().region(region).build())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_line_break_or_blank_is_named_by_its_variable_and_not_shown() {
        for name in SECRETS {
            for value in ["canary\n", " canary", "can ary", "canary\r", "canary\u{e9}", "\u{feff}canary"] {
                let get = |asked: &str| (asked == name).then(|| value.to_owned());
                let error = check_secrets(get).unwrap_err();
                assert!(error.message().starts_with(name) && !error.message().contains("canary"), "{error}");
            }
        }
        check_secrets(|_| Some("AKID+/=abc".to_owned())).unwrap();
        check_secrets(|_| Some(String::new())).unwrap();
    }

    #[test]
    fn a_region_is_taken_without_blanks_and_refused_where_it_is_none() {
        let with = |region: &str| {
            let loaded = SdkConfig::builder().region(Region::new(region.to_owned())).build();
            with_region(loaded, &Profile::default()).map(|sdk| sdk.region().map(ToString::to_string))
        };
        assert_eq!(with("us-east-1\n").unwrap().as_deref(), Some("us-east-1"));
        assert_eq!(with(" eu-west-1 ").unwrap().as_deref(), Some("eu-west-1"));
        assert_eq!(with(" ").unwrap(), None);
        for wrong in ["US-EAST-1", "us east 1", "us-east-1/x", "\"us-east-1\""] {
            let told = with(wrong).unwrap_err().message().to_owned();
            assert!(told.contains(&format!("{wrong:?}")) && told.contains("AWS_REGION"), "{told}");
        }
    }
}
