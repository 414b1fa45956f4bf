//! Links under which the files of a stored result can be fetched without credentials, for a while.

use std::time::Duration;

use aws_sdk_s3::config::ProvideCredentials;
use aws_sdk_s3::presigning::PresigningConfig;
use claude_code_core::{Error, Kind, Result, Scope, UtcMillis};

use crate::clock;
use crate::results::{AwsResults, keys_at, s3_key};

/// The longest life of a link: an hour.
const LONGEST: Duration = Duration::from_secs(3600);
/// A link ends so long before the credentials that signed it: clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// A link to one file.
#[derive(Clone, PartialEq, Eq)]
pub struct Download {
    /// The file's name within the result.
    pub path: String,
    /// Gives the file to whoever has it, until it ends.
    pub url: String,
    /// When it ends.
    pub expires_at: UtcMillis,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

// Whoever has the link has the file: Debug does not tell it.
impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Download({:?}, until {})", self.path, self.expires_at.iso())
    }
}

impl AwsResults {
    /// A link for each file of a result, for an hour, or for less where the credentials that sign it end sooner. A
    /// browser saves what it gets as a file and never shows it as a page.
    ///
    /// Fails with `NotFound` outside the scope, and with `Credentials` if these end within a minute.
    pub async fn download(&self, scope: &Scope, id: &str) -> Result<Vec<Download>> {
        let item = self.item(scope, id).await?;
        let (names, hashes): (Vec<String>, Vec<String>) = self.files(&item).await?.into_iter().unzip();
        let (client, life) = self.presigner().await?;
        let expires_at = self.clock.now().plus(life);
        let mut links = Vec::with_capacity(names.len());
        let keys = keys_at(s3_key(&item).unwrap_or_default(), &names);
        for ((path, key), sha256) in names.into_iter().zip(keys).zip(hashes) {
            let url = presign(&client, &self.bucket, &key, life).await?;
            links.push(Download { path, url, expires_at, sha256 });
        }
        Ok(links)
    }

    /// A client with the very credentials whose end was looked at, and how long links that it signs may live.
    async fn presigner(&self) -> Result<(aws_sdk_s3::Client, Duration)> {
        let Some(provider) = &self.credentials else { return Ok((self.s3.clone(), LONGEST)) };
        let credentials = provider.provide_credentials().await.map_err(|_| {
            Error::new(Kind::Credentials, "no credentials for download links: check the role or profile")
        })?;
        let left = credentials.expiry().and_then(clock::millis).map(|end| end.since(self.clock.now()));
        let life = left.map_or(LONGEST, |left| left.saturating_sub(MARGIN).min(LONGEST));
        // Whole seconds are signed.
        let life = Duration::from_secs(life.as_secs());
        if life.is_zero() {
            return Err(Error::new(
                Kind::Credentials,
                "the credentials end within a minute: a download link would too; renew them, or ask again then",
            ));
        }
        let config = self.s3.config().to_builder().credentials_provider(credentials).build();
        Ok((aws_sdk_s3::Client::from_conf(config), life))
    }
}

async fn presign(client: &aws_sdk_s3::Client, bucket: &str, key: &str, life: Duration) -> Result<String> {
    let unsigned = |_| Error::new(Kind::Storage, format!("no link for s3://{bucket}/{key} could be signed"));
    let config = PresigningConfig::expires_in(life).map_err(|error| unsigned(error.to_string()))?;
    let signed = client
        .get_object()
        .bucket(bucket)
        .key(key)
        .response_content_disposition("attachment")
        .response_content_type("text/plain")
        .presigned(config)
        .await;
    signed.map(|signed| signed.uri().to_owned()).map_err(|error| unsigned(error.to_string()))
}
