//! Conditional requests: If-Match, If-None-Match and the two dates.

use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use super::version::{Version, no_such_key};

/// The conditions of a request, for reads and for the source of a copy.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

/// The conditions on the source of a copy, out of its input.
macro_rules! source_conditions {
    ($input:expr) => {
        $crate::local::s3::condition::Conditions {
            if_match: $input.copy_source_if_match.take(),
            if_none_match: $input.copy_source_if_none_match.take(),
            if_modified_since: $input.copy_source_if_modified_since.take(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.take(),
        }
    };
}

pub(super) use source_conditions;

/// A time of ours as S3's type.
pub(super) fn timestamp(millis: i64) -> Timestamp {
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000);
    Timestamp::from(time.unwrap_or(time::OffsetDateTime::UNIX_EPOCH))
}

/// A time of S3's as ours, in milliseconds since 1970.
pub(super) fn millis(timestamp: Timestamp) -> i64 {
    let time = time::OffsetDateTime::from(timestamp);
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

fn matches(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.weak_cmp(&ETag::Strong(etag.to_owned())),
    }
}

fn failed(condition: &str) -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold: {condition}"
    )
}

impl Conditions {
    /// Whether a read of this version goes on. An etag condition outranks the date beside it (RFC 9110, 13.2.2).
    /// Fails with PreconditionFailed (412) or NotModified (304).
    pub(super) fn check_read(&self, version: &Version) -> S3Result<()> {
        // HTTP dates have whole seconds.
        let modified = timestamp(version.modified / 1000 * 1000);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(wanted), _) if !matches(wanted, &version.etag) => return Err(failed("If-Match")),
            (None, Some(date)) if modified > *date => return Err(failed("If-Unmodified-Since")),
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(known), _) if matches(known, &version.etag) => Err(s3_error!(NotModified)),
            (None, Some(date)) if modified <= *date => Err(s3_error!(NotModified)),
            _ => Ok(()),
        }
    }

    /// As for a read, where the version is the source of a copy: there every failure is a 412.
    pub(super) fn check_source(&self, version: &Version) -> S3Result<()> {
        self.check_read(version).map_err(|_| failed("x-amz-copy-source-if-…"))
    }
}

/// Whether a write over `latest` goes on. Fails with PreconditionFailed (412), or NoSuchKey (404) where
/// If-Match meets nothing.
pub(super) fn check_write(
    latest: Option<&Version>,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let latest = latest.filter(|version| !version.marker);
    if let Some(wanted) = if_match {
        let version = latest.ok_or_else(no_such_key)?;
        if !matches(wanted, &version.etag) {
            return Err(failed("If-Match"));
        }
    }
    if let (Some(known), Some(version)) = (if_none_match, latest)
        && matches(known, &version.etag)
    {
        return Err(failed("If-None-Match"));
    }
    Ok(())
}
