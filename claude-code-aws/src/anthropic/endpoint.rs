//! Where a Messages API server may be: from code or environment only, never from a request.

use std::sync::Once;

use claude_code_core::{Error, Result};
use http::Uri;

use crate::host::Place;

/// Anthropic's own.
const DEFAULT: &str = "https://api.anthropic.com";

/// A server whose address was checked.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// The URL of its messages.
    pub(super) messages: Uri,
    /// The URL that counts tokens.
    pub(super) count: Uri,
    /// Its host, for messages to people.
    pub(super) host: String,
    /// Whether it stands beside us: such servers often want no key.
    pub(super) is_near: bool,
}

impl Endpoint {
    /// The name by which a request can ask for it: its host and port.
    pub(super) fn name(&self) -> &str {
        self.messages.authority().map_or(self.host.as_str(), |authority| authority.as_str())
    }

    /// Checks a base URL: loopback is always accepted, any other host must be https, except private addresses, which
    /// are warned about once. `strict` (inside Lambda) takes https only.
    pub(super) fn new(base: Option<&str>, strict: bool) -> Result<Self> {
        let base = base.unwrap_or(DEFAULT).trim_end_matches('/');
        let wrong = |why: &str| Error::invalid(format!("ANTHROPIC_BASE_URL {why}"));
        let path = if base.ends_with("/v1") { "messages" } else { "v1/messages" };
        let messages: Uri = format!("{base}/{path}").parse().map_err(|_| wrong("is not a URL"))?;
        let count = format!("{base}/{path}/count_tokens").parse().map_err(|_| wrong("is not a URL"))?;
        let host = messages.host().ok_or_else(|| wrong("has no host"))?.to_owned();
        if messages.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong("has a password in it: put the key into ANTHROPIC_API_KEY"));
        }
        let place = Place::of(&host);
        match (messages.scheme_str(), place) {
            (Some("https"), _) | (Some("http"), Place::Loopback) => {}
            (Some("http"), Place::Private) if !strict => warn_once(&host),
            (Some("http"), Place::Private) => {
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
        Ok(Endpoint { messages, count, host, is_near: place != Place::Public })
    }
}

fn warn_once(host: &str) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            host,
            "ANTHROPIC_BASE_URL is plain http: key, prompts and answers can be read on the way"
        );
    });
}
