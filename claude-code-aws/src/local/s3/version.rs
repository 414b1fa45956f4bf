//! A version of an object: its row, how it is found, added and removed.

use std::collections::BTreeMap;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use s3s::{S3Error, s3_error};
use serde::{Deserialize, Serialize};

use super::service::Outcome;
use crate::local::server::clock;

/// The id of versions written while a bucket keeps none.
pub(super) const NULL_ID: &str = "null";

/// What is kept beside the body, as JSON in the row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    pub(super) content_type: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    /// Milliseconds since 1970.
    pub(super) expires: Option<i64>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) checksums: Checksums,
}

/// Checksums in base64, as they travel. Composite ones end in `-N`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Checksums {
    pub(super) crc32: Option<String>,
    pub(super) crc32c: Option<String>,
    pub(super) crc64nvme: Option<String>,
    pub(super) sha1: Option<String>,
    pub(super) sha256: Option<String>,
    /// Whether they were made from the parts' checksums and not from the bytes.
    pub(super) composite: bool,
}

/// A row without its body.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) seq: i64,
    pub(super) key: String,
    pub(super) id: String,
    pub(super) latest: bool,
    pub(super) marker: bool,
    pub(super) etag: String,
    pub(super) size: i64,
    /// Milliseconds since 1970.
    pub(super) modified: i64,
    pub(super) attributes: Attributes,
}

/// The columns that [`Version::from_row`] reads, in its order.
pub(super) const COLUMNS: &str = "seq, key, id, latest, marker, etag, size, modified, attributes";

impl Version {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Version {
            seq: row.get(0)?,
            key: row.get(1)?,
            id: row.get(2)?,
            latest: row.get(3)?,
            marker: row.get(4)?,
            etag: row.get(5)?,
            size: row.get(6)?,
            modified: row.get(7)?,
            attributes: from_json(&row.get::<_, String>(8)?),
        })
    }
}

/// An object about to be stored.
#[derive(Debug)]
pub(super) struct NewVersion {
    pub(super) key: String,
    pub(super) etag: String,
    pub(super) data: Bytes,
    pub(super) attributes: Attributes,
}

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versioning {
    Never,
    Enabled,
    Suspended,
}

impl Versioning {
    /// The id as a response shows it: buckets that never kept versions show none.
    pub(super) fn shown(self, id: &str) -> Option<String> {
        (self != Versioning::Never).then(|| id.to_owned())
    }
}

/// The versioning of a bucket. Fails with NoSuchBucket.
pub(super) fn versioning(tx: &Connection, bucket: &str) -> Outcome<Versioning> {
    let status: Option<Option<String>> = tx
        .prepare_cached("SELECT versioning FROM bucket WHERE name = ?1")?
        .query_row([bucket], |row| row.get(0))
        .optional()?;
    match status {
        None => Err(s3_error!(NoSuchBucket, "The specified bucket does not exist").into()),
        Some(None) => Ok(Versioning::Never),
        Some(Some(status)) if status == "Enabled" => Ok(Versioning::Enabled),
        Some(Some(_)) => Ok(Versioning::Suspended),
    }
}

/// The latest version of a key, a delete marker included.
pub(super) fn latest(tx: &Connection, bucket: &str, key: &str) -> Outcome<Option<Version>> {
    let sql = format!("SELECT {COLUMNS} FROM version WHERE bucket = ?1 AND key = ?2 AND latest = 1");
    Ok(tx.prepare_cached(&sql)?.query_row([bucket, key], Version::from_row).optional()?)
}

/// One version by its id, a delete marker included.
pub(super) fn by_id(tx: &Transaction<'_>, bucket: &str, key: &str, id: &str) -> Outcome<Option<Version>> {
    let sql = format!("SELECT {COLUMNS} FROM version WHERE bucket = ?1 AND key = ?2 AND id = ?3");
    Ok(tx.prepare_cached(&sql)?.query_row([bucket, key, id], Version::from_row).optional()?)
}

