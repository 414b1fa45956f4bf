//! Multipart uploads: create, upload a part, complete, abort, list.

use md5::{Digest, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedMultipartUpload, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListPartsInput, ListPartsOutput, Part as ListedPart, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::upload::{self, Upload};
use crate::local::s3::condition::{check_write, millis, timestamp};
use crate::local::s3::object::stored_encoding;
use crate::local::s3::payload::{Declared, checksums_of, hex, receive, set_checksums, verify};
use crate::local::s3::service::Store;
use crate::local::s3::tags;
use crate::local::s3::version::{self, Attributes, Checksums, NewVersion};

pub(in crate::local::s3) async fn create(
    store: &Store,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let input = request.input;
    let algorithm = input.checksum_algorithm.as_ref().map(|algorithm| algorithm.as_str().to_owned());
    let asked = input.checksum_type.as_ref().is_some_and(|kind| kind.as_str() == "FULL_OBJECT");
    let new = Upload {
        id: uuid::Uuid::now_v7().simple().to_string(),
        bucket: input.bucket,
        key: input.key,
        // This one exists for whole objects only.
        whole: asked || algorithm.as_deref() == Some("CRC64NVME"),
        algorithm,
        attributes: Attributes {
            content_type: input.content_type,
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: stored_encoding(input.content_encoding),
            content_language: input.content_language,
            expires: input.expires.map(millis),
            metadata: input.metadata.unwrap_or_default().into_iter().collect(),
            tags: tags::from_header(input.tagging.as_deref())?,
            checksums: Checksums::default(),
        },
    };
    let output = CreateMultipartUploadOutput {
        bucket: Some(new.bucket.clone()),
        key: Some(new.key.clone()),
        upload_id: Some(new.id.clone()),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        ..Default::default()
    };
    store.write(move |tx| upload::begin(tx, &new)).await?;
    Ok(S3Response::new(output))
}

pub(in crate::local::s3) async fn upload_part(
    store: &Store,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let mut input = request.input;
    upload::check_number(input.part_number)?;
    let declared = Declared { md5: input.content_md5.take(), checksums: checksums_of!(input) };
    let payload = receive(input.body.take(), declared, request.trailing_headers).await?;
    let (etag, checksums) = (payload.etag.clone(), payload.checksums.clone());
    store
        .write(move |tx| {
            let found = upload::find(tx, &input.bucket, &input.key, &input.upload_id)?;
            upload::put_part(tx, &found.id, input.part_number, &payload)
        })
        .await?;
    let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() };
    set_checksums!(output, checksums);
    Ok(S3Response::new(output))
}

pub(in crate::local::s3) async fn complete(
    store: &Store,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let mut input = request.input;
    let declared = checksums_of!(input);
    let named = named_parts(input.multipart_upload.take())?;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let (etag, checksums, id) = store
        .write(move |tx| {
            let found = upload::find(tx, &input.bucket, &input.key, &input.upload_id)?;
            let latest = version::latest(tx, &input.bucket, &input.key)?;
            check_write(latest.as_ref(), input.if_match.as_ref(), input.if_none_match.as_ref())?;
            let (parts, data) = upload::assemble(tx, &found.id, &named)?;
            let checksums = upload::checksums(&found, &parts, &data)?;
            verify(&declared, &checksums)?;
            let etag = etag_of_parts(&parts);
            let attributes = Attributes { checksums: checksums.clone(), ..found.attributes };
            let new = NewVersion { key: input.key, etag: etag.clone(), data, attributes };
            let id = version::insert(tx, &input.bucket, &new)?;
            upload::end(tx, &found.id)?;
            Ok((etag, checksums, id))
        })
        .await?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{bucket}/{key}")),
        bucket: Some(bucket),
        key: Some(key),
        e_tag: Some(ETag::Strong(etag)),
        version_id: id,
        ..Default::default()
    };
    output.checksum_type = checksums.kind();
    set_checksums!(output, checksums);
    Ok(S3Response::new(output))
}

/// Numbers and entity tags of the parts that a completion names.
fn named_parts(upload: Option<CompletedMultipartUpload>) -> S3Result<Vec<(i32, Option<String>)>> {
    let parts = upload.and_then(|upload| upload.parts).unwrap_or_default();
    let named = parts.into_iter().map(|part| {
        let number = part.part_number.ok_or_else(|| s3_error!(MalformedXML, "a part has a number"))?;
        Ok((number, part.e_tag.map(ETag::into_value)))
    });
    named.collect()
}

/// The MD5 of the parts' MD5s and their number: what S3 gives for an object made of parts.
fn etag_of_parts(parts: &[upload::Part]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        let digits = part.etag.as_bytes().chunks(2);
        let bytes = digits.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        md5.update(bytes.collect::<Vec<u8>>());
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}

pub(in crate::local::s3) async fn abort(
    store: &Store,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    store
        .write(move |tx| {
            let found = upload::find(tx, &input.bucket, &input.key, &input.upload_id)?;
            upload::end(tx, &found.id)
        })
        .await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(in crate::local::s3) async fn list_parts(
    store: &Store,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let after = input.part_number_marker.unwrap_or(0);
    let max = crate::local::s3::list::page_size(input.max_parts);
    let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let (found, mut parts) = store
        .read(move |tx| {
            let found = upload::find(tx, &bucket, &key, &id)?;
            let parts = upload::parts(tx, &found.id, after)?;
            Ok((found, parts))
        })
        .await?;
    let more = parts.len() > max;
    parts.truncate(max);
    let next = parts.last().map(|part| part.number).filter(|_| more);
    let output = ListPartsOutput {
        parts: Some(parts.into_iter().map(listed).collect()),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        is_truncated: Some(more),
        max_parts: i32::try_from(max).ok(),
        part_number_marker: Some(after),
        next_part_number_marker: next,
        checksum_algorithm: found.algorithm.map(ChecksumAlgorithm::from),
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

fn listed(part: upload::Part) -> ListedPart {
    let mut listed = ListedPart {
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(timestamp(part.modified)),
        part_number: Some(part.number),
        size: Some(part.size),
        ..Default::default()
    };
    set_checksums!(listed, part.checksums);
    listed
}
