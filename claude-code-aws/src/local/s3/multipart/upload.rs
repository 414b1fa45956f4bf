//! A multipart upload as it lies in the tables: the upload's row and its parts'.

use aws_smithy_types::base64;
use bytes::{Bytes, BytesMut};
use rusqlite::{OptionalExtension, Transaction, params};
use s3s::{S3Error, S3Result, s3_error};

use crate::local::s3::payload::{MAX_OBJECT, Payload, digest};
use crate::local::s3::service::Outcome;
use crate::local::s3::version::{self, Attributes, Checksums, from_json, to_json};
use crate::local::server::clock;

/// Every part but the last has at least this many bytes (S3's limit).
const MIN_PART: i64 = 5 * 1024 * 1024;

/// Part numbers are 1 to this (S3's limit).
const MAX_PART: i32 = 10_000;

/// An upload that was begun.
pub(in crate::local::s3) struct Upload {
    pub(in crate::local::s3) id: String,
    pub(in crate::local::s3) bucket: String,
    pub(in crate::local::s3) key: String,
    /// S3's name of the checksum that was asked for.
    pub(in crate::local::s3) algorithm: Option<String>,
    /// Whether that checksum is to be of the whole object's bytes.
    pub(in crate::local::s3) whole: bool,
    pub(in crate::local::s3) attributes: Attributes,
}

/// One part without its bytes.
pub(in crate::local::s3) struct Part {
    pub(in crate::local::s3) number: i32,
    pub(in crate::local::s3) etag: String,
    pub(in crate::local::s3) size: i64,
    pub(in crate::local::s3) modified: i64,
    pub(in crate::local::s3) checksums: Checksums,
}

/// Refuses a part number that S3 does not have.
pub(in crate::local::s3) fn check_number(number: i32) -> S3Result<()> {
    if (1..=MAX_PART).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and {MAX_PART}, inclusive"))
}

pub(in crate::local::s3) fn no_such_upload() -> S3Error {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have \
                   been aborted or completed.";
    s3_error!(NoSuchUpload, "{message}")
}

/// Stores the row of a new upload. Fails with NoSuchBucket.
pub(in crate::local::s3) fn begin(tx: &Transaction<'_>, upload: &Upload) -> Outcome<()> {
    version::versioning(tx, &upload.bucket)?;
    tx.execute(
        "INSERT INTO upload (id, bucket, key, started, algorithm, whole, attributes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            upload.id,
            upload.bucket,
            upload.key,
            clock::now_millis(),
            upload.algorithm,
            upload.whole,
            to_json(&upload.attributes)
        ],
    )?;
    Ok(())
}

/// The row of an upload. Fails with NoSuchUpload, also where bucket or key are not the upload's.
pub(in crate::local::s3) fn find(tx: &Transaction<'_>, bucket: &str, key: &str, id: &str) -> Outcome<Upload> {
    let sql = "SELECT algorithm, whole, attributes FROM upload WHERE id = ?1 AND bucket = ?2 AND key = ?3";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Upload {
            id: id.to_owned(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            algorithm: row.get(0)?,
            whole: row.get(1)?,
            attributes: from_json(&row.get::<_, String>(2)?),
        })
    };
    let found = tx.query_row(sql, [id, bucket, key], read).optional()?;
    found.ok_or_else(|| no_such_upload().into())
}

/// Stores a part; one with the same number is replaced.
pub(in crate::local::s3) fn put_part(
    tx: &Transaction<'_>,
    upload: &str,
    number: i32,
    payload: &Payload,
) -> Outcome<()> {
    let size = i64::try_from(payload.data.len()).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "INSERT OR REPLACE INTO part (upload, number, etag, size, modified, checksums, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        upload,
        number,
        payload.etag,
        size,
        clock::now_millis(),
        to_json(&payload.checksums),
        &payload.data[..]
    ])?;
    Ok(())
}

