//! Shared state in one DynamoDB table: `pk` is `kind#scope#key`, `sk` is `-`. Bodies over 100 KB go to the bucket.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use claude_code_core::answer::file::sha256_hex;
use claude_code_core::state::{
    AddError, Addition, CounterName, Counters, OnlyIf, PutError, StateKey, StateKind, Versioned,
};
use claude_code_core::{Error, ErrorKind, Result, StateStore, UtcMillis};

/// Bodies over this many bytes go to S3: an item with its names must stay under 400 KB.
const INLINE: usize = 100 * 1024;
/// What DynamoDB says where it has certainly not written: only then is an addition made again.
const NOT_DONE: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];
/// Tries of an addition that was not made.
const ADD_TRIES: u32 = 5;
/// The pause before the second try is twice this, and each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// The state table, and the bucket for large bodies.
#[derive(Clone, Debug)]
pub struct DynamoState {
    client: Client,
    table: String,
    bucket: Option<(aws_sdk_s3::Client, String)>,
}

type Item = HashMap<String, AttributeValue>;

impl DynamoState {
    /// State in this table.
    pub fn new(client: Client, table: &str) -> Self {
        DynamoState { client, table: table.to_owned(), bucket: None }
    }

    /// With bodies over 100 KB under `cache/` in this bucket.
    pub fn with_bucket(mut self, client: aws_sdk_s3::Client, bucket: &str) -> Self {
        self.bucket = Some((client, bucket.to_owned()));
        self
    }

    /// Where the body goes: into the item, or to S3 under the hash of its bytes.
    async fn body(&self, value: Vec<u8>) -> Result<(&'static str, AttributeValue)> {
        match &self.bucket {
            Some((client, bucket)) if value.len() > INLINE => {
                let key = format!("cache/{}", sha256_hex(&value));
                let put = client.put_object().bucket(bucket).key(&key).body(value.into()).send().await;
                put.map_err(|failed| crate::storage::s3::error("put", bucket, &key, &failed))?;
                Ok((":s3_key", AttributeValue::S(key)))
            }
            _ => Ok((":body", AttributeValue::B(Blob::new(value)))),
        }
    }

    /// Removes the body that an answer has in the bucket: an answer that is put over with nothing is erased.
    async fn erase_body(&self, key: &StateKey) -> Result<()> {
        let (Some((client, bucket)), Some(item)) = (&self.bucket, self.item(key).await?) else {
            return Ok(());
        };
        if let Some(AttributeValue::S(body)) = item.get("s3_key") {
            crate::storage::s3::erase(client, bucket, body, std::slice::from_ref(body)).await;
        }
        Ok(())
    }

    async fn item(&self, key: &StateKey) -> Result<Option<Item>> {
        let got = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.to_string()))
            .key("sk", AttributeValue::S("-".into()))
            .consistent_read(true)
            .send()
            .await;
        got.map(|got| got.item).map_err(|failed| super::error("read", &self.table, &failed))
    }

    /// The update that adds to these counters, under the condition that each stays above its floor.
    fn addition(
        &self,
        key: &StateKey,
        addition: &Addition,
        counters: &[CounterName],
    ) -> UpdateItemFluentBuilder {
        let number = |n: i64| AttributeValue::N(n.to_string());
        let mut names = HashMap::from([("#e".to_owned(), "expires_at".to_owned())]);
        let mut values = Item::from([(":e".to_owned(), number(addition.expires_at.seconds()))]);
        let mut sets = vec!["#e = :e".to_owned()];
        let (mut fresh, mut bounded) = (true, Vec::new());
        for (n, name) in counters.iter().enumerate() {
            let initial = addition.initial.get(name).copied().unwrap_or(0);
            let delta = addition.deltas.get(name).copied().unwrap_or(0);
            names.insert(format!("#c{n}"), name.clone().into_owned());
            values.insert(format!(":i{n}"), number(initial));
            values.insert(format!(":d{n}"), number(delta));
            sets.push(format!("#c{n} = if_not_exists(#c{n}, :i{n}) + :d{n}"));
            if let Some(floor) = addition.floors.get(name) {
                // A condition cannot add: what must be there before the addition is computed here.
                let needed = floor.saturating_sub(delta);
                values.insert(format!(":f{n}"), number(needed));
                bounded.push(format!("#c{n} >= :f{n}"));
                fresh &= initial >= needed;
            }
        }
        let mut removes = Vec::new();
        for (n, name) in addition.removed.iter().enumerate() {
            names.insert(format!("#r{n}"), name.clone().into_owned());
            removes.push(format!("#r{n}"));
        }
        let mut update = format!("SET {}", sets.join(", "));
        if !removes.is_empty() {
            update.push_str(" REMOVE ");
            update.push_str(&removes.join(", "));
        }
        let held = bounded.join(" AND ");
        let condition = if fresh { format!("attribute_not_exists(pk) OR ({held})") } else { held };
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.to_string()))
            .key("sk", AttributeValue::S("-".into()))
            .update_expression(update)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .set_condition_expression((!bounded.is_empty()).then_some(condition))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    async fn read(&self, item: Item) -> Result<Option<Versioned>> {
        let number =
            |name: &str| item.get(name).and_then(|v| v.as_n().ok()).and_then(|n| n.parse::<u64>().ok());
        let (Some(version), Some(expires)) = (number("version"), number("expires_ms")) else {
            return Ok(None);
        };
        let value = match (item.get("body"), item.get("s3_key"), &self.bucket) {
            (Some(AttributeValue::B(body)), _, _) => body.clone().into_inner(),
            (_, Some(AttributeValue::S(key)), Some((client, bucket))) => {
                match crate::storage::s3::get(client, bucket, key).await {
                    Ok(body) => body,
                    // The bucket removes bodies after a day: the value is gone.
                    Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(error),
                }
            }
            _ => return Ok(None),
        };
        let expires_at = UtcMillis(i64::try_from(expires).unwrap_or(i64::MAX));
        Ok(Some(Versioned { value, version, expires_at }))
    }
}

