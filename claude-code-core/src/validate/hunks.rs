//! Hunks: where the lines of a text differ from those of a given one, whatever their indentation.

use std::collections::HashSet;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Lines between the first and the last difference that are compared one by one.
const MAX_LINES: usize = 8_000;

/// Pairs of lines of one hunk that are compared word by word.
const MAX_PAIRS: usize = 100_000;

/// Lines of both texts that take each other's place; one side may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    pub old: Range<usize>,
    pub new: Range<usize>,
}

/// Two texts line by line.
pub struct Hunks<'t> {
    /// The given lines, without the blanks around them.
    pub old: Vec<&'t str>,
    /// The new lines, likewise.
    pub new: Vec<&'t str>,
    /// Where they differ, line by line.
    pub exact: Vec<Hunk>,
    known: HashSet<&'t str>,
    kept: HashSet<&'t str>,
}

impl<'t> Hunks<'t> {
    pub fn new(given: &'t str, text: &'t str) -> Self {
        let lines = |text: &'t str| -> Vec<&'t str> { text.lines().map(str::trim).collect() };
        let (old, new) = (lines(given), lines(text));
        let exact = differences(&old, &new);
        let (known, kept) = (old.iter().copied().collect(), new.iter().copied().collect());
        Hunks { old, new, exact, known, kept }
    }

    /// The differences, where those between which nothing but brackets and blank lines stands are one.
    pub fn merged(&self) -> Vec<Hunk> {
        let mut merged: Vec<Hunk> = Vec::new();
        for hunk in &self.exact {
            match merged.last_mut() {
                Some(last) if !self.old[last.old.end..hunk.old.start].iter().any(|line| says(line)) => {
                    *last = Hunk { old: last.old.start..hunk.old.end, new: last.new.start..hunk.new.end };
                }
                _ => merged.push(hunk.clone()),
            }
        }
        merged
    }

    /// Of a hunk the lines that are gone and not rewritten, and how many lines are new and rewrite none.
    pub fn unlike(&self, hunk: &Hunk) -> (Vec<usize>, usize) {
        let (mut gone, mut brought): (Vec<usize>, Vec<usize>) =
            (self.gone(hunk).collect(), self.brought(hunk).collect());
        if gone.len() * brought.len() <= MAX_PAIRS {
            let pair = |old: &usize, new: &usize| is_rewrite(self.old[*old], self.new[*new]);
            let own = gone.clone();
            gone.retain(|old| !brought.iter().any(|new| pair(old, new)));
            brought.retain(|new| !own.iter().any(|old| pair(old, new)));
        }
        (gone, brought.len())
    }

    /// The given lines of a hunk that say something and stand nowhere in the new text.
    pub fn gone<'h>(&'h self, hunk: &Hunk) -> impl Iterator<Item = usize> + 'h {
        hunk.old.clone().filter(|at| says(self.old[*at]) && !self.kept.contains(self.old[*at]))
    }

    /// The new lines of a hunk that say something and stand nowhere in the given text.
    pub fn brought<'h>(&'h self, hunk: &Hunk) -> impl Iterator<Item = usize> + 'h {
        hunk.new.clone().filter(|at| says(self.new[*at]) && !self.known.contains(self.new[*at]))
    }
}

/// Whether a line is another one rewritten: most words of that one are in it, or half of them and the first.
pub fn is_rewrite(old: &str, new: &str) -> bool {
    let known: HashSet<&str> = words(new).collect();
    let (found, all) =
        words(old).fold((0, 0), |(found, all), word| (found + usize::from(known.contains(word)), all + 1));
    found * 5 >= all * 3 || (found * 2 >= all && words(old).next() == words(new).next())
}

/// The words and numbers of a line.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Where two texts differ. Between long ones that have little in common it is one place: a diff takes as many steps as the
/// square of what differs.
pub fn differences(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    let first = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[first..], &new[first..]);
    let last = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old_rest[..old_rest.len() - last], &new_rest[..new_rest.len() - last]);
    if old_rest.is_empty() && new_rest.is_empty() {
        return Vec::new();
    }
    let at = |range: Range<usize>| range.start + first..range.end + first;
    if old_rest.len() + new_rest.len() > MAX_LINES {
        return vec![Hunk { old: at(0..old_rest.len()), new: at(0..new_rest.len()) }];
    }
    let hunk = |op: DiffOp| match op {
        DiffOp::Equal { .. } => None,
        other => Some(Hunk { old: at(other.old_range()), new: at(other.new_range()) }),
    };
    capture_diff_slices(Algorithm::Myers, old_rest, new_rest).into_iter().filter_map(hunk).collect()
}

/// Whether there is more in a line than brackets and other signs.
pub fn says(line: &str) -> bool {
    line.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::{Hunk, Hunks};

    #[test]
    fn what_differs_is_found_line_by_line_and_at_once_in_long_texts() {
        let hunks = Hunks::new("a\nb\n}\nc\nd\n", "a\n}\nx\nd\n");
        assert_eq!(hunks.exact, [Hunk { old: 1..2, new: 1..1 }, Hunk { old: 3..4, new: 2..3 }]);
        assert_eq!(hunks.merged(), [Hunk { old: 1..4, new: 1..3 }]);
        let text = |name: &str| -> String { (0..50_000).map(|n| format!("{name} {n}\n")).collect() };
        let (old, new) = (format!("a\n{}b\n", text("old")), format!("a\n{}b\n", text("new")));
        let hunks = Hunks::new(&old, &new);
        assert_eq!(hunks.exact, [Hunk { old: 1..50_001, new: 1..50_001 }]);
        assert_eq!(hunks.gone(&hunks.exact[0]).count(), 50_000);
    }
}
