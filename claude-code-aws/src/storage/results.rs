//! Result store on S3 and DynamoDB: objects first, each put only if it is not there; the row last. A row always points
//! at objects; an object without a row is swept up later.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::SharedCredentialsProvider;
use claude_code_core::answer::file::{self, sha256_hex};
use claude_code_core::store::{Listing, PROMPT_IN_ROW, Page, Stored, key_base, not_found, object_key};
use claude_code_core::{Clock, Error, ErrorKind, Generation, GenerationStore, Result, Scope, UtcMillis};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::clock::SystemClock;
use crate::storage::dynamodb::row::{self, Item};
use crate::storage::s3::{self, About};

/// Objects of one result that are moved at the same time.
const AT_ONCE: usize = 8;
/// The index by language and time.
const INDEX: &str = "language-index";

/// The condition of a row: there is none, or it is this result's own (`#s` scope, `:s` and `:k` its values).
pub(crate) const SAME_OR_NONE: &str = "attribute_not_exists(id) OR (#s = :s AND s3_key = :k)";

/// Results in a bucket and a table.
#[derive(Clone, Debug)]
pub struct AwsResults {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) table: String,
    pub(crate) bucket: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) credentials: Option<SharedCredentialsProvider>,
}

impl AwsResults {
    /// Results in this table and bucket.
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        s3: aws_sdk_s3::Client,
        table: &str,
        bucket: &str,
    ) -> Self {
        AwsResults {
            dynamodb,
            s3,
            table: table.to_owned(),
            bucket: bucket.to_owned(),
            clock: Arc::new(SystemClock),
            credentials: None,
        }
    }

    /// With the credentials that sign download links: a link ends before they do.
    pub fn with_credentials(mut self, credentials: Option<SharedCredentialsProvider>) -> Self {
        self.credentials = credentials;
        self
    }

    /// With this clock, which decides what has expired.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The item of an id, if it is there, this scope's, and not expired.
    pub(crate) async fn item(&self, scope: &Scope, id: &str) -> Result<Item> {
        let now = self.clock.now();
        let found = self.any_item(id).await?;
        found.filter(|item| row::is_visible(item, scope, now)).ok_or_else(|| not_found(id))
    }

    /// The item of an id, whosever it is, expired or not, as it is at this moment.
    pub(crate) async fn any_item(&self, id: &str) -> Result<Option<Item>> {
        let got = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_owned()))
            .consistent_read(true)
            .send()
            .await;
        got.map(|got| got.item)
            .map_err(|failed| crate::storage::dynamodb::error("read", &self.table, &failed))
    }

    /// Puts the objects of a result: a long prompt first, then the files, then the manifest.
    async fn put_objects(&self, generation: &Generation, names: &[String]) -> Result<()> {
        let Objects { prompt, files, manifest } = Objects::of(generation, names)?;
        let (timestamp, hash) = (generation.generated_at.compact(), prompt_hash(generation));
        let about = About::of(generation, &timestamp, &hash);
        let put = |(key, body): (String, Vec<u8>)| {
            let about = about.clone();
            async move { s3::put_new(&self.s3, &self.bucket, &key, &body, &about).await }
        };
        if let Some(prompt) = prompt {
            put(prompt).await?;
        }
        stream::iter(files).map(&put).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        put(manifest).await
    }

    async fn put_row(&self, scope: &Scope, generation: &Generation, names: &[String]) -> Result<()> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row::fitting(row::item(scope, generation, names))?))
            .condition_expression(SAME_OR_NONE)
            .expression_attribute_names("#s", "scope")
            .expression_attribute_values(":s", AttributeValue::S(scope.as_str().to_owned()))
            .expression_attribute_values(":k", AttributeValue::S(object_key(generation)))
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(failed)
                if failed.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Err(another(&generation.id))
            }
            Err(failed) => Err(crate::storage::dynamodb::error("write", &self.table, &failed)),
        }
    }

    /// The result of an item: its manifest, with each file's content checked against its hash.
    async fn whole(&self, item: &Item) -> Result<Generation> {
        let lost = |what: &str| {
            Error::new(ErrorKind::Storage, format!("a stored result's {what} is damaged: it cannot be read"))
        };
        let s3_key = s3_key(item).ok_or_else(|| lost("row"))?;
        let (mut generation, hashes) = self.manifest(s3_key).await?.ok_or_else(|| lost("manifest"))?;
        let names = file::stored_names(&generation.files)?;
        let contents: Vec<Vec<u8>> = stream::iter(keys_at(s3_key, &names))
            .map(|key| async move { s3::get(&self.s3, &self.bucket, &key).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for ((file, content), hash) in generation.files.iter_mut().zip(contents).zip(hashes) {
            if sha256_hex(&content) != hash {
                return Err(lost("file"));
            }
            file.content = String::from_utf8(content).map_err(|_| lost("file"))?;
        }
        Ok(generation)
    }

    /// The result of a manifest with empty files, and the hashes that their contents have. None: it is damaged.
    async fn manifest(&self, s3_key: &str) -> Result<Option<(Generation, Vec<String>)>> {
        let key = format!("{}.manifest.json", base_of(s3_key));
        let bytes = s3::get(&self.s3, &self.bucket, &key).await?;
        Ok(serde_json::from_slice(&bytes).ok().and_then(from_manifest))
    }

    /// Names and hashes of a result's files, from its row, else from its manifest.
    pub(crate) async fn files(&self, item: &Item) -> Result<Vec<(String, String)>> {
        if let Some(files) = row::files(item) {
            return Ok(files);
        }
        let Some((generation, hashes)) = self.manifest(s3_key(item).unwrap_or_default()).await? else {
            return Err(Error::new(
                ErrorKind::Storage,
                "a stored result's manifest is damaged: it cannot be read",
            ));
        };
        Ok(file::stored_names(&generation.files)?.into_iter().zip(hashes).collect())
    }

    /// One page of keys from the index, newest first, behind the start key.
    async fn index_page(
        &self,
        scope: &Scope,
        listing: &Listing,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>)> {
        let far = UtcMillis(253_402_300_799_999);
        let text = |text: String| AttributeValue::S(text);
        let got = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("#l = :l AND generated_at BETWEEN :from AND :to")
            .filter_expression("#s = :s AND expires_at > :now")
            .expression_attribute_names("#l", "language")
            .expression_attribute_names("#s", "scope")
            .expression_attribute_values(":l", text(listing.language.to_string()))
            .expression_attribute_values(":from", text(listing.from.unwrap_or_default().iso()))
            .expression_attribute_values(":to", text(listing.to.map_or(far, |to| UtcMillis(to.0 - 1)).iso()))
            .expression_attribute_values(":s", text(scope.as_str().to_owned()))
            .expression_attribute_values(":now", AttributeValue::N(self.clock.now().seconds().to_string()))
            .scan_index_forward(false)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|failed| crate::storage::dynamodb::error("query", &self.table, &failed))?;
        Ok((got.items.unwrap_or_default(), got.last_evaluated_key))
    }
}