#[async_trait::async_trait]
impl StateStore for DynamoState {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>> {
        match self.item(key).await? {
            Some(item) => self.read(item).await,
            None => Ok(None),
        }
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        expires_at: UtcMillis,
        only_if: OnlyIf,
    ) -> Result<u64, PutError> {
        if value.is_empty() && key.kind == StateKind::Cache {
            self.erase_body(key).await?;
        }
        let (place, body) = self.body(value).await?;
        let set = match place {
            ":body" => {
                "SET #v = if_not_exists(#v, :zero) + :one, #e = :e, #m = :m, body = :body REMOVE s3_key"
            }
            _ => "SET #v = if_not_exists(#v, :zero) + :one, #e = :e, #m = :m, s3_key = :s3_key REMOVE body",
        };
        let number = |n: i64| AttributeValue::N(n.to_string());
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.to_string()))
            .key("sk", AttributeValue::S("-".into()))
            .update_expression(set)
            .expression_attribute_names("#v", "version")
            .expression_attribute_names("#e", "expires_at")
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            // Expiry is ours, to the millisecond; the table's own cleaning goes by whole seconds.
            .expression_attribute_names("#m", "expires_ms")
            .expression_attribute_values(":m", number(expires_at.0))
            .expression_attribute_values(":e", number(expires_at.seconds() + 1))
            .expression_attribute_values(place, body)
            .return_values(ReturnValue::UpdatedNew);
        match conditioned(update, only_if).send().await {
            Ok(done) => version(done.attributes()).ok_or_else(|| PutError::Store(damaged(&self.table))),
            Err(failed)
                if failed.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Err(PutError::Conflict)
            }
            Err(failed) => Err(PutError::Store(super::error("write", &self.table, &failed))),
        }
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        let counters = names(&addition);
        // Figures that are only looked at are read: a disk that is full has them too.
        if addition.deltas.values().all(|delta| *delta == 0) {
            let item = self.item(key).await.map_err(AddError::Store)?;
            return Ok(item.map_or(addition.initial, |item| counted(&item)));
        }
        let update = self.addition(key, &addition, &counters);
        for attempt in 1.. {
            let failed = match once(update.clone()).await {
                Ok(done) => return Ok(done.attributes().map(counted).unwrap_or_default()),
                Err(failed) => failed,
            };
            if let Some(UpdateItemError::ConditionalCheckFailedException(refused)) = failed.as_service_error()
            {
                let before = refused.item().map(counted);
                return Err(AddError::OutOfBounds(before.unwrap_or_else(|| addition.initial.clone())));
            }
            if attempt == ADD_TRIES || !failed.code().is_some_and(|code| NOT_DONE.contains(&code)) {
                return Err(AddError::Store(super::error("write", &self.table, &failed)));
            }
            tokio::time::sleep(FIRST_PAUSE * (1 << attempt)).await;
        }
        Err(AddError::Store(damaged(&self.table)))
    }
}

/// The update under this condition.
fn conditioned(update: UpdateItemFluentBuilder, only_if: OnlyIf) -> UpdateItemFluentBuilder {
    match only_if {
        OnlyIf::Any => update,
        OnlyIf::AbsentAt(now) => update
            .condition_expression("attribute_not_exists(pk) OR #m <= :now")
            .expression_attribute_values(":now", AttributeValue::N(now.0.to_string())),
        OnlyIf::Version(version) => update
            .condition_expression("#v = :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
    }
}

/// Makes an addition once. One whose reply was lost may have been made: the SDK, which would send it again, must not.
async fn once(update: UpdateItemFluentBuilder) -> Result<UpdateItemOutput, SdkError<UpdateItemError>> {
    let no_retries = Config::builder().retry_config(RetryConfig::disabled());
    update.customize().config_override(no_retries).send().await
}

/// The counters of an addition, each once.
fn names(addition: &Addition) -> Vec<CounterName> {
    let all: BTreeSet<_> = addition.initial.keys().chain(addition.deltas.keys()).cloned().collect();
    all.into_iter().collect()
}

fn version(attributes: Option<&Item>) -> Option<u64> {
    attributes?.get("version")?.as_n().ok()?.parse().ok()
}

/// All counters of a row: its numbers, but for its end.
fn counted(item: &Item) -> Counters {
    let number = |(name, value): (&String, &AttributeValue)| {
        let value = value.as_n().ok()?.parse().ok()?;
        (name != "expires_at").then(|| (CounterName::from(name.clone()), value))
    };
    item.iter().filter_map(number).collect()
}

fn damaged(table: &str) -> Error {
    Error::new(
        ErrorKind::Storage,
        format!("table {table} gave a row without a version: check that nothing else writes to it"),
    )
}
