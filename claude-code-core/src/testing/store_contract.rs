//! Contract suite of generation stores.

use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::clock::UtcMillis;
use crate::error::ErrorKind;
use crate::generation::Generation;
use crate::model::Tier;
use crate::money::price::SignedPicoUsd;
use crate::money::receipt::{Item, LineItem, Receipt};
use crate::money::usage::Usage;
use crate::provider::StopReason;
use crate::state::Scope;
use crate::store::{GenerationStore, Listing};

/// A generation with these files, for stores to keep.
#[allow(clippy::expect_used)]
pub fn generation(id: &str, at: i64, files: &[(&str, &str)]) -> Generation {
    let language = Language::new("python").expect("a known language");
    let files = files.iter().map(|(path, content)| CodeFile {
        path: Some((*path).to_owned()),
        language: Language::from_path(path).unwrap_or_else(Language::text),
        content: (*content).to_owned(),
        complete: true,
        rejected: None,
    });
    Generation {
        id: id.to_owned(),
        accepted: true,
        language,
        files: files.collect(),
        text: "An answer.".to_owned(),
        model: "global.anthropic.claude-haiku-5-5".to_owned(),
        tier: Tier::Simple,
        tier_reason: "given".to_owned(),
        stop_reason: Some(StopReason::EndTurn),
        usage: Usage::new(100, 50),
        receipt: Receipt::default(),
        attempts: Vec::new(),
        diagnostics: Vec::new(),
        warnings: Vec::new(),
        diff: None,
        cached: None,
        stored: false,
        stored_problem: None,
        s3_key: None,
        generated_at: UtcMillis(1_795_293_960_123 + at),
        sample: false,
        prompt: "Write a Python function that reverses a string.".to_owned(),
        batch_id: None,
        cache_key: None,
        given: Default::default(),
    }
}

/// Runs the whole contract. Panics at what does not hold.
pub async fn holds(store: &dyn GenerationStore) {
    what_was_put_comes_back(store).await;
    putting_the_same_again_changes_nothing(store).await;
    another_scope_sees_nothing(store).await;
    a_language_is_listed_newest_first_in_pages(store).await;
    the_results_of_a_batch_are_listed_by_its_id(store).await;
    a_listing_tells_what_each_result_cost(store).await;
    a_deleted_result_is_gone(store).await;
    refused_names_store_nothing(store).await;
}

fn listing(limit: u32, cursor: Option<String>) -> Listing {
    #[allow(clippy::expect_used)]
    let language = Language::new("python").expect("a known language");
    Listing { language, from: None, to: None, batch: None, cursor, limit }
}

#[allow(clippy::unwrap_used)]
async fn what_was_put_comes_back(store: &dyn GenerationStore) {
    let scope = Scope::local();
    for (id, files) in [
        ("01-one", vec![("reverse.py", "def reverse(s):\n    return s[::-1]\n")]),
        ("02-two", vec![("app/main.py", "import app\n"), ("README.md", "# App\n"), ("leer.txt", "")]),
    ] {
        let put = generation(id, 0, &files);
        let stored = store.put(&scope, &put).await.unwrap();
        let base = format!("generated-code/python/20261121T204600123Z-{id}");
        let expected = if files.len() == 1 { format!("{base}.py") } else { format!("{base}/") };
        assert_eq!(stored.s3_key, expected);
        let got = store.get(&scope, id).await.unwrap();
        assert_eq!(got.files, put.files);
        assert_eq!(
            (got.id, got.model, got.usage, got.stop_reason),
            (put.id, put.model, put.usage, put.stop_reason)
        );
        assert_eq!((got.prompt, got.generated_at), (put.prompt, put.generated_at));
        assert!(got.stored && got.s3_key == Some(stored.s3_key));
    }
}