/// The parts after a number, in order.
pub(in crate::local::s3) fn parts(tx: &Transaction<'_>, upload: &str, after: i32) -> Outcome<Vec<Part>> {
    let sql = "SELECT number, etag, size, modified, checksums FROM part WHERE upload = ?1 AND number > ?2
               ORDER BY number";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map(params![upload, after], |row| {
        Ok(Part {
            number: row.get(0)?,
            etag: row.get(1)?,
            size: row.get(2)?,
            modified: row.get(3)?,
            checksums: from_json(&row.get::<_, String>(4)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
}

/// Checks the parts that a completion names against those that are there, and puts their bytes together.
/// Fails with InvalidPart, InvalidPartOrder, EntityTooSmall or EntityTooLarge.
pub(in crate::local::s3) fn assemble(
    tx: &Transaction<'_>,
    upload: &str,
    named: &[(i32, Option<String>)],
) -> Outcome<(Vec<Part>, Bytes)> {
    if named.is_empty() {
        return Err(s3_error!(MalformedXML, "a completion names at least one part").into());
    }
    if !named.windows(2).all(|pair| pair[0].0 < pair[1].0) {
        return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order.").into());
    }
    let mut stored = parts(tx, upload, 0)?;
    stored.retain(|part| named.iter().any(|(number, _)| *number == part.number));
    let agrees = |(part, (_, etag)): (&Part, &(i32, Option<String>))| {
        etag.as_ref().is_none_or(|etag| *etag == part.etag)
    };
    if stored.len() != named.len() || !stored.iter().zip(named).all(agrees) {
        let message =
            "One or more of the specified parts could not be found, or its entity tag did not match.";
        return Err(s3_error!(InvalidPart, "{message}").into());
    }
    let before_last = &stored[..stored.len() - 1];
    if before_last.iter().any(|part| part.size < MIN_PART) {
        let message = "Your proposed upload is smaller than the minimum allowed object size";
        return Err(s3_error!(EntityTooSmall, "{message}: every part but the last has at least 5 MiB").into());
    }
    let total: i64 = stored.iter().map(|part| part.size).sum();
    if total > i64::try_from(MAX_OBJECT).unwrap_or(i64::MAX) {
        return Err(
            s3_error!(EntityTooLarge, "the local store holds objects of at most {MAX_OBJECT} bytes").into()
        );
    }
    let mut data = BytesMut::with_capacity(usize::try_from(total).unwrap_or_default());
    let mut statement = tx.prepare_cached("SELECT data FROM part WHERE upload = ?1 AND number = ?2")?;
    for part in &stored {
        let bytes: Vec<u8> = statement.query_row(params![upload, part.number], |row| row.get(0))?;
        data.extend_from_slice(&bytes);
    }
    Ok((stored, data.freeze()))
}

/// The checksums of a completed object: of its bytes where that was asked for (or nothing was), else of its
/// parts' checksums.
pub(in crate::local::s3) fn checksums(upload: &Upload, parts: &[Part], data: &[u8]) -> S3Result<Checksums> {
    let Some(algorithm) = upload.algorithm.as_deref().filter(|_| !upload.whole) else {
        return Ok(digest(data, &wanted(upload.algorithm.as_deref())));
    };
    let mut joined = Vec::new();
    for part in parts {
        let mut sums = part.checksums.clone();
        let sum = sums.slot(algorithm).and_then(Option::take);
        let sum = sum.and_then(|sum| base64::decode(sum).ok()).ok_or_else(|| {
            s3_error!(InvalidRequest, "part {} was uploaded without its {algorithm} checksum", part.number)
        })?;
        joined.extend(sum);
    }
    let mut sums = digest(&joined, &wanted(Some(algorithm)));
    if let Some(Some(sum)) = sums.slot(algorithm) {
        sum.push_str(&format!("-{}", parts.len()));
    }
    Ok(Checksums { composite: true, ..sums })
}

/// A request for one algorithm, as [`digest`] takes it.
pub(in crate::local::s3) fn wanted(algorithm: Option<&str>) -> Checksums {
    let mut sums = Checksums::default();
    if let Some(slot) = algorithm.and_then(|algorithm| sums.slot(algorithm)) {
        *slot = Some(String::new());
    }
    sums
}

/// Removes an upload and its parts.
pub(in crate::local::s3) fn end(tx: &Transaction<'_>, upload: &str) -> Outcome<()> {
    tx.execute("DELETE FROM upload WHERE id = ?1", [upload])?;
    Ok(())
}
