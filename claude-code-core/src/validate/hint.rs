//! What was meant by a name that does not exist.

use std::cell::Cell;
use std::fmt;

use crate::answer::diagnostic::Severity;

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
    pub fn of<'n>(&self, wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Near {
        let mut left = self.left.get();
        // None of them rather than the first ones: they come in no order.
        let names: Vec<&str> = names.into_iter().take(left + 1).collect();
        left = left.saturating_sub(names.len());
        self.left.set(left);
        let near = if left > 0 { nearest(wanted, names) } else { None };
        Near { is_slip: near.is_some_and(|name| is_slip(wanted, name)), name: near.map(str::to_owned) }
    }
}

/// What was probably meant.
pub struct Near {
    name: Option<String>,
    is_slip: bool,
}

impl Near {
    pub fn is_empty(&self) -> bool {
        self.name.is_none()
    }

    /// Whether one letter was mistyped, so that nothing else can be meant: an error. A name that is only alike may be that
    /// of something else that is not here.
    pub fn severity(&self) -> Severity {
        if self.is_slip { Severity::Error } else { Severity::Warning }
    }
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " (did you mean `{name}`?)"))
    }
}

/// Whether a name is another one with one letter dropped, doubled, changed, or two exchanged: not the first letter, no
/// digit, and not a plural.
fn is_slip(wrong: &str, right: &str) -> bool {
    let (wrong, right): (Vec<char>, Vec<char>) = (wrong.chars().collect(), right.chars().collect());
    let same = wrong.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let tail = |from: usize, letters: &[char]| letters.get(from..).unwrap_or(&[]).to_vec();
    let (rest, meant) = (tail(same, &wrong), tail(same, &right));
    let is_one = tail(1, &rest) == tail(1, &meant) || rest == tail(1, &meant) || tail(1, &rest) == meant;
    let is_swapped = rest.len() > 1
        && meant.len() > 1
        && rest[0] == meant[1]
        && rest[1] == meant[0]
        && rest[2..] == meant[2..];
    let changed: Vec<char> = rest.iter().chain(&meant).take(2).copied().collect();
    let is_plural = wrong.len() != right.len()
        && tail(1, &rest).is_empty()
        && tail(1, &meant).is_empty()
        && changed == ['s'];
    let has_digit = [rest.first(), meant.first()].into_iter().flatten().any(char::is_ascii_digit);
    let is_long = wrong.len().max(right.len()) > 2;
    same > 0 && is_long && (is_one || is_swapped) && !is_plural && !has_digit
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
