//! Result row, exactly as the table has it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use claude_code_core::store::ResultRow;
use claude_code_core::{Error, ErrorKind, Generation, Language, PicoUsd, Result, Scope, UtcMillis};

/// A result is kept for 89 days, a day less than its objects.
const KEPT: Duration = Duration::from_secs(89 * 86_400);

/// DynamoDB's limit for an item, names and values together.
const MOST: usize = 400 * 1024;
/// Stands in a row whose files are listed in its manifest only, and tells how many they are.
const SPILLED: &str = "files_in_manifest";

/// Attributes of an item.
pub(crate) type Item = HashMap<String, AttributeValue>;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The item about this result, whose objects are stored under these names.
pub(crate) fn item(scope: &Scope, generation: &Generation, names: &[String]) -> Item {
    let row = ResultRow::of(generation);
    let files = generation.files.iter().zip(names).map(|(file, name)| {
        AttributeValue::M(Item::from([
            ("path".into(), text(name)),
            ("sha256".into(), text(file.sha256())),
            ("size".into(), number(file.size())),
        ]))
    });
    let mut item = Item::from([
        ("id".into(), text(row.id)),
        ("prompt".into(), text(row.prompt)),
        ("language".into(), text(row.language.as_str())),
        ("generated_at".into(), text(row.generated_at)),
        ("code_length".into(), number(row.code_length)),
        ("s3_key".into(), text(row.s3_key)),
        ("model".into(), text(row.model)),
        ("stop_reason".into(), text(row.stop_reason)),
        ("usage".into(), usage(generation)),
        ("receipt".into(), receipt(generation)),
        ("files".into(), AttributeValue::L(files.collect())),
        ("scope".into(), text(scope.as_str())),
        ("expires_at".into(), number(generation.generated_at.plus(KEPT).seconds())),
    ]);
    if let Some(batch) = &generation.batch_id {
        item.insert("batch_id".into(), text(batch));
    }
    if let Some(key) = &generation.cache_key {
        item.insert("cache_key".into(), text(key));
    }
    item
}

fn usage(generation: &Generation) -> AttributeValue {
    let used = &generation.usage;
    AttributeValue::M(Item::from([
        ("input_tokens".into(), number(used.input_tokens)),
        ("output_tokens".into(), number(used.output_tokens)),
        ("cache_read_input_tokens".into(), number(used.cache_read_input_tokens)),
        ("cache_creation_input_tokens".into(), number(used.cache_creation_input_tokens())),
    ]))
}

/// Money is a whole number of pico-dollars; a cost without a price has no number at all.
fn receipt(generation: &Generation) -> AttributeValue {
    let total = generation.receipt.total();
    let mut receipt = Item::from([
        ("priced".into(), AttributeValue::Bool(total.is_priced())),
        ("price_table".into(), text(&generation.receipt.price_table)),
        ("known_pico_usd".into(), number(total.known().0)),
    ]);
    if let Some(priced) = total.priced() {
        receipt.insert("total_pico_usd".into(), number(priced.0));
    }
    AttributeValue::M(receipt)
}

/// The item, small enough to be put: a list of files that is too long is left to the manifest, which has it anyway.
/// Fails if even the rest is too large.
pub(crate) fn fitting(mut item: Item) -> Result<Item> {
    if size(&item) <= MOST {
        return Ok(item);
    }
    let files = item.remove("files").and_then(|files| files.as_l().ok().map(Vec::len)).unwrap_or_default();
    item.insert(SPILLED.into(), number(files));
    match size(&item) {
        bytes if bytes > MOST => Err(Error::new(
            ErrorKind::Storage,
            format!("the result's row has {bytes} bytes, {MOST} are allowed: nothing was written"),
        )),
        _ => Ok(item),
    }
}

/// Names and hashes of the files that an item lists; none if the list is in the manifest.
pub(crate) fn files(item: &Item) -> Option<Vec<(String, String)>> {
    if item.contains_key(SPILLED) {
        return None;
    }
    let of = |file: &AttributeValue, name: &str| file.as_m().ok()?.get(name)?.as_s().ok().cloned();
    let listed = item.get("files").and_then(|files| files.as_l().ok()).into_iter().flatten();
    Some(listed.filter_map(|file| Some((of(file, "path")?, of(file, "sha256")?))).collect())
}

