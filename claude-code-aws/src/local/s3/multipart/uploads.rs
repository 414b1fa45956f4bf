//! ListMultipartUploads: uploads in progress by key, the oldest first within a key.

use rusqlite::{Transaction, params};
use s3s::dto::{
    CommonPrefix, ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload, StorageClass,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::local::s3::condition::timestamp;
use crate::local::s3::list::{Names, group, page_size};
use crate::local::s3::service::{Outcome, Store};
use crate::local::s3::version;

/// Which uploads a page holds.
struct Wanted {
    bucket: String,
    prefix: String,
    delimiter: Option<String>,
    key_marker: String,
    id_marker: Option<String>,
    max: usize,
}

/// An upload, as a listing shows it.
struct Begun {
    key: String,
    id: String,
    started: i64,
}

/// A page of uploads: the rows, the groups of keys, and the last key and id where there is more.
#[derive(Default)]
struct Page {
    rows: Vec<Begun>,
    groups: Vec<String>,
    next: Option<(String, String)>,
}

fn page(tx: &Transaction<'_>, wanted: &Wanted) -> Outcome<Page> {
    version::versioning(tx, &wanted.bucket)?;
    // Ids ascend with time. A marker of a key alone goes on behind all its uploads.
    let sql = "SELECT key, id, started FROM upload
               WHERE bucket = ?1 AND (key > ?2 OR (key = ?2 AND ?3 IS NOT NULL AND id > ?3))
                 AND substr(key, 1, length(?4)) = ?4
               ORDER BY key, id";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement
        .query_map(params![wanted.bucket, wanted.key_marker, wanted.id_marker, wanted.prefix], |row| {
            Ok(Begun { key: row.get(0)?, id: row.get(1)?, started: row.get(2)? })
        })?;
    let mut page = Page::default();
    let mut last = None;
    for row in rows {
        let row = row?;
        let group = group(&row.key, &wanted.prefix, wanted.delimiter.as_deref()).map(str::to_owned);
        let seen = |group: &String| page.groups.last() == Some(group) || *group == wanted.key_marker;
        if group.as_ref().is_some_and(seen) {
            continue;
        }
        if page.rows.len() + page.groups.len() == wanted.max {
            page.next = last;
            break;
        }
        last = Some((group.clone().unwrap_or_else(|| row.key.clone()), row.id.clone()));
        match group {
            Some(group) => page.groups.push(group),
            None => page.rows.push(row),
        }
    }
    Ok(page)
}

fn shown(row: Begun, names: Names) -> MultipartUpload {
    MultipartUpload {
        key: Some(names.show(row.key)),
        upload_id: Some(row.id),
        initiated: Some(timestamp(row.started)),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..Default::default()
    }
}

pub(in crate::local::s3) async fn list(
    store: &Store,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    let names = Names::of(input.encoding_type.as_ref());
    let wanted = Wanted {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        key_marker: input.key_marker.clone().unwrap_or_default(),
        id_marker: input.upload_id_marker.clone(),
        max: page_size(input.max_uploads),
    };
    let max = wanted.max;
    let page = store.read(move |tx| page(tx, &wanted)).await?;
    let groups = page.groups.into_iter().map(|group| CommonPrefix { prefix: Some(names.show(group)) });
    let (next_key, next_id) = page.next.map_or((None, None), |(key, id)| (Some(names.show(key)), Some(id)));
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix.map(|prefix| names.show(prefix)),
        delimiter: input.delimiter.map(|delimiter| names.show(delimiter)),
        key_marker: input.key_marker.map(|marker| names.show(marker)),
        upload_id_marker: input.upload_id_marker,
        encoding_type: input.encoding_type,
        max_uploads: i32::try_from(max).ok(),
        is_truncated: Some(next_key.is_some()),
        next_key_marker: next_key,
        next_upload_id_marker: next_id,
        uploads: Some(page.rows.into_iter().map(|row| shown(row, names)).collect()),
        common_prefixes: Some(groups.collect()),
        ..Default::default()
    }))
}