#[allow(clippy::unwrap_used)]
async fn putting_the_same_again_changes_nothing(store: &dyn GenerationStore) {
    let scope = Scope::local();
    let one = generation("03-same", 1, &[("a.py", "a = 1\n")]);
    let first = store.put(&scope, &one).await.unwrap();
    assert_eq!(store.put(&scope, &one).await.unwrap(), first);
    let other = generation("03-same", 1, &[("a.py", "a = 2\n")]);
    assert_eq!(store.put(&scope, &other).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(store.get(&scope, "03-same").await.unwrap().files, one.files);
}

#[allow(clippy::unwrap_used)]
async fn another_scope_sees_nothing(store: &dyn GenerationStore) {
    let other = Scope::authenticated("somebody else");
    assert_eq!(store.get(&other, "01-one").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.delete(&other, "01-one").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(store.list(&other, &listing(10, None)).await.unwrap().items.is_empty());
    assert!(store.get(&Scope::local(), "01-one").await.is_ok());
}

#[allow(clippy::unwrap_used)]
async fn a_listing_tells_what_each_result_cost(store: &dyn GenerationStore) {
    let scope = Scope::authenticated("payer");
    let line = |usd: Option<i128>| Item {
        attempt: 0,
        model: "claude-haiku-5-5".to_owned(),
        what: LineItem::Output,
        tokens: Some(50),
        usd_per_million_tokens: None,
        usd: usd.map(SignedPicoUsd),
    };
    for (at, usd) in [(0, Some(0)), (1, Some(12_345)), (2, None)] {
        let mut put = generation(&format!("2{at}-priced"), 1000 * at, &[("a.py", "a = 1\n")]);
        put.receipt.items.push(line(usd));
        store.put(&scope, &put).await.unwrap();
    }
    let listed = store.list(&scope, &listing(10, None)).await.unwrap().items;
    let costs: Vec<Option<u64>> = listed.into_iter().map(|row| Some(row.total_usd?.0)).collect();
    assert_eq!(costs, [None, Some(12_345), Some(0)], "no price is not a price of nothing");
}

#[allow(clippy::unwrap_used)]
async fn a_language_is_listed_newest_first_in_pages(store: &dyn GenerationStore) {
    let scope = Scope::authenticated("lister");
    for n in 0..7 {
        let id = format!("1{n}-listed");
        store.put(&scope, &generation(&id, 1000 * n, &[("a.py", "a = 1\n")])).await.unwrap();
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list(&scope, &listing(3, cursor)).await.unwrap();
        assert!(page.items.len() <= 3);
        seen.extend(page.items.into_iter().map(|row| row.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..7).rev().map(|n| format!("1{n}-listed")).collect();
    assert_eq!(seen, expected);
    let from = UtcMillis(1_795_293_960_123 + 2000);
    let to = UtcMillis(1_795_293_960_123 + 5000);
    let range = Listing { from: Some(from), to: Some(to), ..listing(10, None) };
    let ids: Vec<String> =
        store.list(&scope, &range).await.unwrap().items.into_iter().map(|r| r.id).collect();
    assert_eq!(ids, ["14-listed", "13-listed", "12-listed"]);
}

#[allow(clippy::unwrap_used)]
async fn the_results_of_a_batch_are_listed_by_its_id(store: &dyn GenerationStore) {
    let scope = Scope::authenticated("batches");
    for n in 0..12 {
        let mut result = generation(&format!("2{n:02}-batched"), 1000 * n, &[("a.py", "a = 1\n")]);
        result.batch_id = [None, Some("one".to_owned()), Some("two".to_owned())][n as usize % 3].clone();
        store.put(&scope, &result).await.unwrap();
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let of_one = Listing { batch: Some("one".to_owned()), ..listing(3, cursor) };
        let page = store.list(&scope, &of_one).await.unwrap();
        assert!(page.items.len() <= 3);
        seen.extend(page.items.into_iter().map(|row| row.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["210-batched", "207-batched", "204-batched", "201-batched"]);
    let none = Listing { batch: Some("three".to_owned()), ..listing(3, None) };
    assert!(store.list(&scope, &none).await.unwrap().items.is_empty());
}

#[allow(clippy::unwrap_used)]
async fn a_deleted_result_is_gone(store: &dyn GenerationStore) {
    let scope = Scope::local();
    store.put(&scope, &generation("04-gone", 4, &[("a.py", "a\n"), ("b.py", "b\n")])).await.unwrap();
    store.delete(&scope, "04-gone").await.unwrap();
    assert_eq!(store.get(&scope, "04-gone").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.delete(&scope, "04-gone").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[allow(clippy::unwrap_used)]
async fn refused_names_store_nothing(store: &dyn GenerationStore) {
    let scope = Scope::local();
    let mut hostile = generation("05-hostile", 5, &[("a.py", "a\n"), ("b.py", "b\n")]);
    hostile.files[1].path = None;
    hostile.files[1].rejected = Some("it leaves the root".to_owned());
    assert_eq!(store.put(&scope, &hostile).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert_eq!(store.get(&scope, "05-hostile").await.unwrap_err().kind(), ErrorKind::NotFound);
}

/// The first page of Python results of the local scope.
#[allow(clippy::unwrap_used)]
pub async fn page(store: &dyn GenerationStore) -> crate::store::Page {
    store.list(&Scope::local(), &listing(100, None)).await.unwrap()
}
