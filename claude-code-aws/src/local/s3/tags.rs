//! Object tags.

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::service::Store;
use super::version::{self, to_json};
use crate::local::server::percent;

/// S3's limit of tags on an object.
const MAX_TAGS: usize = 10;

type Pairs = Vec<(String, String)>;

/// The pairs of an `x-amz-tagging` header, which is a query string. Fails with InvalidTag.
pub(super) fn from_header(header: Option<&str>) -> S3Result<Pairs> {
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let decode = |text: &str| {
        percent::decode(&text.replace('+', " "))
            .ok_or_else(|| s3_error!(InvalidTag, "a tag is not a URL-encoded string"))
    };
    let pairs = pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(key)?, decode(value)?))
    });
    check(pairs.collect::<S3Result<Pairs>>()?)
}

fn check(pairs: Pairs) -> S3Result<Pairs> {
    if pairs.len() > MAX_TAGS {
        return Err(s3_error!(InvalidTag, "Object tags cannot be greater than {MAX_TAGS}"));
    }
    for (at, (key, value)) in pairs.iter().enumerate() {
        // Lengths in UTF-16 units, as S3 counts them.
        if key.is_empty() || key.encode_utf16().count() > 128 || value.encode_utf16().count() > 256 {
            return Err(s3_error!(
                InvalidTag,
                "a tag's key has 1 to 128 characters and its value at most 256"
            ));
        }
        if pairs[..at].iter().any(|(other, _)| other == key) {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(pairs)
}

pub(super) async fn put(
    store: &Store,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    let pairs = input.tagging.tag_set.into_iter().map(|tag| {
        let (Some(key), Some(value)) = (tag.key, tag.value) else {
            return Err(s3_error!(MalformedXML, "a tag has a key and a value"));
        };
        Ok((key, value))
    });
    let pairs = check(pairs.collect::<S3Result<Pairs>>()?)?;
    let id = replace(store, input.bucket, input.key, input.version_id, pairs).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: id }))
}

pub(super) async fn delete(
    store: &Store,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    let id = replace(store, input.bucket, input.key, input.version_id, Pairs::new()).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id: id }))
}

async fn replace(
    store: &Store,
    bucket: String,
    key: String,
    id: Option<String>,
    pairs: Pairs,
) -> S3Result<Option<String>> {
    store
        .write(move |tx| {
            let (versioning, mut found) = version::find(tx, &bucket, &key, id.as_deref())?;
            found.attributes.tags = pairs;
            tx.prepare_cached("UPDATE version SET attributes = ?2 WHERE seq = ?1")?
                .execute(rusqlite::params![found.seq, to_json(&found.attributes)])?;
            Ok(versioning.shown(&found.id))
        })
        .await
}

pub(super) async fn get(
    store: &Store,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    let (versioning, found) = store
        .read(move |tx| version::find(tx, &input.bucket, &input.key, input.version_id.as_deref()))
        .await?;
    let tags = found.attributes.tags.into_iter();
    let tag_set = tags.map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect();
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: versioning.shown(&found.id) }))
}
