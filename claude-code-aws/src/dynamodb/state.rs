//! Shared state in one DynamoDB table: `pk` is `kind#scope#key`, `sk` is `-`. Bodies over 100 KB go to the bucket.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use claude_code_core::file::sha256_hex;
use claude_code_core::state::{AddError, Addition, Counters, OnlyIf, PutError, StateKey, Versioned};
use claude_code_core::{Error, Kind, Result, StateStore, UtcMillis};

/// Bodies over this many bytes go to S3: an item with its names must stay under 400 KB.
const INLINE: usize = 100 * 1024;

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
                put.map_err(|failed| crate::s3::error("put", bucket, &key, &failed))?;
                Ok((":s3_key", AttributeValue::S(key)))
            }
            _ => Ok((":body", AttributeValue::B(Blob::new(value)))),
        }
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
                match crate::s3::get(client, bucket, key).await {
                    Ok(body) => body,
                    // The bucket removes bodies after a day: the value is gone.
                    Err(error) if error.kind == Kind::NotFound => return Ok(None),
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
        let got = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.to_string()))
            .key("sk", AttributeValue::S("-".into()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|failed| super::error("read", &self.table, &failed))?;
        match got.item {
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
        let (place, body) = self.body(value).await?;
        let set = match place {
            ":body" => {
                "SET #v = if_not_exists(#v, :zero) + :one, #e = :e, #m = :m, body = :body REMOVE s3_key"
            }
            _ => "SET #v = if_not_exists(#v, :zero) + :one, #e = :e, #m = :m, s3_key = :s3_key REMOVE body",
        };
        let number = |n: i64| AttributeValue::N(n.to_string());
        let mut update = self
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
        update = match only_if {
            OnlyIf::Any => update,
            OnlyIf::AbsentAt(now) => update
                .condition_expression("attribute_not_exists(pk) OR #m <= :now")
                .expression_attribute_values(":now", number(now.0)),
            OnlyIf::Version(version) => update
                .condition_expression("#v = :version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
        };
        match update.send().await {
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
        let mut names = HashMap::from([("#e".to_owned(), "expires_at".to_owned())]);
        let mut values =
            Item::from([(":e".to_owned(), AttributeValue::N(addition.expires_at.seconds().to_string()))]);
        let mut sets = vec!["#e = :e".to_owned()];
        let (mut fresh, mut bounded) = (Vec::new(), Vec::new());
        let counters: Vec<&'static str> =
            addition.initial.keys().chain(addition.deltas.keys()).copied().collect();
        for (n, name) in counters.iter().collect::<std::collections::BTreeSet<_>>().into_iter().enumerate() {
            let initial = addition.initial.get(name).copied().unwrap_or(0);
            let delta = addition.deltas.get(name).copied().unwrap_or(0);
            names.insert(format!("#c{n}"), (*name).to_owned());
            values.insert(format!(":i{n}"), AttributeValue::N(initial.to_string()));
            values.insert(format!(":d{n}"), AttributeValue::N(delta.to_string()));
            sets.push(format!("#c{n} = if_not_exists(#c{n}, :i{n}) + :d{n}"));
            if let Some(floor) = addition.floors.get(name) {
                // A condition cannot add: what must be there before the addition is computed here.
                let needed = floor.saturating_sub(delta);
                values.insert(format!(":f{n}"), AttributeValue::N(needed.to_string()));
                bounded.push(format!("#c{n} >= :f{n}"));
                fresh.push(initial >= needed);
            }
        }
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.to_string()))
            .key("sk", AttributeValue::S("-".into()))
            .update_expression(format!("SET {}", sets.join(", ")))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if !bounded.is_empty() {
            let held = bounded.join(" AND ");
            let condition = if fresh.iter().all(|fits| *fits) {
                format!("attribute_not_exists(pk) OR ({held})")
            } else {
                held
            };
            update = update.condition_expression(condition);
        }
        match update.send().await {
            Ok(done) => Ok(counted(&counters, done.attributes())),
            Err(failed) => match failed.as_service_error() {
                Some(aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let before = refused.item().map_or_else(|| addition.initial.clone(), |item| counted(&counters, Some(item)));
                    Err(AddError::OutOfBounds(before))
                }
                _ => Err(AddError::Store(super::error("write", &self.table, &failed))),
            },
        }
    }
}

fn version(attributes: Option<&Item>) -> Option<u64> {
    attributes?.get("version")?.as_n().ok()?.parse().ok()
}

fn counted(names: &[&'static str], item: Option<&Item>) -> Counters {
    let read = |name: &str| item?.get(name)?.as_n().ok()?.parse::<i64>().ok();
    names.iter().map(|name| (*name, read(name).unwrap_or(0))).collect()
}

fn damaged(table: &str) -> Error {
    Error::new(
        Kind::Storage,
        format!("table {table} gave a row without a version: check that nothing else writes to it"),
    )
}
