//! Objects: put, get, head and delete.

use bytes::Bytes;
use rusqlite::Transaction;
use s3s::dto::{
    Delete, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, PutObjectInput,
    PutObjectOutput, StreamingBlob,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::condition::{Conditions, check_write, millis, timestamp};
use super::payload::{Declared, checksums_of, receive, set_checksums};
use super::service::{Outcome, Store};
use super::tags;
use super::version::{self, Attributes, NewVersion, Version, Versioning};

pub(super) async fn put(
    store: &Store,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let mut input = request.input;
    let declared = Declared { md5: input.content_md5.take(), checksums: checksums_of!(input) };
    let payload = receive(input.body.take(), declared, request.trailing_headers).await?;
    let attributes = Attributes {
        content_type: input.content_type,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: stored_encoding(input.content_encoding),
        content_language: input.content_language,
        expires: input.expires.map(millis),
        metadata: input.metadata.unwrap_or_default().into_iter().collect(),
        tags: tags::from_header(input.tagging.as_deref())?,
        checksums: payload.checksums.clone(),
    };
    let new = NewVersion { key: input.key, etag: payload.etag.clone(), data: payload.data, attributes };
    let (if_match, if_none_match) = (input.if_match, input.if_none_match);
    let id = store
        .write(move |tx| {
            let latest = version::latest(tx, &input.bucket, &new.key)?;
            check_write(latest.as_ref(), if_match.as_ref(), if_none_match.as_ref())?;
            version::insert(tx, &input.bucket, &new)
        })
        .await?;
    let mut output =
        PutObjectOutput { e_tag: Some(ETag::Strong(payload.etag)), version_id: id, ..Default::default() };
    output.checksum_type = payload.checksums.kind();
    set_checksums!(output, payload.checksums);
    Ok(S3Response::new(output))
}

/// `aws-chunked` is how the body travelled, not what it is.
pub(super) fn stored_encoding(encoding: Option<String>) -> Option<String> {
    let encoding = encoding?;
    let kept: Vec<_> = encoding.split(',').map(str::trim).filter(|one| *one != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// A version as a read answers it: which bytes of how many.
struct Found {
    versioning: Versioning,
    version: Version,
    range: std::ops::Range<u64>,
    partial: bool,
}

/// What get and head have in common, in one shape.
struct Read {
    bucket: String,
    key: String,
    id: Option<String>,
    range: Option<s3s::dto::Range>,
    part: Option<i32>,
    conditions: Conditions,
}

impl Read {
    fn find(&self, tx: &Transaction<'_>) -> Outcome<Found> {
        let (versioning, version) = version::find(tx, &self.bucket, &self.key, self.id.as_deref())?;
        self.conditions.check_read(&version)?;
        if self.part.is_some_and(|part| part != 1) {
            return Err(
                s3_error!(NotImplemented, "the local store does not read objects by part number").into()
            );
        }
        let size = u64::try_from(version.size).unwrap_or_default();
        let range = match self.range {
            Some(range) => range.check(size).map_err(s3s::S3Error::from)?,
            None => 0..size,
        };
        Ok(Found { versioning, version, range, partial: self.range.is_some() })
    }
}

/// The conditions and the place of a read, out of either input.
macro_rules! read_of {
    ($input:expr) => {
        Read {
            bucket: $input.bucket,
            key: $input.key,
            id: $input.version_id,
            range: $input.range,
            part: $input.part_number,
            conditions: Conditions {
                if_match: $input.if_match,
                if_none_match: $input.if_none_match,
                if_modified_since: $input.if_modified_since,
                if_unmodified_since: $input.if_unmodified_since,
            },
        }
    };
}

/// The members that the outputs of get and head share.
macro_rules! describe {
    ($output:ty, $found:expr, $checksums:expr) => {{
        let found = $found;
        let attributes = found.version.attributes;
        let size = found.version.size;
        let mut output = <$output>::default();
        output.accept_ranges = Some("bytes".to_owned());
        output.content_length = i64::try_from(found.range.end - found.range.start).ok();
        if found.partial {
            let last = found.range.end.saturating_sub(1);
            output.content_range = Some(format!("bytes {}-{last}/{size}", found.range.start));
        }
        output.content_type = attributes.content_type.or_else(|| Some("binary/octet-stream".to_owned()));
        output.cache_control = attributes.cache_control;
        output.content_disposition = attributes.content_disposition;
        output.content_encoding = attributes.content_encoding;
        output.content_language = attributes.content_language;
        output.expires = attributes.expires.map(timestamp);
        output.metadata =
            (!attributes.metadata.is_empty()).then(|| attributes.metadata.into_iter().collect());
        output.e_tag = Some(ETag::Strong(found.version.etag));
        output.last_modified = Some(timestamp(found.version.modified));
        output.version_id = found.versioning.shown(&found.version.id);
        // A part of the bytes cannot be checked against the whole's checksum, so none is sent with it.
        if $checksums && !found.partial {
            output.checksum_type = attributes.checksums.kind();
            set_checksums!(output, attributes.checksums);
        }
        output
    }};
}

pub(super) async fn get(
    store: &Store,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let input = request.input;
    let checksums = input.checksum_mode.is_some();
    let read = read_of!(input);
    let (found, body) = store
        .read(move |tx| {
            let found = read.find(tx)?;
            let body = version::body(tx, found.version.seq)?;
            Ok((found, body))
        })
        .await?;
    let tags = found.version.attributes.tags.len();
    let range = bounds(&found.range, &body);
    let mut output = describe!(GetObjectOutput, found, checksums);
    output.tag_count = (tags > 0).then(|| i32::try_from(tags).unwrap_or(i32::MAX));
    output.body = Some(StreamingBlob::from(s3s::Body::from(body.slice(range))));
    Ok(S3Response::new(output))
}

fn bounds(range: &std::ops::Range<u64>, body: &Bytes) -> std::ops::Range<usize> {
    let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(body.len());
    usize::try_from(range.start).unwrap_or(usize::MAX).min(end)..end
}

pub(super) async fn head(
    store: &Store,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = request.input;
    let checksums = input.checksum_mode.is_some();
    let read = read_of!(input);
    let found = store.read(move |tx| read.find(tx)).await?;
    Ok(S3Response::new(describe!(HeadObjectOutput, found, checksums)))
}

/// What a delete did.
struct Deleted {
    /// The marker that was set or removed, or the version that was removed.
    id: Option<String>,
    marker: bool,
}

/// Deletes a version for good, or a key in the way of its bucket. Deleting what is not there is no error.
fn remove(tx: &Transaction<'_>, bucket: &str, key: &str, id: Option<&str>) -> Outcome<Deleted> {
    let versioning = version::versioning(tx, bucket)?;
    if let Some(id) = id {
        let found = version::by_id(tx, bucket, key, id)?;
        if let Some(found) = &found {
            version::remove(tx, bucket, found)?;
        }
        let marker = found.is_some_and(|found| found.marker);
        return Ok(Deleted { id: versioning.shown(id), marker });
    }
    if versioning == Versioning::Never {
        if let Some(found) = version::latest(tx, bucket, key)? {
            version::remove(tx, bucket, &found)?;
        }
        return Ok(Deleted { id: None, marker: false });
    }
    let id = version::mark_deleted(tx, bucket, key, versioning)?;
    Ok(Deleted { id: Some(id), marker: true })
}

pub(super) async fn delete(
    store: &Store,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    let deleted = store
        .write(move |tx| {
            if input.if_match.is_some() {
                let latest = version::latest(tx, &input.bucket, &input.key)?;
                check_write(latest.as_ref(), input.if_match.as_ref(), None)?;
            }
            remove(tx, &input.bucket, &input.key, input.version_id.as_deref())
        })
        .await?;
    let output = DeleteObjectOutput {
        delete_marker: deleted.marker.then_some(true),
        version_id: deleted.id,
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

/// S3 takes at most this many keys in one request.
const MAX_KEYS: usize = 1000;

pub(super) async fn delete_many(
    store: &Store,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let DeleteObjectsInput { bucket, delete: Delete { objects, quiet }, .. } = request.input;
    if objects.is_empty() || objects.len() > MAX_KEYS {
        return Err(s3_error!(MalformedXML, "a batch deletes 1 to {MAX_KEYS} keys"));
    }
    let deleted = store
        .write(move |tx| {
            objects
                .into_iter()
                .map(|object| {
                    let done = remove(tx, &bucket, &object.key, object.version_id.as_deref())?;
                    Ok(DeletedObject {
                        delete_marker: done.marker.then_some(true),
                        delete_marker_version_id: done.id.filter(|_| done.marker),
                        key: Some(object.key),
                        version_id: object.version_id,
                    })
                })
                .collect::<Outcome<Vec<_>>>()
        })
        .await?;
    let deleted = (!quiet.unwrap_or(false)).then_some(deleted);
    Ok(S3Response::new(DeleteObjectsOutput { deleted, ..Default::default() }))
}
