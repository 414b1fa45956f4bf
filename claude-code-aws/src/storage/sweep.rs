//! Orphan sweep: deletes objects that no row points at, left by a failed store or deletion.

use std::time::Duration;

use aws_sdk_s3::types::Object;
use claude_code_core::{Result, UtcMillis};

use crate::storage::results::{AwsResults, base_of, s3_key};
use crate::storage::s3;

/// Nothing younger is touched: its row may still be on the way.
const AGE: Duration = Duration::from_secs(24 * 3600);
/// Where results are.
const RESULTS: &str = "generated-code/";
/// Where large values of shared state are. Each is put anew when it is written, and none is served after a day.
const STATE: &str = "cache/";

/// What a sweep found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Objects that were looked at.
    pub seen: u64,
    /// Of them too young to be touched.
    pub young: u64,
    /// Of them old, with a row.
    pub with_row: u64,
    /// Keys of those that were removed, or that would be.
    pub orphans: Vec<String>,
    /// Bytes of the orphans.
    pub bytes: u64,
    /// Orphans that could not be removed; the next sweep meets them again.
    pub failed: u64,
}

/// Sweeps one bucket.
#[derive(Clone, Debug)]
pub struct Janitor {
    results: AwsResults,
}

/// The objects of one result, or one value of shared state.
#[derive(Debug, Default)]
struct Group {
    base: String,
    objects: Vec<(String, u64)>,
    newest: UtcMillis,
}

impl Janitor {
    /// A janitor for the bucket and the table of these results.
    pub fn new(results: AwsResults) -> Self {
        Janitor { results }
    }

    /// What a sweep would remove; removes nothing. Fails if the bucket or the table cannot be read.
    pub async fn look(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        self.walk(RESULTS, &mut swept).await?;
        self.walk(STATE, &mut swept).await?;
        Ok(swept)
    }

    /// Removes every object older than a day whose result has no row, looking for the row right before. Fails if the
    /// bucket or the table cannot be read; what was removed until then stays removed.
    pub async fn sweep(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        for prefix in [RESULTS, STATE] {
            for group in self.walk(prefix, &mut swept).await? {
                // Between looking and removing a repeated put may have written the row.
                if prefix == RESULTS && self.has_row(&group).await? {
                    let back = group.objects.len() as u64;
                    swept.with_row += back;
                    swept.bytes -= group.objects.iter().map(|(_, bytes)| bytes).sum::<u64>();
                    swept.orphans.retain(|key| !group.objects.iter().any(|(of, _)| of == key));
                    continue;
                }
                for (key, _) in &group.objects {
                    if let Err(error) = s3::delete(&self.results.s3, &self.results.bucket, key).await {
                        tracing::warn!(%error, "an orphan could not be removed");
                        swept.failed += 1;
                    }
                }
            }
        }
        Ok(swept)
    }

    /// The orphans under a prefix, counted.
    async fn walk(&self, prefix: &str, swept: &mut Swept) -> Result<Vec<Group>> {
        let mut orphans = Vec::new();
        for group in self.groups(prefix).await? {
            let count = group.objects.len() as u64;
            swept.seen += count;
            if self.results.clock.now().since(group.newest) < AGE {
                swept.young += count;
            } else if prefix == RESULTS && self.has_row(&group).await? {
                swept.with_row += count;
            } else {
                swept.orphans.extend(group.objects.iter().map(|(key, _)| key.clone()));
                swept.bytes += group.objects.iter().map(|(_, bytes)| bytes).sum::<u64>();
                orphans.push(group);
            }
        }
        Ok(orphans)
    }

    /// The objects under a prefix, those of one result together.
    async fn groups(&self, prefix: &str) -> Result<Vec<Group>> {
        let (client, bucket) = (&self.results.s3, &self.results.bucket);
        let mut pages = client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
        let mut groups: Vec<Group> = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|failed| s3::error("list", bucket, prefix, &failed))?;
            for object in page.contents() {
                let Some((base, key)) = object.key().map(|key| (result_of(key), key)) else { continue };
                if groups.last().is_none_or(|group| group.base != base) {
                    groups.push(Group { base, ..Group::default() });
                }
                if let Some(group) = groups.last_mut() {
                    group.objects.push((key.to_owned(), bytes(object)));
                    group.newest = group.newest.max(modified(object));
                }
            }
        }
        Ok(groups)
    }

    /// Whether the group's result has a row that points at it, whosever it is, expired or not.
    async fn has_row(&self, group: &Group) -> Result<bool> {
        let name = group.base.rsplit('/').next().unwrap_or_default();
        // A name that is not of a result is not ours to remove.
        let Some((_, id)) = name.split_once('-').filter(|(_, id)| !id.is_empty()) else { return Ok(true) };
        let row = self.results.any_item(id).await?;
        Ok(row.as_ref().and_then(s3_key).is_some_and(|key| base_of(key) == group.base))
    }
}

/// `generated-code/{language}/{timestamp}-{id}` of any key of a result; other keys stand for themselves.
fn result_of(key: &str) -> String {
    let mut parts = key.splitn(4, '/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("generated-code"), Some(language), Some(name), inner) => {
            let name = if inner.is_some() { name } else { base_of(name) };
            format!("{RESULTS}{language}/{name}")
        }
        _ => key.to_owned(),
    }
}

fn bytes(object: &Object) -> u64 {
    object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default()
}

/// When it was put. Without a time it counts as put just now.
fn modified(object: &Object) -> UtcMillis {
    let millis = object.last_modified().and_then(|at| at.to_millis().ok());
    UtcMillis(millis.unwrap_or(i64::MAX))
}
