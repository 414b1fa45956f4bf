//! Tables and buckets of a new twin; an account needs the same.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use claude_code_core::{Error, ErrorKind, Result};

use crate::connect::config::Config;
use crate::local::Twin;

/// What the index by language carries beside its keys.
const PROJECTED: [&str; 6] = ["scope", "code_length", "s3_key", "model", "stop_reason", "expires_at"];

/// Creates what is not there yet.
pub(crate) async fn create(twin: &Twin, config: &Config, bucket: &str) -> Result<()> {
    let (dynamodb, s3) = (twin.dynamodb_client(), twin.s3_client());
    results_table(&dynamodb, &config.table_name).await?;
    keyed_table(&dynamodb, &config.state_table).await?;
    keyed_table(&dynamodb, &config.service_table).await?;
    versioned_bucket(&s3, bucket).await?;
    versioned_bucket(&s3, &config.service_bucket).await
}

async fn results_table(client: &aws_sdk_dynamodb::Client, name: &str) -> Result<()> {
    if is_there(client, name).await {
        return Ok(());
    }
    let projection = Projection::builder()
        .projection_type(ProjectionType::Include)
        .set_non_key_attributes(Some(PROJECTED.map(str::to_owned).to_vec()))
        .build();
    let index = GlobalSecondaryIndex::builder()
        .index_name("language-index")
        .key_schema(key("language", KeyType::Hash)?)
        .key_schema(key("generated_at", KeyType::Range)?)
        .projection(projection)
        .build()
        .map_err(unbuildable)?;
    let created = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("id", KeyType::Hash)?)
        .attribute_definitions(text("id")?)
        .attribute_definitions(text("language")?)
        .attribute_definitions(text("generated_at")?)
        .global_secondary_indexes(index)
        .send()
        .await;
    made(client, name, created.map_err(|failed| crate::storage::dynamodb::error("create", name, &failed)))
        .await
}

async fn keyed_table(client: &aws_sdk_dynamodb::Client, name: &str) -> Result<()> {
    if is_there(client, name).await {
        return Ok(());
    }
    let created = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .attribute_definitions(text("pk")?)
        .attribute_definitions(text("sk")?)
        .send()
        .await;
    made(client, name, created.map_err(|failed| crate::storage::dynamodb::error("create", name, &failed)))
        .await
}

/// A table that another process made at the same moment is one too, and its expiry is that process's to set.
async fn made<T>(client: &aws_sdk_dynamodb::Client, name: &str, created: Result<T>) -> Result<()> {
    match created {
        Ok(_) => expire(client, name).await,
        Err(_) if is_there(client, name).await => Ok(()),
        Err(error) => Err(error),
    }
}

async fn is_there(client: &aws_sdk_dynamodb::Client, name: &str) -> bool {
    client.describe_table().table_name(name).send().await.is_ok()
}

async fn expire(client: &aws_sdk_dynamodb::Client, name: &str) -> Result<()> {
    let spec = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires_at").build();
    let set =
        client.update_time_to_live().table_name(name).time_to_live_specification(spec.map_err(unbuildable)?);
    set.send()
        .await
        .map(|_| ())
        .map_err(|failed| crate::storage::dynamodb::error("set the expiry of", name, &failed))
}

async fn versioned_bucket(client: &aws_sdk_s3::Client, name: &str) -> Result<()> {
    if client.head_bucket().bucket(name).send().await.is_ok() {
        return Ok(());
    }
    let created = client.create_bucket().bucket(name).send().await;
    if let Err(failed) = created
        && client.head_bucket().bucket(name).send().await.is_err()
    {
        return Err(crate::storage::s3::error("create", name, "", &failed));
    }
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let set = client.put_bucket_versioning().bucket(name).versioning_configuration(enabled).send().await;
    set.map(|_| ()).map_err(|failed| crate::storage::s3::error("version", name, "", &failed))
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(unbuildable)
}

fn text(name: &str) -> Result<AttributeDefinition> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(unbuildable)
}

fn unbuildable(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::new(ErrorKind::Storage, format!("the table's definition is incomplete: {error}"))
}
