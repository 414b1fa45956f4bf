//! ListObjectVersions: all versions and delete markers, newest first within a key.

use rusqlite::{Transaction, params};
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ETag, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion,
    ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::condition::timestamp;
use super::list::{Names, group, page_size};
use super::service::{Outcome, Store};
use super::version::{self, COLUMNS, Version};

/// Which versions a page holds.
struct Wanted {
    bucket: String,
    prefix: String,
    delimiter: Option<String>,
    key_marker: String,
    id_marker: Option<String>,
    max: usize,
}

impl Wanted {
    fn of(input: &ListObjectVersionsInput) -> Self {
        Wanted {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            key_marker: input.key_marker.clone().unwrap_or_default(),
            id_marker: input.version_id_marker.clone(),
            max: page_size(input.max_keys),
        }
    }
}

/// A page of versions: the rows, the groups of keys, and the last key and id where there is more.
#[derive(Default)]
struct Page {
    rows: Vec<Version>,
    groups: Vec<String>,
    next: Option<(String, Option<String>)>,
}

fn page(tx: &Transaction<'_>, wanted: &Wanted) -> Outcome<Page> {
    version::versioning(tx, &wanted.bucket)?;
    // Within the marker's key the page goes on below the marker's version.
    let below = match &wanted.id_marker {
        None => 0,
        Some(id) => version::by_id(tx, &wanted.bucket, &wanted.key_marker, id)?.map_or(0, |row| row.seq),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM version
         WHERE bucket = ?1 AND (key > ?2 OR (key = ?2 AND seq < ?3)) AND substr(key, 1, length(?4)) = ?4
         ORDER BY key, seq DESC"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement
        .query_map(params![wanted.bucket, wanted.key_marker, below, wanted.prefix], Version::from_row)?;
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
        last = Some(match &group {
            Some(group) => (group.clone(), None),
            None => (row.key.clone(), Some(row.id.clone())),
        });
        match group {
            Some(group) => page.groups.push(group),
            None => page.rows.push(row),
        }
    }
    Ok(page)
}

fn object(row: Version, names: Names) -> ObjectVersion {
    ObjectVersion {
        e_tag: Some(ETag::Strong(row.etag)),
        is_latest: Some(row.latest),
        key: Some(names.show(row.key)),
        last_modified: Some(timestamp(row.modified)),
        size: Some(row.size),
        storage_class: Some(ObjectVersionStorageClass::from_static("STANDARD")),
        version_id: Some(row.id),
        ..Default::default()
    }
}

fn marker(row: Version, names: Names) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(row.latest),
        key: Some(names.show(row.key)),
        last_modified: Some(timestamp(row.modified)),
        version_id: Some(row.id),
        ..Default::default()
    }
}

pub(super) async fn list(
    store: &Store,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    if input.version_id_marker.is_some() && input.key_marker.is_none() {
        return Err(s3_error!(
            InvalidArgument,
            "A version-id marker cannot be specified without a key marker."
        ));
    }
    let names = Names::of(input.encoding_type.as_ref());
    let wanted = Wanted::of(&input);
    let max = wanted.max;
    let page = store.read(move |tx| page(tx, &wanted)).await?;
    let (markers, versions): (Vec<_>, Vec<_>) = page.rows.into_iter().partition(|row| row.marker);
    let groups = page.groups.into_iter().map(|group| CommonPrefix { prefix: Some(names.show(group)) });
    let (next_key, next_id) = page.next.map_or((None, None), |(key, id)| (Some(names.show(key)), id));
    let output = ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: input.prefix.map(|prefix| names.show(prefix)),
        delimiter: input.delimiter.map(|delimiter| names.show(delimiter)),
        key_marker: Some(names.show(input.key_marker.unwrap_or_default())),
        version_id_marker: input.version_id_marker,
        encoding_type: input.encoding_type,
        max_keys: i32::try_from(max).ok(),
        is_truncated: Some(next_key.is_some()),
        next_key_marker: next_key,
        next_version_id_marker: next_id,
        versions: Some(versions.into_iter().map(|row| object(row, names)).collect()),
        delete_markers: Some(markers.into_iter().map(|row| marker(row, names)).collect()),
        common_prefixes: Some(groups.collect()),
        ..Default::default()
    };
    Ok(S3Response::new(output))
}
