//! S3 client, and the meaning of its errors.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use claude_code_core::answer::file::sha256_hex;
use claude_code_core::{Error, ErrorKind, Generation, Result};
use futures_util::{StreamExt, stream};

/// How long one try may take, upload included: an object has a few megabytes at most, and a slow line a tenth of one
/// in a second.
const ATTEMPT: Duration = Duration::from_secs(60);
/// The same with all of the SDK's tries.
const OPERATION: Duration = Duration::from_secs(180);
/// Objects that are removed at the same time.
const AT_ONCE: usize = 8;
/// Puts that met a concurrent one are tried again so often.
const CONFLICT_TRIES: u32 = 5;

/// S3 as this configuration reaches it. A custom endpoint gets what servers beside AWS need: the bucket in the path,
/// and checksums only where they are required.
pub fn client(sdk: &SdkConfig) -> Client {
    let limits = crate::connect::transport::limits(sdk, ATTEMPT, OPERATION);
    let mut config = aws_sdk_s3::config::Builder::from(sdk).timeout_config(limits);
    if has_endpoint(sdk) {
        config = config
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    }
    Client::from_conf(config.build())
}

fn has_endpoint(sdk: &SdkConfig) -> bool {
    let configured = sdk.service_config().and_then(|service| {
        let key = aws_types::service_config::ServiceConfigKey::builder()
            .service_id("S3")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        key.ok().and_then(|key| service.load_config(key))
    });
    sdk.endpoint_url().is_some() || configured.is_some()
}

/// What is put beside an object.
#[derive(Clone, Debug)]
pub(crate) struct About<'a> {
    pub(crate) id: &'a str,
    pub(crate) language: &'a str,
    pub(crate) timestamp: &'a str,
    pub(crate) prompt_hash: &'a str,
}

impl<'a> About<'a> {
    /// What is put beside the objects of this result, whose time and prompt's hash are given in text.
    pub(crate) fn of(generation: &'a Generation, timestamp: &'a str, prompt_hash: &'a str) -> Self {
        About { id: &generation.id, language: generation.language.as_str(), timestamp, prompt_hash }
    }

    /// As metadata of an object with this body.
    pub(crate) fn metadata(&self, body: &[u8]) -> [(&'static str, String); 5] {
        [
            ("id", ascii(self.id)),
            ("language", ascii(self.language)),
            ("timestamp", ascii(self.timestamp)),
            ("prompt-sha256", self.prompt_hash.to_owned()),
            ("sha256", sha256_hex(body)),
        ]
    }
}

/// Puts an object that must not be there yet. The same bytes there already are a success: a lost reply was repeated.
pub(crate) async fn put_new(
    client: &Client,
    bucket: &str,
    key: &str,
    body: &[u8],
    about: &About<'_>,
) -> Result<()> {
    let metadata: HashMap<String, String> =
        about.metadata(body).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for attempt in 1.. {
        let put = client
            .put_object()
            .bucket(bucket)
            .key(key)
            .if_none_match("*")
            .content_type("text/plain; charset=utf-8")
            .set_metadata(Some(metadata.clone()))
            .body(ByteStream::from(body.to_vec()))
            .send()
            .await;
        let Err(failed) = put else { return Ok(()) };
        match failed.raw_response().map(|raw| raw.status().as_u16()) {
            Some(409) if attempt < CONFLICT_TRIES => tokio::time::sleep(pause(attempt)).await,
            Some(412) => return same(client, bucket, key, body).await,
            _ => return Err(error("put", bucket, key, &failed)),
        }
    }
    Ok(())
}

fn pause(attempt: u32) -> Duration {
    Duration::from_millis(20 << attempt.min(6))
}

/// Metadata travels in headers, which are ASCII: everything else is written as `%XX`.
fn ascii(text: &str) -> String {
    let plain = |byte: u8| (byte.is_ascii_graphic() && byte != b'%') || byte == b' ';
    text.trim()
        .bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// What is there is compared itself and not the hash beside it: whoever put it may have written another one.
async fn same(client: &Client, bucket: &str, key: &str, body: &[u8]) -> Result<()> {
    if sha256_hex(&get(client, bucket, key).await?) == sha256_hex(body) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!("s3://{bucket}/{key} exists with other content: nothing was overwritten"),
    ))
}

