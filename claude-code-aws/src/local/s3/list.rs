//! ListObjects: paging, prefixes and delimiters, versions 1 and 2.

use rusqlite::{Transaction, params};
use s3s::dto::{
    CommonPrefix, ETag, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    ObjectStorageClass, Owner,
};
use s3s::{S3Request, S3Response, S3Result};

use super::condition::timestamp;
use super::service::{Outcome, Store};
use super::version::{self, COLUMNS, Version};
use crate::local::server::percent;

/// The most entries of one page, and the number without a wish.
const MAX_KEYS: usize = 1000;

/// Rows read from the table at a time.
const BATCH: i64 = 1000;

/// Which keys a page holds.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) bucket: String,
    pub(super) prefix: String,
    pub(super) delimiter: Option<String>,
    /// Entries after this key or group only.
    pub(super) after: String,
    /// Whether `after` is where the page before ended, and not only where the caller wants to begin.
    pub(super) resumes: bool,
    pub(super) max: usize,
}

/// One entry of a page.
#[derive(Debug)]
pub(super) enum Entry {
    Object(Box<Version>),
    /// Keys with the same beginning up to the delimiter, as one.
    Group(String),
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Entry::Object(version) => &version.key,
            Entry::Group(group) => group,
        }
    }
}

/// A page, and where the next one begins.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    pub(super) next: Option<String>,
}

/// The size of a page from a request's wish.
pub(super) fn page_size(wish: Option<i32>) -> usize {
    wish.map_or(MAX_KEYS, |wish| usize::try_from(wish).unwrap_or(0)).min(MAX_KEYS)
}

/// The group that a key belongs to, if any: its beginning up to the first delimiter after the prefix.
pub(super) fn group<'a>(key: &'a str, prefix: &str, delimiter: Option<&str>) -> Option<&'a str> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let at = key.get(prefix.len()..)?.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len())
}

/// The first string after all those that begin with `group`, in the order of bytes.
pub(super) fn after_group(group: &str) -> String {
    let mut chars: Vec<char> = group.chars().collect();
    while let Some(last) = chars.pop() {
        // The surrogates' gap has no characters in it.
        let next = (u32::from(last) + 1..=0x10_FFFF).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            break;
        }
    }
    chars.into_iter().collect()
}

/// Where a page begins, and whether with that key itself.
fn beginning(wanted: &Wanted) -> (String, bool) {
    let own = group(&wanted.after, &wanted.prefix, wanted.delimiter.as_deref());
    let (from, inclusive) = match own.filter(|group| wanted.resumes && *group == wanted.after) {
        // Where the page before ended with a group, this one goes on behind all of it.
        Some(group) => (after_group(group), true),
        None => (wanted.after.clone(), false),
    };
    if from < wanted.prefix { (wanted.prefix.clone(), true) } else { (from, inclusive) }
}

/// Reads one page of the latest versions, delete markers left out.
fn page(tx: &Transaction<'_>, wanted: &Wanted) -> Outcome<Page> {
    version::versioning(tx, &wanted.bucket)?;
    let mut page = Page::default();
    if wanted.max == 0 {
        return Ok(page);
    }
    let delimiter = wanted.delimiter.as_deref();
    let (mut from, mut inclusive) = beginning(wanted);
    loop {
        let rows = batch(tx, wanted, &from, inclusive)?;
        let full = i64::try_from(rows.len()).unwrap_or_default() == BATCH;
        inclusive = false;
        for row in rows {
            from.clone_from(&row.key);
            let entry = match group(&row.key, &wanted.prefix, delimiter) {
                Some(group) if page.entries.last().is_some_and(|last| last.name() == group) => continue,
                Some(group) => Entry::Group(group.to_owned()),
                None => Entry::Object(Box::new(row)),
            };
            if page.entries.len() == wanted.max {
                page.next = page.entries.last().map(|last| last.name().to_owned());
                return Ok(page);
            }
            page.entries.push(entry);
        }
        if !full {
            return Ok(page);
        }
        // A large group need not be read to its end.
        if let Some(Entry::Group(group)) = page.entries.last() {
            from = after_group(group);
            inclusive = true;
        }
    }
}

