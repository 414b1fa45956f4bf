use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ConditionCheck, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, Put, PutRequest, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification, TransactWriteItem, WriteRequest,
};

use crate::support::{Temporary, code, twin};

const TABLE: &str = "claude-code-results";
const INDEX: &str = "language-index";

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

async fn create(db: &Client) -> Result<(), aws_sdk_dynamodb::Error> {
    let index = GlobalSecondaryIndex::builder()
        .index_name(INDEX)
        .key_schema(key("language", KeyType::Hash))
        .key_schema(key("generated_at", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    db.create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("id"))
        .attribute_definitions(attribute("language"))
        .attribute_definitions(attribute("generated_at"))
        .key_schema(key("id", KeyType::Hash))
        .global_secondary_indexes(index)
        .send()
        .await?;
    Ok(())
}

async fn table() -> (Temporary, Client) {
    let twin = twin();
    let db = twin.twin.dynamodb_client();
    create(&db).await.unwrap();
    (twin, db)
}

fn row(id: &str, second: usize) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("id".to_owned(), text(id)),
        ("language".to_owned(), text("python")),
        ("generated_at".to_owned(), text(format!("2026-11-21T20:46:{second:02}.000Z"))),
    ])
}

async fn put(db: &Client, id: &str, second: usize) {
    db.put_item().table_name(TABLE).set_item(Some(row(id, second))).send().await.unwrap();
}

async fn get(db: &Client, id: &str) -> Option<HashMap<String, AttributeValue>> {
    db.get_item().table_name(TABLE).key("id", text(id)).send().await.unwrap().item
}

#[tokio::test]
async fn a_created_table_becomes_active_and_is_not_created_twice() {
    let (_twin, db) = table().await;
    let described = db.describe_table().table_name(TABLE).send().await.unwrap().table.unwrap();
    assert_eq!(described.table_status, Some(TableStatus::Active));
    assert_eq!(described.global_secondary_indexes.unwrap().len(), 1);
    let again = create(&db).await;
    assert!(matches!(again, Err(aws_sdk_dynamodb::Error::ResourceInUseException(_))), "{again:?}");
    assert_eq!(db.list_tables().send().await.unwrap().table_names(), [TABLE]);
}

#[tokio::test]
async fn a_conditional_put_wins_once() {
    let (_twin, db) = table().await;
    let first = || {
        let put = db.put_item().table_name(TABLE).set_item(Some(row("a", 1)));
        put.condition_expression("attribute_not_exists(id)").send()
    };
    first().await.unwrap();
    assert_eq!(code(first().await), "ConditionalCheckFailedException");
}

#[tokio::test]
async fn the_index_pages_newest_first() {
    let (_twin, db) = table().await;
    for n in 0..12 {
        put(&db, &format!("id-{n:02}"), n).await;
    }
    let mut pages = db
        .query()
        .table_name(TABLE)
        .index_name(INDEX)
        .key_condition_expression("#l = :l")
        .expression_attribute_names("#l", "language")
        .expression_attribute_values(":l", text("python"))
        .scan_index_forward(false)
        .limit(5)
        .into_paginator()
        .send();
    let (mut ids, mut count) = (Vec::new(), 0);
    while let Some(page) = pages.try_next().await.unwrap() {
        count += 1;
        ids.extend(page.items().iter().map(|item| item["id"].as_s().unwrap().clone()));
    }
    let expected: Vec<_> = (0..12).rev().map(|n| format!("id-{n:02}")).collect();
    assert_eq!((ids, count), (expected, 3));
}

#[tokio::test]
async fn a_reserved_word_needs_a_name() {
    let (_twin, db) = table().await;
    let query = db
        .query()
        .table_name(TABLE)
        .index_name(INDEX)
        .key_condition_expression("language = :l")
        .expression_attribute_values(":l", text("python"));
    assert_eq!(code(query.send().await), "ValidationException");
}

