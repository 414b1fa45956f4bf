//! Counters: named integers of one row that change together or not at all. `loom-tests` runs this very file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::sync::{Mutex, PoisonError};

/// The name of a counter.
pub type CounterName = Cow<'static, str>;

/// Named integer counters.
pub type Counters = BTreeMap<CounterName, i64>;

/// Rows of counters in memory.
#[derive(Debug)]
pub(crate) struct Rows<K>(Mutex<HashMap<K, Counters>>);

impl<K: Eq + Hash + Clone> Rows<K> {
    /// No rows.
    pub(crate) fn new() -> Self {
        Rows(Mutex::new(HashMap::new()))
    }

    /// Adds to the counters of a row, all or none, removes those that are named, and gives the totals of the whole row.
    /// Err: a counter would have ended below its floor; the totals are those before.
    pub(crate) fn add(
        &self,
        key: &K,
        initial: &Counters,
        deltas: &Counters,
        floors: &Counters,
        removed: &[CounterName],
    ) -> Result<Counters, Counters> {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = rows.get(key).unwrap_or(initial).clone();
        let mut totals = before.clone();
        for (name, delta) in deltas {
            let total = totals.entry(name.clone()).or_insert(0);
            *total = total.saturating_add(*delta);
        }
        if floors.iter().any(|(name, floor)| totals.get(name).copied().unwrap_or(0) < *floor) {
            return Err(before);
        }
        totals.retain(|name, _| !removed.contains(name));
        rows.insert(key.clone(), totals.clone());
        Ok(totals)
    }
}
