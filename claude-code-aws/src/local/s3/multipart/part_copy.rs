//! A part of an upload taken from an object that is already stored.

use bytes::Bytes;
use md5::{Digest, Md5};
use s3s::dto::{CopyPartResult, ETag, Range, UploadPartCopyInput, UploadPartCopyOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::upload::{self, check_number, wanted};
use crate::local::s3::condition::{source_conditions, timestamp};
use crate::local::s3::copy::source;
use crate::local::s3::payload::{Payload, digest, hex, set_checksums};
use crate::local::s3::service::Store;
use crate::local::s3::version;
use crate::local::server::clock;

/// The bytes of a source that a request names, all of them without a range. Fails with InvalidRange.
fn cut(data: &Bytes, range: Option<Range>) -> S3Result<Bytes> {
    let Some(range) = range else { return Ok(data.clone()) };
    let range = range.check(u64::try_from(data.len()).unwrap_or(u64::MAX))?;
    let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(data.len());
    Ok(data.slice(bound(range.start)..bound(range.end)))
}

pub(in crate::local::s3) async fn copy_part(
    store: &Store,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let mut input = request.input;
    check_number(input.part_number)?;
    let (bucket, key, id) = source(input.copy_source)?;
    let range = input.copy_source_range.as_deref().map(Range::parse).transpose();
    let range =
        range.map_err(|_| s3_error!(InvalidArgument, "x-amz-copy-source-range is bytes=FIRST-LAST"))?;
    let conditions = source_conditions!(input);
    let (etag, checksums, source_id) = store
        .write(move |tx| {
            let found = upload::find(tx, &input.bucket, &input.key, &input.upload_id)?;
            let (kept, from) = version::find(tx, &bucket, &key, id.as_deref())?;
            conditions.check_source(&from)?;
            let data = cut(&version::body(tx, from.seq)?, range)?;
            let checksums = digest(&data, &wanted(found.algorithm.as_deref()));
            let payload = Payload { etag: hex(&Md5::digest(&data)), checksums, data };
            upload::put_part(tx, &found.id, input.part_number, &payload)?;
            Ok((payload.etag, payload.checksums, kept.shown(&from.id)))
        })
        .await?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(etag)),
        last_modified: Some(timestamp(clock::now_millis())),
        ..Default::default()
    };
    set_checksums!(result, checksums);
    let output = UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: source_id,
        ..Default::default()
    };
    Ok(S3Response::new(output))
}
