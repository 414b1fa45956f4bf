//! Buckets: create, head, list, delete, versioning.

use rusqlite::{OptionalExtension, params};
use s3s::dto::{
    Bucket, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, CreateBucketOutput,
    DeleteBucketInput, DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput, Owner, PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::condition::timestamp;
use super::service::Store;
use super::version;
use crate::local::server::clock;

pub(super) async fn create(
    store: &Store,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let name = request.input.bucket;
    let location = format!("/{name}");
    let created = store
        .write(move |tx| {
            let sql = "INSERT OR IGNORE INTO bucket (name, created) VALUES (?1, ?2)";
            Ok(tx.execute(sql, params![name, clock::now_millis()])?)
        })
        .await?;
    if created == 0 {
        let message = "Your previous request to create the named bucket succeeded and you already own it.";
        return Err(s3_error!(BucketAlreadyOwnedByYou, "{message}"));
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(location) }))
}

pub(super) async fn head(
    store: &Store,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    let name = request.input.bucket;
    store.read(move |tx| version::versioning(tx, &name)).await?;
    Ok(S3Response::new(HeadBucketOutput::default()))
}

pub(super) async fn location(
    store: &Store,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let name = request.input.bucket;
    store.read(move |tx| version::versioning(tx, &name)).await?;
    // us-east-1 answers an empty constraint.
    let none = BucketLocationConstraint::from_static("");
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: Some(none) }))
}

pub(super) async fn list(
    store: &Store,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let input = request.input;
    let prefix = input.prefix.unwrap_or_default();
    let after = input.continuation_token.unwrap_or_default();
    let max = usize::try_from(input.max_buckets.unwrap_or(10_000)).unwrap_or(0).max(1);
    let mut rows: Vec<(String, i64)> = store
        .read(move |tx| {
            let sql = "SELECT name, created FROM bucket
                       WHERE name > ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT ?3";
            let limit = i64::try_from(max + 1).unwrap_or(i64::MAX);
            let mut statement = tx.prepare_cached(sql)?;
            let rows =
                statement.query_map(params![after, prefix, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await?;
    let more = rows.len() > max;
    rows.truncate(max);
    let token = more.then(|| rows.last().map(|(name, _)| name.clone())).flatten();
    let buckets = rows.into_iter().map(|(name, created)| Bucket {
        name: Some(name),
        creation_date: Some(timestamp(created)),
        ..Default::default()
    });
    let output = ListBucketsOutput {
        buckets: Some(buckets.collect()),
        continuation_token: token,
        owner: Some(Owner { id: Some("000000000000".to_owned()), ..Default::default() }),
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

pub(super) async fn delete(
    store: &Store,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let name = request.input.bucket;
    store
        .write(move |tx| {
            version::versioning(tx, &name)?;
            let holds: Option<i64> = tx
                .query_row("SELECT 1 FROM version WHERE bucket = ?1 LIMIT 1", [&name], |row| row.get(0))
                .optional()?;
            if holds.is_some() {
                return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty").into());
            }
            tx.execute("DELETE FROM upload WHERE bucket = ?1", [&name])?;
            tx.execute("DELETE FROM bucket WHERE name = ?1", [&name])?;
            Ok(())
        })
        .await?;
    Ok(S3Response::new(DeleteBucketOutput {}))
}

pub(super) async fn set_versioning(
    store: &Store,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let input = request.input;
    let status = input.versioning_configuration.status.map(|status| status.as_str().to_owned());
    let Some(status) = status.filter(|status| status == "Enabled" || status == "Suspended") else {
        return Err(s3_error!(MalformedXML, "the versioning status is Enabled or Suspended"));
    };
    store
        .write(move |tx| {
            version::versioning(tx, &input.bucket)?;
            tx.execute("UPDATE bucket SET versioning = ?2 WHERE name = ?1", [&input.bucket, &status])?;
            Ok(())
        })
        .await?;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}

pub(super) async fn versioning(
    store: &Store,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let name = request.input.bucket;
    let status = match store.read(move |tx| version::versioning(tx, &name)).await? {
        version::Versioning::Never => None,
        version::Versioning::Enabled => Some(BucketVersioningStatus::from_static("Enabled")),
        version::Versioning::Suspended => Some(BucketVersioningStatus::from_static("Suspended")),
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
}
