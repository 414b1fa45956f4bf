//! What was meant by a name that does not exist.

use std::cell::Cell;

/// Names that are compared for the hints of one answer. Once they are used up there are none: findings beyond the first
/// few are not told.
const MAX_COMPARED: usize = 50_000;

/// The hints that are left for an answer.
pub struct Hints {
    left: Cell<usize>,
}

impl Default for Hints {
    fn default() -> Self {
        Hints { left: Cell::new(MAX_COMPARED) }
    }
}

impl Hints {
    /// ` (did you mean ...?)` for a message, or nothing.
    pub fn of<'n>(&self, wanted: &str, names: impl IntoIterator<Item = &'n str>) -> String {
        let mut left = self.left.get();
        // None of them rather than the first ones: they come in no order.
        let names: Vec<&str> = names.into_iter().take(left + 1).collect();
        left = left.saturating_sub(names.len());
        self.left.set(left);
        let near = if left > 0 { nearest(wanted, names) } else { None };
        near.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
    }
}

/// The nearest of some names by edit distance, if it is near enough to be meant.
pub fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let length = wanted.chars().count();
    let limit = (length / 3).clamp(1, 3);
    let is_long_enough = |name: &&str| *name != wanted && name.chars().count().abs_diff(length) <= limit;
    let near = names.into_iter().filter(is_long_enough);
    near.filter_map(|name| Some((distance(wanted, name, limit)?, name))).min().map(|(_, name)| name)
}

/// How many letters differ; none if more than the limit.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
        if row.iter().all(|so_far| *so_far > limit) {
            return None;
        }
    }
    Some(row[b.len()]).filter(|distance| *distance <= limit)
}
