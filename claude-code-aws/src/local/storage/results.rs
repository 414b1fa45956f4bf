//! Results of the local directory, written straight into the twin's engines: what other clients read over S3 and
//! DynamoDB, at the cost of one synchronised transaction.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use claude_code_core::answer::file;
use claude_code_core::store::{Listing, Page, Stored, object_key};
use claude_code_core::{Error, ErrorKind, Generation, GenerationStore, Result, Scope};
use dynoxide::DynoxideError;
use serde_json::{Map, Value, json};

use crate::local::s3::NewObject;
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

    /// Objects first: a row never points at nothing.
    async fn put_objects(&self, generation: &Generation, names: &[String]) -> Result<()> {
        let Objects { prompt, files, manifest } = Objects::of(generation, names)?;
        let (timestamp, hash) = (generation.generated_at.compact(), prompt_hash(generation));
        let about = About::of(generation, &timestamp, &hash);
        let object = |(key, body): (String, Vec<u8>)| {
            let metadata = about.metadata(&body).into_iter().map(|(name, value)| (name.to_owned(), value));
            NewObject { key, metadata: metadata.collect(), body }
        };
        let objects = prompt.into_iter().chain(files).chain([manifest]).map(object).collect();
        self.engines.s3().await?.put_new(&self.reading.bucket, objects).await
    }

    async fn put_row(&self, scope: &Scope, generation: &Generation, names: &[String]) -> Result<()> {
        let item = row::fitting(row::item(scope, generation, names))?;
        let size = row::size(&item);
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
        match self.engines.dynamodb().await?.put(members, size).await? {
            Ok(()) => Ok(()),
            Err(DynoxideError::ConditionalCheckFailedException(..)) => Err(another(&generation.id)),
            Err(error) => {
                let table = &self.reading.table;
                Err(Error::new(ErrorKind::Storage, format!("cannot write table {table}: {error}")))
            }
        }
    }
}

#[async_trait::async_trait]
impl GenerationStore for DiskResults {
    async fn put(&self, scope: &Scope, generation: &Generation) -> Result<Stored> {
        let names = file::stored_names(&generation.files)?;
        self.put_objects(generation, &names).await?;
        self.put_row(scope, generation, &names).await?;
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