/// The bytes of an object.
pub(crate) async fn get(client: &Client, bucket: &str, key: &str) -> Result<Vec<u8>> {
    let got = client.get_object().bucket(bucket).key(key).send().await;
    let got = got.map_err(|failed| error("get", bucket, key, &failed))?;
    let body = got.body.collect().await.map_err(|_| {
        Error::new(ErrorKind::Storage, format!("s3://{bucket}/{key} broke off while it was read: try again"))
    })?;
    Ok(body.to_vec())
}

/// Removes an object; one that is not there is a success.
pub(crate) async fn delete(client: &Client, bucket: &str, key: &str) -> Result<()> {
    let deleted = client.delete_object().bucket(bucket).key(key).send().await;
    deleted.map(|_| ()).map_err(|failed| error("delete", bucket, key, &failed))
}

/// The versions of the objects under a prefix, delete markers among them: key and version id.
pub(crate) async fn versions(client: &Client, bucket: &str, prefix: &str) -> Result<Vec<(String, String)>> {
    let (mut found, mut from) = (Vec::new(), (None, None));
    loop {
        let list = client.list_object_versions().bucket(bucket).prefix(prefix);
        let page = list.set_key_marker(from.0).set_version_id_marker(from.1).send().await;
        let page = page.map_err(|failed| error("list versions of", bucket, prefix, &failed))?;
        let objects = page.versions().iter().map(|v| (v.key(), v.version_id()));
        let markers = page.delete_markers().iter().map(|v| (v.key(), v.version_id()));
        found.extend(
            objects.chain(markers).filter_map(|(key, version)| Some((key?.to_owned(), version?.to_owned()))),
        );
        from = (page.next_key_marker, page.next_version_id_marker);
        if page.is_truncated != Some(true) || from.0.is_none() {
            return Ok(found);
        }
    }
}

/// Removes objects with all of their versions. `prefix` begins each key. Where the role may not list or delete versions,
/// a versioned bucket keeps them under a delete marker, until its rule for noncurrent versions ends them.
pub(crate) async fn erase(client: &Client, bucket: &str, prefix: &str, keys: &[String]) {
    let versions = &versions(client, bucket, prefix).await.ok();
    let erased = |key| async move {
        let of_key = versions.iter().flatten().filter(|(of, _)| of == key);
        let whole = versions.is_some() && are_deleted(client, bucket, key, of_key).await;
        if !whole && let Err(error) = delete(client, bucket, key).await {
            tracing::warn!(%error, "an object of a deleted result stays until it is swept up");
        }
    };
    stream::iter(keys.iter().map(String::as_str)).for_each_concurrent(AT_ONCE, erased).await;
}

/// Removes versions for good. False: at least one stays.
async fn are_deleted<'a>(
    client: &Client,
    bucket: &str,
    key: &str,
    versions: impl Iterator<Item = &'a (String, String)>,
) -> bool {
    let mut all = true;
    for (_, version) in versions {
        all &= client.delete_object().bucket(bucket).key(key).version_id(version).send().await.is_ok();
    }
    all
}

/// One line about a failed call, without the service's raw answer.
pub(crate) fn error<E, R>(verb: &str, bucket: &str, key: &str, failed: &SdkError<E, R>) -> Error
where
    SdkError<E, R>: ProvideErrorMetadata + StdError + 'static,
{
    let own = [
        ("NoSuchBucket", "create the bucket, or set CLAUDE_CODE_AWS_BUCKET_NAME"),
        ("AccessDenied", "allow s3:PutObject and s3:GetObject on it"),
    ];
    let kind = match failed.code() {
        Some("NoSuchKey" | "NotFound") => ErrorKind::NotFound,
        _ => ErrorKind::Storage,
    };
    Error::new(kind, crate::storage::failure::told(&format!("{verb} s3://{bucket}/{key}"), failed, &own))
}