fn batch(tx: &Transaction<'_>, wanted: &Wanted, from: &str, inclusive: bool) -> Outcome<Vec<Version>> {
    let order = if inclusive { ">=" } else { ">" };
    let end = after_group(&wanted.prefix);
    // Exactly the keys with the prefix lie before its end. An empty prefix has none.
    let bound = if end.is_empty() { "?3 = ''" } else { "key < ?3" };
    let sql = format!(
        "SELECT {COLUMNS} FROM version
         WHERE bucket = ?1 AND key {order} ?2 AND {bound} AND latest = 1 AND marker = 0
         ORDER BY key LIMIT ?4"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map(params![wanted.bucket, from, end, BATCH], Version::from_row)?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
}

/// Names as the answer shows them: with `encoding-type=url`, escaped, because XML cannot hold every character.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) url: bool,
}

impl Names {
    pub(super) fn of(encoding: Option<&s3s::dto::EncodingType>) -> Self {
        Names { url: encoding.is_some_and(|encoding| encoding.as_str() == "url") }
    }

    pub(super) fn show(self, name: String) -> String {
        if self.url { percent::encode(&name) } else { name }
    }
}

/// A page's two lists.
fn split(page: Page, names: Names, owner: bool) -> (Vec<Object>, Vec<CommonPrefix>) {
    let (mut objects, mut groups) = (Vec::new(), Vec::new());
    for entry in page.entries {
        match entry {
            Entry::Group(group) => groups.push(CommonPrefix { prefix: Some(names.show(group)) }),
            Entry::Object(version) => objects.push(Object {
                e_tag: Some(ETag::Strong(version.etag)),
                key: Some(names.show(version.key)),
                last_modified: Some(timestamp(version.modified)),
                size: Some(version.size),
                storage_class: Some(ObjectStorageClass::from_static("STANDARD")),
                owner: owner.then(|| Owner { id: Some("000000000000".to_owned()), ..Default::default() }),
                ..Default::default()
            }),
        }
    }
    (objects, groups)
}

pub(super) async fn list_v2(
    store: &Store,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let names = Names::of(input.encoding_type.as_ref());
    let wanted = Wanted {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.continuation_token.clone().or(input.start_after.clone()).unwrap_or_default(),
        resumes: input.continuation_token.is_some(),
        max: page_size(input.max_keys),
    };
    let max = wanted.max;
    let page = store.read(move |tx| page(tx, &wanted)).await?;
    let next = page.next.clone();
    let (objects, groups) = split(page, names, input.fetch_owner.unwrap_or(false));
    let output = ListObjectsV2Output {
        key_count: i32::try_from(objects.len() + groups.len()).ok(),
        max_keys: i32::try_from(max).ok(),
        name: Some(input.bucket),
        prefix: input.prefix.map(|prefix| names.show(prefix)),
        delimiter: input.delimiter.map(|delimiter| names.show(delimiter)),
        start_after: input.start_after.map(|after| names.show(after)),
        encoding_type: input.encoding_type,
        continuation_token: input.continuation_token,
        is_truncated: Some(next.is_some()),
        next_continuation_token: next,
        contents: Some(objects),
        common_prefixes: Some(groups),
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

pub(super) async fn list_v1(
    store: &Store,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let names = Names::of(input.encoding_type.as_ref());
    let wanted = Wanted {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.marker.clone().unwrap_or_default(),
        resumes: true,
        max: page_size(input.max_keys),
    };
    let max = wanted.max;
    let page = store.read(move |tx| page(tx, &wanted)).await?;
    let next = page.next.clone();
    let (objects, groups) = split(page, names, true);
    let output = ListObjectsOutput {
        name: Some(input.bucket),
        prefix: input.prefix.map(|prefix| names.show(prefix)),
        marker: Some(names.show(input.marker.unwrap_or_default())),
        max_keys: i32::try_from(max).ok(),
        encoding_type: input.encoding_type,
        is_truncated: Some(next.is_some()),
        // S3 names it only where there is a delimiter; without one the last key serves.
        next_marker: next.filter(|_| input.delimiter.is_some()).map(|next| names.show(next)),
        delimiter: input.delimiter.map(|delimiter| names.show(delimiter)),
        contents: Some(objects),
        common_prefixes: Some(groups),
        ..Default::default()
    };
    Ok(S3Response::new(output))
}