#[tokio::test]
async fn an_update_adds_and_returns_the_new_value() {
    let (_twin, db) = table().await;
    put(&db, "a", 1).await;
    let add = || {
        db.update_item()
            .table_name(TABLE)
            .key("id", text("a"))
            .update_expression("ADD n :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedNew)
            .send()
    };
    add().await.unwrap();
    let updated = add().await.unwrap().attributes.unwrap();
    assert_eq!(updated["n"], AttributeValue::N("2".to_owned()));
}

#[tokio::test]
async fn a_cancelled_transaction_writes_nothing_and_says_which_condition_failed() {
    let (_twin, db) = table().await;
    put(&db, "a", 1).await;
    let write = Put::builder().table_name(TABLE).set_item(Some(row("b", 2))).build().unwrap();
    let check = ConditionCheck::builder()
        .table_name(TABLE)
        .key("id", text("a"))
        .condition_expression("attribute_not_exists(id)")
        .build()
        .unwrap();
    let sent = db
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(write).build())
        .transact_items(TransactWriteItem::builder().condition_check(check).build())
        .send()
        .await
        .unwrap_err();
    let error = sent.into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error
    else {
        panic!("{error:?}")
    };
    let codes: Vec<_> =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(get(&db, "b").await, None);
}

#[tokio::test]
async fn a_repeated_transaction_token_writes_once() {
    let (_twin, db) = table().await;
    put(&db, "a", 1).await;
    let send = || {
        let update = aws_sdk_dynamodb::types::Update::builder()
            .table_name(TABLE)
            .key("id", text("a"))
            .update_expression("ADD n :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .build()
            .unwrap();
        db.transact_write_items()
            .client_request_token("token")
            .transact_items(TransactWriteItem::builder().update(update).build())
            .send()
    };
    send().await.unwrap();
    send().await.unwrap();
    assert_eq!(get(&db, "a").await.unwrap()["n"], AttributeValue::N("1".to_owned()));
}

#[tokio::test]
async fn an_item_may_have_409600_bytes_and_not_one_more() {
    let (_twin, db) = table().await;
    // Names count too: "id" + "a" + "body" + the text.
    let fits = 409_600 - "id".len() - "a".len() - "body".len();
    let put = |length: usize| {
        let item = db.put_item().table_name(TABLE).item("id", text("a"));
        item.item("body", text("x".repeat(length))).send()
    };
    put(fits).await.unwrap();
    assert_eq!(code(put(fits + 1).await), "ValidationException");
}

#[tokio::test]
async fn a_batch_has_at_most_25_writes() {
    let (_twin, db) = table().await;
    let batch = |count: usize| {
        let writes = (0..count).map(|n| {
            let put = PutRequest::builder().set_item(Some(row(&format!("{n}"), n))).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        });
        db.batch_write_item().request_items(TABLE, writes.collect()).send()
    };
    batch(25).await.unwrap();
    assert_eq!(code(batch(26).await), "ValidationException");
}

#[tokio::test]
async fn what_is_missing_or_unknown_has_its_own_error() {
    let (_twin, db) = table().await;
    let missing = db.get_item().table_name("nothing").key("id", text("a")).send().await;
    assert_eq!(code(missing), "ResourceNotFoundException");
    let empty = db.put_item().table_name(TABLE).item("id", text("")).send().await;
    assert_eq!(code(empty), "ValidationException");
    let backups = db.describe_continuous_backups().table_name(TABLE).send().await;
    assert_eq!(code(backups), "UnknownOperationException");
}

#[tokio::test]
async fn time_to_live_is_kept_as_set() {
    let (_twin, db) = table().await;
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name("ttl").build().unwrap();
    db.update_time_to_live().table_name(TABLE).time_to_live_specification(ttl).send().await.unwrap();
    let described = db.describe_time_to_live().table_name(TABLE).send().await.unwrap();
    let described = described.time_to_live_description.unwrap();
    assert_eq!(described.attribute_name(), Some("ttl"));
}

#[tokio::test]
async fn rows_are_there_after_a_restart() {
    let (twin, db) = table().await;
    put(&db, "a", 1).await;
    drop(db);
    let twin = twin.reopened();
    assert_eq!(get(&twin.twin.dynamodb_client(), "a").await, Some(row("a", 1)));
}