impl AwsResults {
    /// Those items of the index whose row has the batch's id: the index does not carry it.
    async fn of_batch(&self, items: Vec<Item>, batch: &str) -> Result<Vec<Item>> {
        stream::iter(items)
            .map(|item| async move {
                let Some(id) = item.get("id").and_then(|id| id.as_s().ok()) else { return Ok(None) };
                let row = self.any_item(id).await?;
                let is_of = |row: &Item| {
                    row.get("batch_id").and_then(|id| id.as_s().ok()).is_some_and(|of| of == batch)
                };
                Ok(row.as_ref().is_some_and(is_of).then_some(item))
            })
            .buffered(AT_ONCE)
            .try_filter_map(|item| async move { Ok(item) })
            .try_collect()
            .await
    }
}

#[async_trait::async_trait]
impl GenerationStore for AwsResults {
    async fn put(&self, scope: &Scope, generation: &Generation) -> Result<Stored> {
        let names = file::stored_names(&generation.files)?;
        self.put_objects(generation, &names).await?;
        self.put_row(scope, generation, &names).await?;
        Ok(Stored { s3_key: object_key(generation) })
    }

    async fn get(&self, scope: &Scope, id: &str) -> Result<Generation> {
        self.whole(&self.item(scope, id).await?).await
    }

    async fn list(&self, scope: &Scope, listing: &Listing) -> Result<Page> {
        let limit = listing.limit.clamp(1, 100) as usize;
        let mut start = listing.cursor.as_deref().map(|cursor| start_key(listing, cursor)).transpose()?;
        let mut found: Vec<Item> = Vec::new();
        while found.len() <= limit {
            let (items, next) = self.index_page(scope, listing, start).await?;
            found.extend(match &listing.batch {
                Some(batch) => self.of_batch(items, batch).await?,
                None => items,
            });
            start = next;
            if start.is_none() {
                break;
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).and_then(cursor);
        // The index does not carry the prompt; a row deleted meanwhile is left out.
        let ids: Vec<String> = found.into_iter().filter_map(|mut item| take_text(&mut item, "id")).collect();
        let items = stream::iter(ids)
            .map(|id| async move { self.item(scope, &id).await })
            .buffered(AT_ONCE)
            .filter_map(|item| async move {
                match item {
                    Ok(item) => row::row(&item).map(Ok),
                    Err(error) if error.kind() == ErrorKind::NotFound => None,
                    Err(error) => Some(Err(error)),
                }
            })
            .try_collect()
            .await?;
        Ok(Page { items, next })
    }

    async fn delete(&self, scope: &Scope, id: &str) -> Result<Option<String>> {
        let item = self.item(scope, id).await?;
        // A list that cannot be read does not keep the row: what stays behind is swept up.
        let files = self.files(&item).await.unwrap_or_default();
        self.dynamodb
            .delete_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_owned()))
            .send()
            .await
            .map_err(|failed| crate::storage::dynamodb::error("delete from", &self.table, &failed))?;
        let cache_key = row::cache_key(&item);
        let Some(s3_key) = s3_key(&item) else { return Ok(cache_key) };
        let base = base_of(s3_key);
        let names: Vec<String> = files.into_iter().map(|(name, _)| name).collect();
        let mut keys = keys_at(s3_key, &names);
        keys.extend([format!("{base}.manifest.json"), format!("{base}.prompt.txt")]);
        s3::erase(&self.s3, &self.bucket, base, &keys).await;
        Ok(cache_key)
    }
}

