//! Credential rotation: files with credentials that change while a process runs, and how long a provider may take.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::config::{IdentityCache, ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use futures_util::future::BoxFuture;

use super::chain::UNUSABLE;
use super::files::{Files, Stamps};
use super::pasted;

/// How long credentials may take: a credential_process may ask a person or another machine.
pub(super) const LOAD_LIMIT: Duration = Duration::from_secs(30);

/// Makes a chain of credential providers anew.
type Chain = Arc<dyn Fn() -> BoxFuture<'static, Option<SharedCredentialsProvider>> + Send + Sync>;

/// Credentials that are looked for anew when their files have changed.
pub(crate) struct Rereading {
    files: Files,
    chain: Chain,
    current: Mutex<(Stamps, SharedCredentialsProvider)>,
}

impl std::fmt::Debug for Rereading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rereading").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Rereading {
    /// Over the environment's files; `first` was made just now.
    pub(crate) fn new(first: SharedCredentialsProvider, chain: Chain) -> Self {
        Rereading::over(Files::of_env(), first, chain)
    }

    fn over(files: Files, first: SharedCredentialsProvider, chain: Chain) -> Self {
        let current = Mutex::new((files.stamps(), first));
        Rereading { files, chain, current }
    }

    async fn provider(&self) -> SharedCredentialsProvider {
        let stamps = self.files.stamps();
        let (known, provider) = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known == stamps {
            return provider;
        }
        let provider = (self.chain)().await.unwrap_or(provider);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = (stamps, provider.clone());
        provider
    }
}

impl ProvideCredentials for Rereading {
    fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        aws_credential_types::provider::future::ProvideCredentials::new(async move {
            let found = self.provider().await.provide_credentials().await?;
            let parts = [Some(found.access_key_id()), Some(found.secret_access_key()), found.session_token()];
            let is_usable = parts.into_iter().flatten().all(pasted::is_usable);
            if is_usable { Ok(found) } else { Err(CredentialsError::invalid_configuration(UNUSABLE)) }
        })
    }
}

/// Identity cache that forgets everything when files with credentials have changed.
#[derive(Debug)]
pub(crate) struct Rotating {
    files: Files,
    current: Mutex<(Stamps, SharedIdentityCache)>,
}

impl Rotating {
    pub(crate) fn new() -> Self {
        let files = Files::of_env();
        let current = Mutex::new((files.stamps(), lazy()));
        Rotating { files, current }
    }

    fn cache(&self) -> SharedIdentityCache {
        let stamps = self.files.stamps();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != stamps {
            *current = (stamps, lazy());
        }
        current.1.clone()
    }
}

fn lazy() -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(LOAD_LIMIT).build()
}

impl ResolveCachedIdentity for Rotating {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let cache = self.cache();
        IdentityFuture::new(async move { cache.resolve_cached_identity(resolver, components, config).await })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use aws_credential_types::Credentials;

    use super::super::told;
    use super::*;

    /// A login that nobody finishes.
    #[derive(Debug)]
    struct Waiting;

    impl ProvideCredentials for Waiting {
        fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            aws_credential_types::provider::future::ProvideCredentials::new(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_that_nobody_gives_are_given_up_after_half_a_minute() {
        let sdk = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::from_static("us-east-1"))
            .identity_cache(Rotating::new())
            .credentials_provider(SharedCredentialsProvider::new(Waiting))
            .build();
        let begun = tokio::time::Instant::now();
        let failed = aws_sdk_sts::Client::new(&sdk).get_caller_identity().send().await.unwrap_err();
        assert!(told(&failed).unwrap().contains("were not there within 30 s"), "{failed:?}");
        assert_eq!(begun.elapsed().as_secs(), 30);
    }

    #[tokio::test]
    async fn credentials_are_read_again_when_their_file_has_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials");
        std::fs::write(&path, "old").unwrap();
        let own = path.clone();
        let read = move || {
            let key = std::fs::read_to_string(&own).unwrap();
            SharedCredentialsProvider::new(Credentials::new(key, "secret", None, None, "test"))
        };
        let (first, again) = (read(), read.clone());
        let chain: Chain = Arc::new(move || {
            let provider = again();
            Box::pin(async move { Some(provider) })
        });
        let provider = Rereading::over(Files::over(vec![path.clone()]), first, chain);
        let key = async || provider.provide_credentials().await.unwrap().access_key_id().to_owned();
        assert_eq!(key().await, "old");
        std::fs::write(&path, "rotated").unwrap();
        assert_eq!(key().await, "rotated");
    }
}
