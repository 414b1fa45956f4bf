//! Upload payload: its bytes, and the checksums that must agree with them.

use aws_smithy_types::base64;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::{Checksum, StreamingBlob};
use s3s::{S3Error, S3Result, TrailingHeaders, s3_error};

use super::version::Checksums;

/// The longest object. It is held in memory and in one SQLite value (whose own limit is 1 GB).
pub(super) const MAX_OBJECT: usize = 512 * 1024 * 1024;

/// Bytes whose digests were verified.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) data: Bytes,
    /// MD5 in hex.
    pub(super) etag: String,
    pub(super) checksums: Checksums,
}

/// Digests that a request declares before the body; trailers may bring further ones after it.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) md5: Option<String>,
    pub(super) checksums: Checksums,
}

/// Reads a body to its end and verifies every digest declared for it.
///
/// Fails with BadDigest where one differs, EntityTooLarge past [`MAX_OBJECT`], IncompleteBody where the body
/// breaks off. Nothing is stored before this returned.
pub(super) async fn receive(
    body: Option<StreamingBlob>,
    declared: Declared,
    trailers: Option<TrailingHeaders>,
) -> S3Result<Payload> {
    let data = read(body).await?;
    let mut expected = declared.checksums;
    if let Some(headers) = trailers.and_then(|trailers| trailers.take()) {
        add_trailers(&mut expected, &headers);
    }
    let md5 = Md5::digest(&data);
    if declared.md5.is_some_and(|declared| declared != base64::encode(md5)) {
        return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received"));
    }
    let checksums = digest(&data, &expected);
    verify(&expected, &checksums)?;
    Ok(Payload { etag: hex(&md5), data, checksums })
}

async fn read(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut data = BytesMut::new();
    let Some(mut body) = body else { return Ok(Bytes::new()) };
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| match error.downcast::<S3Error>() {
            Ok(error) => *error,
            Err(error) => s3_error!(IncompleteBody, "the request's body broke off: {error}"),
        })?;
        if data.len() + chunk.len() > MAX_OBJECT {
            return Err(s3_error!(
                EntityTooLarge,
                "the local store holds objects of at most {MAX_OBJECT} bytes"
            ));
        }
        data.extend_from_slice(&chunk);
    }
    Ok(data.freeze())
}

fn add_trailers(expected: &mut Checksums, headers: &http::HeaderMap) {
    let take = |slot: &mut Option<String>, name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(value) = value {
            *slot = Some(value.trim().to_owned());
        }
    };
    take(&mut expected.crc32, "x-amz-checksum-crc32");
    take(&mut expected.crc32c, "x-amz-checksum-crc32c");
    take(&mut expected.crc64nvme, "x-amz-checksum-crc64nvme");
    take(&mut expected.sha1, "x-amz-checksum-sha1");
    take(&mut expected.sha256, "x-amz-checksum-sha256");
}

/// Computes the checksums that `wanted` names, or CRC64NVME where it names none, as S3 does.
pub(super) fn digest(data: &[u8], wanted: &Checksums) -> Checksums {
    let none = wanted.is_empty();
    let mut hasher = ChecksumHasher {
        crc32: wanted.crc32.is_some().then(Crc32::new),
        crc32c: wanted.crc32c.is_some().then(Crc32c::new),
        sha1: wanted.sha1.is_some().then(Sha1::new),
        sha256: wanted.sha256.is_some().then(Sha256::new),
        crc64nvme: (none || wanted.crc64nvme.is_some()).then(Crc64Nvme::new),
    };
    hasher.update(data);
    Checksums::from(hasher.finalize())
}

/// Compares what was declared with what was computed.
pub(super) fn verify(expected: &Checksums, computed: &Checksums) -> S3Result<()> {
    for ((name, declared), (_, actual)) in expected.named().into_iter().zip(computed.named()) {
        if declared.is_some() && declared != actual {
            return Err(s3_error!(
                BadDigest,
                "The {name} you specified did not match the calculated checksum."
            ));
        }
    }
    Ok(())
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<Checksum> for Checksums {
    fn from(from: Checksum) -> Self {
        Checksums {
            crc32: from.checksum_crc32,
            crc32c: from.checksum_crc32c,
            crc64nvme: from.checksum_crc64nvme,
            sha1: from.checksum_sha1,
            sha256: from.checksum_sha256,
            composite: false,
        }
    }
}

impl Checksums {
    /// The values with S3's names for them, always in the same order.
    pub(super) fn named(&self) -> [(&'static str, Option<&String>); 5] {
        [
            ("CRC32", self.crc32.as_ref()),
            ("CRC32C", self.crc32c.as_ref()),
            ("CRC64NVME", self.crc64nvme.as_ref()),
            ("SHA1", self.sha1.as_ref()),
            ("SHA256", self.sha256.as_ref()),
        ]
    }

    /// The slot of an algorithm by S3's name for it.
    pub(super) fn slot(&mut self, algorithm: &str) -> Option<&mut Option<String>> {
        Some(match algorithm {
            "CRC32" => &mut self.crc32,
            "CRC32C" => &mut self.crc32c,
            "CRC64NVME" => &mut self.crc64nvme,
            "SHA1" => &mut self.sha1,
            "SHA256" => &mut self.sha256,
            _ => return None,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.named().iter().all(|(_, value)| value.is_none())
    }

    /// How S3 names the way they were made.
    pub(super) fn kind(&self) -> Option<s3s::dto::ChecksumType> {
        let name = if self.composite { "COMPOSITE" } else { "FULL_OBJECT" };
        (!self.is_empty()).then(|| s3s::dto::ChecksumType::from_static(name))
    }
}

/// The five checksum members that several of S3's structures have, moved into [`Checksums`].
macro_rules! checksums_of {
    ($input:expr) => {
        $crate::local::s3::version::Checksums {
            crc32: $input.checksum_crc32.take(),
            crc32c: $input.checksum_crc32c.take(),
            crc64nvme: $input.checksum_crc64nvme.take(),
            sha1: $input.checksum_sha1.take(),
            sha256: $input.checksum_sha256.take(),
            composite: false,
        }
    };
}

/// The other way: checksums into an answer's five members.
macro_rules! set_checksums {
    ($output:expr, $checksums:expr) => {{
        let checksums = $checksums;
        $output.checksum_crc32 = checksums.crc32;
        $output.checksum_crc32c = checksums.crc32c;
        $output.checksum_crc64nvme = checksums.crc64nvme;
        $output.checksum_sha1 = checksums.sha1;
        $output.checksum_sha256 = checksums.sha256;
    }};
}

pub(super) use {checksums_of, set_checksums};
