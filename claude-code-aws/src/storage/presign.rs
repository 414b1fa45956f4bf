//! Presigned URLs: links to stored objects that need no credentials and expire. The one place that signs them.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::presigning::PresigningConfig;
use claude_code_core::{Clock, Error, ErrorKind, Result, UtcMillis};

use crate::clock;

/// The longest life of a link: an hour.
const LONGEST: Duration = Duration::from_secs(3600);
/// A link ends so long before the credentials that signed it: clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// Signs with the very credentials whose end was looked at, for as long as these allow.
#[derive(Debug)]
pub(crate) struct Presigner {
    s3: aws_sdk_s3::Client,
    life: Duration,
    /// When the links end.
    pub(crate) expires_at: UtcMillis,
}

impl Presigner {
    /// A presigner for links that begin now. Fails with `Credentials` if these cannot be had or end within a minute.
    pub(crate) async fn new(
        s3: &aws_sdk_s3::Client,
        credentials: Option<&SharedCredentialsProvider>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self> {
        let now = clock.now();
        let Some(provider) = credentials else {
            return Ok(Presigner { s3: s3.clone(), life: LONGEST, expires_at: now.plus(LONGEST) });
        };
        let credentials = provider.provide_credentials().await.map_err(|_| {
            Error::new(ErrorKind::Credentials, "no credentials for download links: check the role or profile")
        })?;
        let life = life(credentials.expiry().and_then(clock::millis).map(|end| end.since(now)))?;
        let config = s3.config().to_builder().credentials_provider(credentials).build();
        Ok(Presigner { s3: aws_sdk_s3::Client::from_conf(config), life, expires_at: now.plus(life) })
    }

    /// A link to an object, which a browser saves under this file's name and never shows as a page.
    pub(crate) async fn url(&self, bucket: &str, key: &str, path: &str) -> Result<String> {
        let unsigned = |_: &dyn std::error::Error| {
            Error::new(ErrorKind::Storage, format!("no link for s3://{bucket}/{key} could be signed"))
        };
        let config = PresigningConfig::expires_in(self.life).map_err(|error| unsigned(&error))?;
        let signed = self
            .s3
            .get_object()
            .bucket(bucket)
            .key(key)
            .response_content_disposition(format!("attachment; filename=\"{}\"", plain(path)))
            .response_content_type("text/plain; charset=utf-8")
            .presigned(config)
            .await;
        signed.map(|signed| signed.uri().to_owned()).map_err(|error| unsigned(&error))
    }
}

/// An hour, or what the credentials leave less a minute, in whole seconds: those are signed.
fn life(credentials_left: Option<Duration>) -> Result<Duration> {
    let most = credentials_left.map_or(LONGEST, |left| left.saturating_sub(MARGIN).min(LONGEST));
    let life = Duration::from_secs(most.as_secs());
    if life.is_zero() {
        return Err(Error::new(
            ErrorKind::Credentials,
            "the credentials end within a minute: a download link would too; renew them, or ask again then",
        ));
    }
    Ok(life)
}

/// The last part of a path, in characters that a header takes between quotation marks.
fn plain(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or("file");
    name.replace(|c: char| !c.is_ascii_graphic() || matches!(c, '"' | '\\'), "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_never_outlives_the_credentials_that_signed_it() {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        assert_eq!(life(None).ok(), Some(LONGEST));
        assert_eq!(life(Some(minutes(600))).ok(), Some(LONGEST));
        assert_eq!(life(Some(minutes(5))).ok(), Some(minutes(4)));
        assert!(life(Some(minutes(1))).is_err());
    }

    #[test]
    fn a_name_stays_within_its_quotation_marks() {
        assert_eq!(plain("src/a \"b\"\\.py"), "a__b__.py");
        assert_eq!(plain("ä.py"), "_.py");
    }
}
