//! The service creator's table and bucket: `CloudServiceCreator` with `pk` and `sk`, `cloudservicecreator-code`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::service_creator::{FILES, Row, RowKey, ServiceStore};
use crate::service_creator::{MemoryServices, Services};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use claude_code_core::state::{OnlyIf, PutError};
use claude_code_core::{Error, ErrorKind, Result, Scope};
use serde_json::Value;

use crate::connect::Connected;
use crate::connect::config::Config;
use crate::storage::s3;

/// The services of a connection: beside its results, else in memory.
pub fn of(connected: &Connected, config: &Config) -> Services {
    let store: Arc<dyn ServiceStore> = match &connected.places {
        Some(places) => Arc::new(AwsServices::new(
            crate::storage::dynamodb::client(&places.sdk),
            s3::client(&places.sdk),
            &config.service_table,
            &config.service_bucket,
        )),
        None => Arc::new(MemoryServices::default()),
    };
    Services::new(store, connected.client.clock().clone())
}

/// Services in a table and a bucket.
#[derive(Clone, Debug)]
pub struct AwsServices {
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    table: String,
    bucket: String,
}

impl AwsServices {
    /// Services in this table and bucket.
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        s3: aws_sdk_s3::Client,
        table: &str,
        bucket: &str,
    ) -> Self {
        AwsServices { dynamodb, s3, table: table.to_owned(), bucket: bucket.to_owned() }
    }
}

#[async_trait::async_trait]
impl ServiceStore for AwsServices {
    async fn row(&self, key: &RowKey) -> Result<Option<Row>> {
        let got = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.pk.clone()))
            .key("sk", AttributeValue::S(key.sk.clone()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|failed| crate::storage::dynamodb::error("read", &self.table, &failed))?;
        Ok(got.item.as_ref().and_then(row))
    }

    async fn put_row(
        &self,
        key: &RowKey,
        scope: &Scope,
        body: &Value,
        only_if: OnlyIf,
    ) -> Result<u64, PutError> {
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.pk.clone()))
            .key("sk", AttributeValue::S(key.sk.clone()))
            .update_expression("SET #v = if_not_exists(#v, :zero) + :one, #s = :s, #b = :b")
            .expression_attribute_names("#v", "version")
            .expression_attribute_names("#s", "scope")
            .expression_attribute_names("#b", "body")
            .expression_attribute_values(":zero", AttributeValue::N("0".into()))
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .expression_attribute_values(":s", AttributeValue::S(scope.as_str().to_owned()))
            .expression_attribute_values(":b", attribute(body))
            .return_values(ReturnValue::UpdatedNew);
        let update = match only_if {
            OnlyIf::Any => update,
            OnlyIf::AbsentAt(_) => update.condition_expression("attribute_not_exists(pk)"),
            OnlyIf::Version(version) => update
                .condition_expression("#v = :version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
        };
        match update.send().await {
            Ok(done) => Ok(done.attributes().and_then(version).unwrap_or(1)),
            Err(failed)
                if failed.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Err(PutError::Conflict)
            }
            Err(failed) => {
                Err(PutError::Store(crate::storage::dynamodb::error("write", &self.table, &failed)))
            }
        }
    }

    async fn file(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let got = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        let got = match got {
            Ok(got) => got,
            Err(failed) if failed.code() == Some("NoSuchKey") => return Ok(None),
            Err(failed) => {
                let error = s3::error("get", &self.bucket, key, &failed);
                // Without s3:ListBucket, which is not needed otherwise, a missing key reads as forbidden. Where the
                // service says that reading itself is what is forbidden, that is certain.
                let is_certain = failed.message().is_some_and(|told| told.contains("s3:GetObject"));
                let is_missing = failed.code() == Some("AccessDenied") && !is_certain;
                return Err(if is_missing { error.with_kind(ErrorKind::AccessDenied) } else { error });
            }
        };
        let body = got.body.collect().await.map_err(|_| {
            Error::new(
                ErrorKind::Storage,
                format!("s3://{}/{key} broke off while it was read: try again", self.bucket),
            )
        })?;
        Ok(Some(body.to_vec()))
    }

    async fn put_file(&self, key: &str, content: &str) -> Result<()> {
        let put = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("text/plain; charset=utf-8")
            .body(content.as_bytes().to_vec().into())
            .send()
            .await;
        put.map(|_| ()).map_err(|failed| s3::error("put", &self.bucket, key, &failed))
    }

    async fn rows(&self, pk: &str, limit: usize, before: Option<&str>) -> Result<Vec<Row>> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let query = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let query = match before {
            Some(sk) => query.exclusive_start_key("pk", text(pk)).exclusive_start_key("sk", text(sk)),
            None => query,
        };
        let found = query.send().await;
        let found = found.map_err(|failed| crate::storage::dynamodb::error("list", &self.table, &failed))?;
        Ok(found.items().iter().filter_map(row).collect())
    }

    async fn delete_row(&self, key: &RowKey) -> Result<()> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let delete = self.dynamodb.delete_item().table_name(&self.table);
        let deleted = delete.key("pk", text(&key.pk)).key("sk", text(&key.sk)).send().await;
        deleted
            .map(|_| ())
            .map_err(|failed| crate::storage::dynamodb::error("delete from", &self.table, &failed))
    }

    async fn delete_files(&self, prefix: &str) -> Result<()> {
        let keys: Vec<String> = FILES.iter().map(|name| format!("{prefix}{name}")).collect();
        s3::erase(&self.s3, &self.bucket, prefix, &keys).await;
        Ok(())
    }
}

type Item = HashMap<String, AttributeValue>;

fn version(item: &Item) -> Option<u64> {
    item.get("version")?.as_n().ok()?.parse().ok()
}

fn row(item: &Item) -> Option<Row> {
    let scope = item.get("scope")?.as_s().ok()?;
    Some(Row {
        // The stored text is a scope as it stands in keys, where what would end it is escaped already.
        scope: serde_json::from_value(Value::String(scope.clone())).ok()?,
        body: value(item.get("body")?),
        version: version(item)?,
    })
}

/// JSON as attributes, so that the table can be read and queried by people.
fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(items) => AttributeValue::L(items.iter().map(attribute).collect()),
        Value::Object(fields) => {
            AttributeValue::M(fields.iter().map(|(name, value)| (name.clone(), attribute(value))).collect())
        }
    }
}

fn value(attribute: &AttributeValue) -> Value {
    match attribute {
        AttributeValue::Bool(flag) => Value::Bool(*flag),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap_or(Value::Null),
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::L(items) => Value::Array(items.iter().map(value).collect()),
        AttributeValue::M(fields) => {
            Value::Object(fields.iter().map(|(name, field)| (name.clone(), value(field))).collect())
        }
        _ => Value::Null,
    }
}