/// The version that a request reads. Fails with NoSuchBucket, NoSuchKey, NoSuchVersion, or MethodNotAllowed
/// for a delete marker asked for by id.
pub(super) fn find(
    tx: &Transaction<'_>,
    bucket: &str,
    key: &str,
    id: Option<&str>,
) -> Outcome<(Versioning, Version)> {
    let versioning = versioning(tx, bucket)?;
    let found = match id {
        Some(id) => by_id(tx, bucket, key, id)?,
        None => latest(tx, bucket, key)?,
    };
    match (found, id) {
        (Some(version), _) if !version.marker => Ok((versioning, version)),
        (Some(marker), Some(_)) => {
            let error =
                s3_error!(MethodNotAllowed, "The specified method is not allowed against a delete marker");
            Err(with_marker(error, &marker.id).into())
        }
        (Some(marker), None) => Err(with_marker(no_such_key(), &marker.id).into()),
        (None, Some(_)) => Err(s3_error!(NoSuchVersion, "The specified version does not exist").into()),
        (None, None) => Err(no_such_key().into()),
    }
}

pub(super) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

/// Answers that met a delete marker say so in two headers.
fn with_marker(mut error: S3Error, id: &str) -> S3Error {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-amz-delete-marker", http::HeaderValue::from_static("true"));
    if let Ok(id) = http::HeaderValue::from_str(id) {
        headers.insert("x-amz-version-id", id);
    }
    error.set_headers(headers);
    error
}

/// The body of a version.
pub(super) fn body(tx: &Connection, seq: i64) -> Outcome<Bytes> {
    let data: Vec<u8> =
        tx.prepare_cached("SELECT data FROM body WHERE seq = ?1")?.query_row([seq], |row| row.get(0))?;
    Ok(data.into())
}

/// Stores an object as the latest version of its key. Returns the id that the response shows.
pub(super) fn insert(tx: &Connection, bucket: &str, new: &NewVersion) -> Outcome<Option<String>> {
    let versioning = versioning(tx, bucket)?;
    let id = supersede(tx, bucket, &new.key, versioning)?;
    let size = i64::try_from(new.data.len()).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "INSERT INTO version (bucket, key, id, latest, marker, etag, size, modified, attributes)
         VALUES (?1, ?2, ?3, 1, 0, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        bucket,
        new.key,
        id,
        new.etag,
        size,
        clock::now_millis(),
        to_json(&new.attributes)
    ])?;
    tx.prepare_cached("INSERT INTO body (seq, data) VALUES (?1, ?2)")?
        .execute(params![tx.last_insert_rowid(), &new.data[..]])?;
    Ok(versioning.shown(&id))
}

/// Puts a delete marker on top of a key. Returns its id.
pub(super) fn mark_deleted(
    tx: &Transaction<'_>,
    bucket: &str,
    key: &str,
    versioning: Versioning,
) -> Outcome<String> {
    let id = supersede(tx, bucket, key, versioning)?;
    tx.prepare_cached(
        "INSERT INTO version (bucket, key, id, latest, marker, etag, size, modified, attributes)
         VALUES (?1, ?2, ?3, 1, 1, '', 0, ?4, '{}')",
    )?
    .execute(params![bucket, key, id, clock::now_millis()])?;
    Ok(id)
}

/// Makes room for a new latest version and names it: kept versions get an id of their own, others replace
/// the one called `null`.
fn supersede(tx: &Connection, bucket: &str, key: &str, versioning: Versioning) -> Outcome<String> {
    let id = if versioning == Versioning::Enabled {
        uuid::Uuid::now_v7().simple().to_string()
    } else {
        tx.prepare_cached("DELETE FROM version WHERE bucket = ?1 AND key = ?2 AND id = 'null'")?
            .execute([bucket, key])?;
        NULL_ID.to_owned()
    };
    tx.prepare_cached("UPDATE version SET latest = 0 WHERE bucket = ?1 AND key = ?2 AND latest = 1")?
        .execute([bucket, key])?;
    Ok(id)
}

/// Removes one version for good; the one before it becomes the latest.
pub(super) fn remove(tx: &Transaction<'_>, bucket: &str, version: &Version) -> Outcome<()> {
    tx.prepare_cached("DELETE FROM version WHERE seq = ?1")?.execute([version.seq])?;
    if version.latest {
        tx.prepare_cached(
            "UPDATE version SET latest = 1 WHERE seq =
             (SELECT max(seq) FROM version WHERE bucket = ?1 AND key = ?2)",
        )?
        .execute([bucket, version.key.as_str()])?;
    }
    Ok(())
}

/// JSON of a value that always has one.
pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}

/// The value of JSON that this store wrote; defaults where an older one wrote less.
pub(super) fn from_json<T: for<'a> Deserialize<'a> + Default>(json: &str) -> T {
    serde_json::from_str(json).unwrap_or_default()
}
