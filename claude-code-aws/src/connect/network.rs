//! Network settings: proxies and CA certificates, read once from variables and settings, shared by all connections.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::proxy::ProxyRules;
use super::trust::Added;

/// Variables that decide how connections are made.
const VARIABLES: [&str; 14] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "REQUEST_METHOD",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// How connections are made: through which proxy, and which certificate authorities are trusted. The default is the
/// process's environment.
#[derive(Clone, Debug)]
pub struct Network {
    pub(crate) proxies: Arc<ProxyRules>,
    pub(crate) added: Added,
}

impl Default for Network {
    fn default() -> Self {
        let value = |name: &&str| Some(((*name).to_owned(), std::env::var_os(name)?));
        Network::of(&VARIABLES.iter().filter_map(value).collect())
    }
}

impl Network {
    /// The settings of these variables; others are passed over.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let known = |(name, _): &(String, String)| VARIABLES.contains(&name.as_str());
        Network::of(&vars.into_iter().filter(known).map(|(name, value)| (name, value.into())).collect())
    }

    fn of(vars: &BTreeMap<String, OsString>) -> Self {
        let set = |name: &str| vars.get(name).filter(|value| !value.is_empty());
        let dirs = set("SSL_CERT_DIR")
            .map(|list| std::env::split_paths(list).filter(|dir| !dir.as_os_str().is_empty()));
        let added = Added {
            bundle: set("AWS_CA_BUNDLE").map(|path| ("AWS_CA_BUNDLE".to_owned(), path.into())),
            file: set("SSL_CERT_FILE").map(PathBuf::from),
            dirs: dirs.map(Iterator::collect).unwrap_or_default(),
        };
        // Without its proxy a request would leave by a way that somebody closed: what is not UTF-8 becomes a URL that is
        // refused by name.
        let text = |name: &str| vars.get(name).map(|value| value.to_string_lossy().into_owned());
        Network { proxies: Arc::new(ProxyRules::read(text)), added }
    }

    /// With these CA certificates, in PEM, beside the system's: they win over AWS_CA_BUNDLE and the profile's `ca_bundle`.
    pub fn with_ca_bundle(mut self, path: impl Into<PathBuf>) -> Self {
        self.added.bundle = Some(("CLAUDE_CODE_AWS_CA_BUNDLE".to_owned(), path.into()));
        self
    }

    /// With the profile's `ca_bundle`, where neither code nor environment name one.
    pub(crate) fn or_profile_bundle(mut self, path: Option<&str>) -> Self {
        let of_profile = path.map(|path| ("ca_bundle of the AWS profile".to_owned(), PathBuf::from(path)));
        self.added.bundle = self.added.bundle.or(of_profile);
        self
    }
}
