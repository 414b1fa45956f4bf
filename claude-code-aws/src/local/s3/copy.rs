//! CopyObject within the store.

use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::condition::{millis, source_conditions, timestamp};
use super::object::stored_encoding;
use super::payload::{digest, hex, set_checksums};
use super::service::Store;
use super::tags;
use super::version::{self, Attributes, Checksums, NewVersion};
use crate::local::server::clock;

/// Where a copy comes from: bucket, key and version. Fails for access points, which the store does not have.
pub(super) fn source(source: CopySource) -> S3Result<(String, String, Option<String>)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            Ok((bucket.into(), key.into(), version_id.map(Into::into)))
        }
        _ => Err(s3_error!(NotImplemented, "the local store has no access points")),
    }
}

const ONTO_ITSELF: &str = "This copy request is illegal because it is trying to copy an object to itself without \
                           changing the object's metadata";

/// What the copy takes from its request where it does not take it from its source.
struct Replacement {
    attributes: Attributes,
    metadata: bool,
    tagging: bool,
    algorithm: Option<String>,
}

fn replacement(input: &CopyObjectInput) -> S3Result<Replacement> {
    let is = |directive: Option<&str>| directive == Some("REPLACE");
    let attributes = Attributes {
        content_type: input.content_type.clone(),
        cache_control: input.cache_control.clone(),
        content_disposition: input.content_disposition.clone(),
        content_encoding: stored_encoding(input.content_encoding.clone()),
        content_language: input.content_language.clone(),
        expires: input.expires.clone().map(millis),
        metadata: input.metadata.clone().unwrap_or_default().into_iter().collect(),
        tags: tags::from_header(input.tagging.as_deref())?,
        checksums: Checksums::default(),
    };
    Ok(Replacement {
        attributes,
        metadata: is(input.metadata_directive.as_ref().map(s3s::dto::MetadataDirective::as_str)),
        tagging: is(input.tagging_directive.as_ref().map(s3s::dto::TaggingDirective::as_str)),
        algorithm: input.checksum_algorithm.as_ref().map(|algorithm| algorithm.as_str().to_owned()),
    })
}

impl Replacement {
    /// The attributes of the copy of a source with these bytes.
    fn over(self, source: Attributes, data: &[u8]) -> Attributes {
        let tags = if self.tagging { self.attributes.tags.clone() } else { source.tags.clone() };
        let checksums = checksums(source.checksums.clone(), self.algorithm.as_deref(), data);
        let base = if self.metadata { self.attributes } else { source };
        Attributes { tags, checksums, ..base }
    }
}

/// The checksums of a copy: the source's where they are of its bytes, else new ones.
fn checksums(kept: Checksums, algorithm: Option<&str>, data: &[u8]) -> Checksums {
    let mut wanted = kept;
    if let Some(algorithm) = algorithm {
        wanted = Checksums::default();
        if let Some(slot) = wanted.slot(algorithm) {
            *slot = Some(String::new());
        }
    }
    digest(data, &wanted)
}

pub(super) async fn copy(
    store: &Store,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let mut input = request.input;
    let replacement = replacement(&input)?;
    let (bucket, key, id) = source(input.copy_source)?;
    let changes = replacement.metadata || replacement.tagging || id.is_some();
    if bucket == input.bucket && key == input.key && !changes {
        return Err(s3_error!(InvalidRequest, "{ONTO_ITSELF}"));
    }
    let conditions = source_conditions!(input);
    let (target_bucket, target_key) = (input.bucket, input.key);
    let (etag, sums, source_id, target_id) = store
        .write(move |tx| {
            let (kept, found) = version::find(tx, &bucket, &key, id.as_deref())?;
            conditions.check_source(&found)?;
            let data = version::body(tx, found.seq)?;
            let attributes = replacement.over(found.attributes, &data);
            let sums = attributes.checksums.clone();
            // A copy is written at once, so it has a plain MD5 even where its source was made of parts.
            let etag = hex(&<md5::Md5 as md5::Digest>::digest(&data));
            let new = NewVersion { key: target_key, etag: etag.clone(), data, attributes };
            let target = version::insert(tx, &target_bucket, &new)?;
            Ok((etag, sums, kept.shown(&found.id), target))
        })
        .await?;
    let output = CopyObjectOutput {
        copy_object_result: Some(result(etag, sums)),
        copy_source_version_id: source_id,
        version_id: target_id,
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

fn result(etag: String, checksums: Checksums) -> CopyObjectResult {
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(etag)),
        last_modified: Some(timestamp(clock::now_millis())),
        checksum_type: checksums.kind(),
        ..Default::default()
    };
    set_checksums!(result, checksums);
    result
}
