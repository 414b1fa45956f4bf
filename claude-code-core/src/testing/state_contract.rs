//! Contract suite of state stores.

use std::time::Duration;

use crate::clock::UtcMillis;
use crate::state::{AddError, Addition, Counters, OnlyIf, PutError, Scope, StateKey, StateKind, StateStore};

const NOW: UtcMillis = UtcMillis(1_795_293_960_123);

fn key(name: &str) -> StateKey {
    StateKey::new(StateKind::Cache, &Scope::local(), name)
}

fn later() -> UtcMillis {
    NOW.plus(Duration::from_secs(60))
}

/// Runs the whole contract. Panics at what does not hold.
#[allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]
pub async fn holds(store: &dyn StateStore) {
    a_value_comes_back_with_its_version(store).await;
    absent_means_absent_or_expired(store).await;
    a_version_is_replaced_once(store).await;
    large_values_come_back_whole(store).await;
    counters_start_change_and_keep_their_floor(store).await;
    racing_additions_never_pass_the_floor(store).await;
    counters_of_a_time_come_with_the_others_and_go(store).await;
}

#[allow(clippy::unwrap_used)]
async fn a_value_comes_back_with_its_version(store: &dyn StateStore) {
    assert_eq!(store.get(&key("none")).await.unwrap(), None);
    let version = store.put(&key("a"), b"one".to_vec(), later(), OnlyIf::Any).await.unwrap();
    let found = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!((found.value, found.version), (b"one".to_vec(), version));
    assert_eq!(found.expires_at.seconds(), later().seconds());
    let next = store.put(&key("a"), b"two".to_vec(), later(), OnlyIf::Any).await.unwrap();
    assert!(next > version, "versions grow: they are fencing tokens");
}

#[allow(clippy::unwrap_used)]
async fn absent_means_absent_or_expired(store: &dyn StateStore) {
    store.put(&key("b"), vec![1], later(), OnlyIf::AbsentAt(NOW)).await.unwrap();
    let again = store.put(&key("b"), vec![2], later(), OnlyIf::AbsentAt(NOW)).await;
    assert!(matches!(again, Err(PutError::Conflict)));
    let over = later().plus(Duration::from_secs(1));
    store.put(&key("b"), vec![3], over.plus(Duration::from_secs(9)), OnlyIf::AbsentAt(over)).await.unwrap();
    assert_eq!(store.get(&key("b")).await.unwrap().unwrap().value, vec![3]);
}

#[allow(clippy::unwrap_used)]
async fn a_version_is_replaced_once(store: &dyn StateStore) {
    let version = store.put(&key("c"), vec![1], later(), OnlyIf::Any).await.unwrap();
    store.put(&key("c"), vec![2], later(), OnlyIf::Version(version)).await.unwrap();
    let stale = store.put(&key("c"), vec![3], later(), OnlyIf::Version(version)).await;
    assert!(matches!(stale, Err(PutError::Conflict)));
    assert_eq!(store.get(&key("c")).await.unwrap().unwrap().value, vec![2]);
}

#[allow(clippy::unwrap_used)]
async fn large_values_come_back_whole(store: &dyn StateStore) {
    let large: Vec<u8> = (0..500_000u32).map(|n| (n % 251) as u8).collect();
    store.put(&key("large"), large.clone(), later(), OnlyIf::Any).await.unwrap();
    assert!(store.get(&key("large")).await.unwrap().unwrap().value == large, "500 kB must come back whole");
}

fn counters<const N: usize>(named: [(&'static str, i64); N]) -> Counters {
    named.into_iter().map(|(name, count)| (name.into(), count)).collect()
}

fn spend(amount: i64) -> Addition {
    Addition {
        initial: counters([("remaining", 100), ("spent", 0)]),
        deltas: counters([("remaining", -amount), ("spent", amount)]),
        floors: counters([("remaining", 0)]),
        expires_at: later(),
        ..Addition::default()
    }
}

#[allow(clippy::unwrap_used)]
async fn counters_start_change_and_keep_their_floor(store: &dyn StateStore) {
    let totals = store.add(&key("sum"), spend(60)).await.unwrap();
    assert_eq!((totals["remaining"], totals["spent"]), (40, 60));
    match store.add(&key("sum"), spend(50)).await {
        Err(AddError::OutOfBounds(totals)) => assert_eq!((totals["remaining"], totals["spent"]), (40, 60)),
        other => assert!(
            matches!(other, Err(AddError::OutOfBounds(_))),
            "40 are left and 50 were taken: {other:?}"
        ),
    }
    let totals = store.add(&key("sum"), spend(40)).await.unwrap();
    assert_eq!((totals["remaining"], totals["spent"]), (0, 100));
    let first = store.add(&key("first"), spend(101)).await;
    assert!(matches!(first, Err(AddError::OutOfBounds(_))), "the floor holds for the first addition too");
}

async fn racing_additions_never_pass_the_floor(store: &dyn StateStore) {
    let name = key("race");
    let racing = (0..40).map(|_| store.add(&name, spend(10)));
    let results = futures_util::future::join_all(racing).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 10, "100 divided by 10");
}

#[allow(clippy::unwrap_used)]
async fn counters_of_a_time_come_with_the_others_and_go(store: &dyn StateStore) {
    let name = key("times");
    let change = |deltas: Counters, floors: Counters| Addition {
        deltas,
        floors,
        expires_at: later(),
        ..Addition::default()
    };
    store.add(&name, change(counters([("total", 5), ("held@7", 5)]), Counters::new())).await.unwrap();
    let totals = store.add(&name, change(counters([("total", 1)]), Counters::new())).await.unwrap();
    let expected = counters([("held@7", 5), ("total", 6)]);
    assert_eq!(totals, expected, "an addition tells of counters that it does not name");
    let looked = store.add(&name, change(counters([("total", 0)]), Counters::new())).await.unwrap();
    assert_eq!(looked, expected, "a look does too");
    let taken = change(counters([("held@7", -6), ("total", -6)]), counters([("held@7", 0)]));
    match store.add(&name, taken).await {
        Err(AddError::OutOfBounds(totals)) => assert_eq!(totals, expected, "and a refusal"),
        other => assert!(matches!(other, Err(AddError::OutOfBounds(_))), "5 are there, not 6: {other:?}"),
    }
    let never = change(counters([("held@8", -1)]), counters([("held@8", 0)]));
    let refused = store.add(&name, never).await;
    assert!(
        matches!(refused, Err(AddError::OutOfBounds(_))),
        "a counter that is not there is 0: {refused:?}"
    );
    let removal =
        Addition { removed: vec!["held@7".into()], ..change(counters([("total", 1)]), Counters::new()) };
    assert_eq!(store.add(&name, removal).await.unwrap(), counters([("total", 7)]));
    let looked = store.add(&name, change(counters([("total", 0)]), Counters::new())).await.unwrap();
    assert_eq!(looked, counters([("total", 7)]), "it stays away");
}