/// The name of the answer in the response cache, where it has one.
pub(crate) fn cache_key(item: &Item) -> Option<String> {
    item.get("cache_key")?.as_s().ok().cloned()
}

/// Bytes of an item as DynamoDB counts them, numbers rounded up: names and texts by their UTF-8, three bytes for a
/// list or map and one for each of its elements.
pub(crate) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 2,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(values) => 3 + values.len() + size(values),
        _ => 1,
    }
}

/// What a listing shows of an item; none if it is not such an item.
pub(crate) fn row(item: &Item) -> Option<ResultRow> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    Some(ResultRow {
        id: text("id")?,
        prompt: text("prompt")?,
        language: Language::new(&text("language")?).ok()?,
        generated_at: text("generated_at")?,
        code_length: item.get("code_length")?.as_n().ok()?.parse().ok()?,
        s3_key: text("s3_key")?,
        model: text("model")?,
        stop_reason: text("stop_reason")?,
        total_usd: total(item),
    })
}

/// What the result cost, where its price is known.
fn total(item: &Item) -> Option<PicoUsd> {
    let receipt = item.get("receipt")?.as_m().ok()?;
    receipt.get("total_pico_usd")?.as_n().ok()?.parse().ok().map(PicoUsd)
}

/// Whether the item is this scope's and has not expired. The table removes expired items up to days late.
pub(crate) fn is_visible(item: &Item, scope: &Scope, now: UtcMillis) -> bool {
    let expires = item.get("expires_at").and_then(|v| v.as_n().ok()).and_then(|n| n.parse::<i64>().ok());
    item.get("scope").and_then(|v| v.as_s().ok()).is_some_and(|of| of == scope.as_str())
        && expires.is_some_and(|expires| now.seconds() < expires)
}

#[cfg(all(test, feature = "local"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_dynamodb::types::AttributeValue;
    use claude_code_core::Scope;
    use claude_code_core::testing::store_contract::generation;

    use super::{Item, MOST, SPILLED, fitting, item, size, text};
    use crate::local::{self, Twin};

    /// A result's row of exactly so many bytes, most of them in its list of files.
    fn row_of(bytes: usize) -> Item {
        let g = generation("sized", 0, &[("a.py", "a = 1\n")]);
        let mut row = item(&Scope::local(), &g, &["a.py".to_owned()]);
        row.insert("files".into(), AttributeValue::L(vec![text("")]));
        let missing = bytes - size(&row);
        row.insert("files".into(), AttributeValue::L(vec![text("p".repeat(missing))]));
        assert_eq!(size(&row), bytes);
        row
    }

    #[tokio::test]
    async fn a_row_of_400_kb_is_put_as_it_is_and_one_byte_more_spills() {
        let dir = tempfile::tempdir().unwrap();
        drop(local::open(dir.path()).await.unwrap());
        let twin = Twin::open(dir.path()).unwrap();
        for (bytes, spills) in [(399 * 1024, false), (MOST, false), (MOST + 1, true), (401 * 1024, true)] {
            let row = fitting(row_of(bytes)).unwrap();
            assert_eq!(row.contains_key(SPILLED), spills, "{bytes}");
            let put = twin.dynamodb_client().put_item().table_name("claude-code-results").set_item(Some(row));
            assert!(put.send().await.is_ok(), "the engine counts {bytes} otherwise");
        }
    }

    #[tokio::test]
    async fn the_engine_refuses_what_is_counted_as_too_large() {
        let dir = tempfile::tempdir().unwrap();
        drop(local::open(dir.path()).await.unwrap());
        let twin = Twin::open(dir.path()).unwrap();
        // Numbers are counted from above, a few bytes each.
        let row = row_of(MOST + 64);
        let put = twin.dynamodb_client().put_item().table_name("claude-code-results").set_item(Some(row));
        assert!(put.send().await.is_err());
    }
}
