//! Endpoint of the Messages API: taken from code or environment only, never from a request.

use std::sync::Once;

use claude_code_core::{Error, Result};
use http::Uri;

use super::Settings;
use crate::connect::endpoints::HostScope;

/// Anthropic's own.
pub(crate) const DEFAULT: &str = "https://api.anthropic.com";

/// A server whose address was checked.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// The URL of its messages.
    pub(crate) messages: Uri,
    /// The URL that counts tokens.
    pub(super) count: Uri,
    /// Its host, for messages to people.
    pub(crate) host: String,
    /// Whether it stands beside us: such servers often want no key.
    pub(crate) is_near: bool,
}

impl Endpoint {
    /// The name by which a request can ask for it: its host and port.
    pub(super) fn name(&self) -> &str {
        self.messages.authority().map_or(self.host.as_str(), |authority| authority.as_str())
    }

    /// The URL of its list of models, beside the messages.
    #[cfg(feature = "local")]
    pub(super) fn models(&self) -> String {
        let messages = self.messages.to_string();
        format!("{}models?limit=1", messages.strip_suffix("messages").unwrap_or(&messages))
    }

    /// The messages below a base URL. `strict` (inside Lambda) takes https only.
    pub(super) fn new(base: Option<&str>, strict: bool) -> Result<Self> {
        let base = base.unwrap_or(DEFAULT).trim_end_matches('/');
        let path = if base.ends_with("/v1") { "messages" } else { "v1/messages" };
        Endpoint::checked("ANTHROPIC_BASE_URL", &format!("{base}/{path}"), strict)
    }

    /// Checks the URL that a setting of this name gave: loopback is always accepted, any other host must be https,
    /// except private addresses, which are warned about once. `strict` takes https only.
    pub(crate) fn checked(name: &'static str, url: &str, strict: bool) -> Result<Self> {
        let wrong = |why: &str| Error::invalid(format!("{name} {why}"));
        let messages: Uri = url.parse().map_err(|_| wrong("is not a URL"))?;
        let count = format!("{url}/count_tokens").parse().map_err(|_| wrong("is not a URL"))?;
        let host = messages.host().ok_or_else(|| wrong("has no host"))?.to_owned();
        if messages.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong("has a password in it: put the key into the variable for keys"));
        }
        let place = HostScope::of(&host);
        match (messages.scheme_str(), place) {
            (Some("https"), _) | (Some("http"), HostScope::Loopback) => {}
            (Some("http"), HostScope::Private) if !strict => warn_once(name, &host),
            (Some("http"), HostScope::Private) => {
                return Err(wrong(&format!(
                    "for host {host} must begin with https:// here: set CLAUDE_CODE_AWS_ALLOW_ENDPOINT_OVERRIDE=1 to \
                     go without on private addresses"
                )));
            }
            _ => {
                return Err(wrong(&format!(
                    "for host {host} must begin with https://: only this machine and private addresses may go without"
                )));
            }
        }
        Ok(Endpoint { messages, count, host, is_near: place != HostScope::Public })
    }
}

impl Settings {
    /// These settings for one server that was named for itself: nothing is asked elsewhere, and a server on this machine
    /// or in a private network gets the key only where these settings name that server too.
    pub fn only(&self, url: impl Into<String>) -> Settings {
        let url = url.into();
        let (named, own) = (Endpoint::new(Some(&url), false), Endpoint::new(self.base_url.as_deref(), false));
        let foreign = match (&named, &own) {
            (Ok(named), Ok(own)) => named.is_near && named.name() != own.name(),
            (Ok(named), Err(_)) => named.is_near,
            (Err(_), _) => true,
        };
        let api_key = self.api_key.clone().filter(|_| !foreign);
        Settings { api_key, base_url: Some(url), other_urls: Vec::new(), secret_arn: None }
    }
}

fn warn_once(name: &'static str, host: &str) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(host, "{name} is plain http: key, prompts and answers can be read on the way");
    });
}
