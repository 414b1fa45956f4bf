//! Results of the local directory, written straight into the twin's engines: what other clients read over S3 and
//! DynamoDB, at the cost of one synchronised transaction.

use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::types::AttributeValue;
use claude_code_core::answer::file;
use claude_code_core::store::{Listing, Page, Stored, object_key};
use claude_code_core::{Error, ErrorKind, Generation, GenerationStore, Result, Scope};
use dynoxide::DynoxideError;
use serde_json::{Map, Value, json};

use crate::local::s3::{NewObject, NewRow};
use crate::local::server::endpoint::Engines;
use crate::storage::dynamodb::row::{self, Item};
use crate::storage::results::{AwsResults, Objects, SAME_OR_NONE, another, prompt_hash};
use crate::storage::s3::About;

/// Results in the engines of this process. Reading goes the way of every other client.
#[derive(Clone, Debug)]
pub(crate) struct DiskResults {
    engines: Arc<Engines>,
    reading: AwsResults,
}

impl DiskResults {
    pub(crate) fn new(engines: Arc<Engines>, reading: AwsResults) -> Self {
        DiskResults { engines, reading }
    }

    /// With the rows that a loss of power may have taken: the table's own log is not synchronised each time, but the
    /// journal beside the objects is.
    pub(crate) async fn recovered(self) -> Result<Self> {
        self.recover(&boot()).await?;
        Ok(self)
    }

    async fn recover(&self, boot: &str) -> Result<()> {
        let objects = self.engines.s3().await?;
        let rows = objects.rows_before(boot).await?;
        for row in &rows {
            let Ok(members) = serde_json::from_str::<Value>(row) else { continue };
            // One that is there, or is another's by now, stays as it is.
            let _ = self.engines.dynamodb().await?.put(members, row.len()).await?;
        }
        if rows.is_empty() { Ok(()) } else { objects.rows_are_back(boot).await }
    }

    /// Objects first: a row never points at nothing.
    async fn put_objects(&self, generation: &Generation, names: &[String], members: String) -> Result<()> {
        let Objects { prompt, files, manifest } = Objects::of(generation, names)?;
        let (timestamp, hash) = (generation.generated_at.compact(), prompt_hash(generation));
        let about = About::of(generation, &timestamp, &hash);
        let row = NewRow { boot: boot(), manifest: manifest.0.clone(), members };
        let object = |(key, body): (String, Vec<u8>)| {
            let metadata = about.metadata(&body).into_iter().map(|(name, value)| (name.to_owned(), value));
            NewObject { key, metadata: metadata.collect(), body }
        };
        let objects = prompt.into_iter().chain(files).chain([manifest]).map(object).collect();
        self.engines.s3().await?.put_new(&self.reading.bucket, objects, row).await
    }

    /// The row, as the members of a PutItem.
    fn row(&self, scope: &Scope, generation: &Generation, names: &[String]) -> Result<(Value, usize)> {
        let item = row::fitting(row::item(scope, generation, names))?;
        let members = json!({
            "TableName": self.reading.table,
            "Item": map(&item),
            "ConditionExpression": SAME_OR_NONE,
            "ExpressionAttributeNames": { "#s": "scope" },
            "ExpressionAttributeValues": {
                ":s": { "S": scope.as_str() },
                ":k": { "S": object_key(generation) },
            },
        });
        Ok((members, row::size(&item)))
    }

    async fn put_row(&self, id: &str, members: Value, size: usize) -> Result<()> {
        match self.engines.dynamodb().await?.put(members, size).await? {
            Ok(()) => Ok(()),
            Err(DynoxideError::ConditionalCheckFailedException(..)) => Err(another(id)),
            Err(error) => {
                let table = &self.reading.table;
                Err(Error::new(ErrorKind::Storage, format!("cannot write table {table}: {error}")))
            }
        }
    }
}

/// What tells this run of the machine from others, where the system has it. Elsewhere the table's log is synchronised each
/// time, and there is nothing to recover.
fn boot() -> String {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        id.map(|id| id.trim().to_owned()).unwrap_or_default()
    })
    .clone()
}

/// Whether rows are recovered after a loss of power.
pub(crate) fn is_recovered() -> bool {
    !boot().is_empty()
}

#[async_trait::async_trait]
impl GenerationStore for DiskResults {
    async fn put(&self, scope: &Scope, generation: &Generation) -> Result<Stored> {
        let names = file::stored_names(&generation.files)?;
        let (members, size) = self.row(scope, generation, &names)?;
        self.put_objects(generation, &names, members.to_string()).await?;
        self.put_row(&generation.id, members, size).await?;
        Ok(Stored { s3_key: object_key(generation) })
    }

    async fn get(&self, scope: &Scope, id: &str) -> Result<Generation> {
        self.reading.get(scope, id).await
    }

    async fn list(&self, scope: &Scope, listing: &Listing) -> Result<Page> {
        self.reading.list(scope, listing).await
    }

    async fn delete(&self, scope: &Scope, id: &str) -> Result<Option<String>> {
        self.reading.delete(scope, id).await
    }
}

/// Attributes as they travel.
fn map(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), wire(value))).collect())
}

fn wire(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(is) => json!({ "BOOL": is }),
        AttributeValue::M(item) => json!({ "M": map(item) }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(wire).collect::<Vec<_>>() }),
        // A row has no other kinds.
        _ => Value::Object(Map::from_iter([("NULL".to_owned(), Value::Bool(true))])),
    }
}

#[cfg(test)]
mod tests {
    use claude_code_core::testing::store_contract;

    use super::*;
    use crate::connect::config::Config;
    use crate::local::{BUCKET, Twin};

    async fn remove(twin: &Twin, id: &str) {
        let key = AttributeValue::S(id.to_owned());
        let request = twin.dynamodb_client().delete_item().table_name("claude-code-results").key("id", key);
        assert!(request.send().await.is_ok());
    }

    #[tokio::test]
    async fn a_row_that_a_loss_of_power_took_is_back_and_a_deleted_result_is_not() -> Result<()> {
        let dir = tempfile::tempdir().map_err(|error| Error::new(ErrorKind::Storage, error.to_string()))?;
        let twin = Twin::open(dir.path())?;
        crate::connect::local::prepare(&twin, &Config::default()).await?;
        let reading = crate::connect::results(&twin.sdk_config(), &Config::default(), BUCKET);
        let store = DiskResults::new(Arc::clone(twin.engines()), reading);
        let scope = Scope::local();
        for (at, id) in ["lost", "deleted", "kept"].into_iter().enumerate() {
            let generation = store_contract::generation(id, at as i64, &[("a.py", "a = 1\n")]);
            store.put(&scope, &generation).await?;
        }
        // What the table forgets with the power is what was not synchronised.
        remove(&twin, "lost").await;
        store.delete(&scope, "deleted").await?;
        store.recover(&boot()).await?;
        assert!(store.get(&scope, "lost").await.is_err(), "the machine has not been started anew");
        store.recover("another start").await?;
        assert!(store.get(&scope, "lost").await.is_ok() && store.get(&scope, "kept").await.is_ok());
        assert!(store.get(&scope, "deleted").await.is_err(), "its objects are gone");
        Ok(())
    }
}