pub(crate) fn another(id: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("result {id} exists and is another one"))
}

/// The objects of a result, each with its key.
pub(crate) struct Objects {
    /// The whole prompt, where it is too long for the row.
    pub(crate) prompt: Option<(String, Vec<u8>)>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) manifest: (String, Vec<u8>),
}

impl Objects {
    pub(crate) fn of(generation: &Generation, names: &[String]) -> Result<Self> {
        let base = key_base(generation);
        let bodies = generation.files.iter().map(|file| file.content.clone().into_bytes());
        let is_long = generation.prompt.len() > PROMPT_IN_ROW;
        Ok(Objects {
            prompt: is_long.then(|| (format!("{base}.prompt.txt"), generation.prompt.clone().into_bytes())),
            files: keys_at(&object_key(generation), names).into_iter().zip(bodies).collect(),
            manifest: (format!("{base}.manifest.json"), manifest(generation)?),
        })
    }
}

pub(crate) fn prompt_hash(generation: &Generation) -> String {
    sha256_hex(generation.prompt.as_bytes())
}

fn take_text(item: &mut Item, name: &str) -> Option<String> {
    match item.remove(name)? {
        AttributeValue::S(text) => Some(text),
        _ => None,
    }
}

/// The object keys of a result's files, in their order.
pub(crate) fn keys_at(s3_key: &str, names: &[String]) -> Vec<String> {
    match s3_key.strip_suffix('/') {
        Some(_) => names.iter().map(|name| format!("{s3_key}{name}")).collect(),
        None => vec![s3_key.to_owned()],
    }
}

/// `generated-code/{language}/{timestamp}-{id}` of a file's key or of a prefix.
pub(crate) fn base_of(s3_key: &str) -> &str {
    let key = s3_key.trim_end_matches('/');
    let name = key.rfind('/').map_or(0, |slash| slash + 1);
    let end = key[name..].find('.').map_or(key.len(), |dot| name + dot);
    &key[..end]
}

pub(crate) fn s3_key(item: &Item) -> Option<&str> {
    item.get("s3_key").and_then(|key| key.as_s().ok()).map(String::as_str)
}

/// The result schema without the files' content.
fn manifest(generation: &Generation) -> Result<Vec<u8>> {
    let broken =
        |_| Error::new(ErrorKind::Storage, "the result could not be written as JSON: nothing is stored");
    let mut generation = Generation::clone(generation);
    generation.stored = true;
    generation.s3_key = Some(object_key(&generation));
    let mut value = serde_json::to_value(&generation).map_err(broken)?;
    for file in value["files"].as_array_mut().into_iter().flatten() {
        if let Some(file) = file.as_object_mut() {
            file.remove("content");
        }
    }
    serde_json::to_vec(&value).map_err(broken)
}

/// The result of a manifest with empty files, and the hashes that their contents have.
fn from_manifest(mut value: serde_json::Value) -> Option<(Generation, Vec<String>)> {
    let mut hashes = Vec::new();
    for file in value["files"].as_array_mut()? {
        hashes.push(file["sha256"].as_str()?.to_owned());
        file.as_object_mut()?.insert("content".into(), "".into());
    }
    Some((serde_json::from_value(value).ok()?, hashes))
}

fn cursor(item: &Item) -> Option<String> {
    Some(format!("{}/{}", item.get("generated_at")?.as_s().ok()?, item.get("id")?.as_s().ok()?))
}

fn start_key(listing: &Listing, cursor: &str) -> Result<Item> {
    let (generated_at, id) = cursor
        .split_once('/')
        .filter(|(at, id)| UtcMillis::from_iso(at).is_some() && !id.is_empty() && id.len() <= 64)
        .ok_or_else(|| {
            Error::invalid("the cursor is not one that a listing gave: leave it out to start from the newest")
        })?;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    Ok(Item::from([
        ("language".into(), text(listing.language.as_str())),
        ("generated_at".into(), text(generated_at)),
        ("id".into(), text(id)),
    ]))
}
