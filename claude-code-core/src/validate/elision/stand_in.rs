//! Marks that their place gives away: words or dots in whose place the given text has code.

use std::ops::Range;

use super::super::hunks::{Hunk, Hunks, differences, is_rewrite, says};
use super::Mark;
use super::fill::Filling;

/// What a mark is to a diff: like no line.
const MARK: &str = "\0";

/// A text with marks beside the given one.
pub(super) struct StandIns<'t> {
    answer: &'t str,
    given: &'t str,
    hunks: Hunks<'t>,
    merged: Vec<Hunk>,
    /// The lines of the text, from 0, that are marks.
    lines: Vec<usize>,
}

impl<'t> StandIns<'t> {
    pub(super) fn new(given: &'t str, answer: &'t str, marks: &[Mark]) -> Self {
        let hunks = Hunks::new(given, answer);
        let merged = hunks.merged();
        let lines =
            marks.iter().filter(|mark| !mark.is_inline).flat_map(|mark| own_lines(answer, mark)).collect();
        StandIns { answer, given, hunks, merged, lines }
    }

    /// Whether code is missing where the mark stands: more than what is new there. Words that may mean something else
    /// count only where nothing else is new but for rewritten lines.
    pub(super) fn stands_for_code(&self, mark: &Mark) -> bool {
        let line = mark.line - 1;
        let Some(hunk) = self.merged.iter().find(|hunk| hunk.new.contains(&line)) else { return false };
        let (gone, brought) = self.hunks.unlike(hunk);
        let marks = self.hunks.brought(hunk).filter(|at| self.lines.contains(at)).count();
        let others = brought.saturating_sub(marks);
        let is_plain = others == 0 || (others == 1 && gone.len() > 2);
        if mark.has_dots { gone.len() > others } else { !gone.is_empty() && is_plain }
    }

    /// The lines that the given text has where the other one has nothing but the mark.
    pub(super) fn filling(&self, mark: &Mark) -> Option<Filling> {
        let own = own_lines(self.answer, mark);
        let Gap { gone, above, below } = self.gap(mark, &own)?;
        let (old, new) = (&self.hunks.old, &self.hunks.new);
        let (closed, closing) = (brackets(&old[below.0.clone()]), brackets(&new[below.1.clone()]));
        if brackets(&old[above.0.clone()]) != brackets(&new[above.1.clone()]) || !closed.ends_with(&closing) {
            return None;
        }
        // The brackets that the text still has close what is around.
        let mut end = gone.end;
        let mut left = closed.len() - closing.len();
        while left > 0 {
            left -= usize::from(!old[end].is_empty());
            end += 1;
        }
        // Blank lines that went with the code.
        let blank_above = |lines: &[&str]| lines.iter().rev().take_while(|line| line.is_empty()).count();
        let blank_below = |lines: &[&str]| lines.iter().take_while(|line| line.is_empty()).count();
        let start = gone.start - blank_above(&old[above.0]).saturating_sub(blank_above(&new[above.1]));
        if below.1.end < new.len() {
            end += blank_below(&old[end..below.0.end]).saturating_sub(blank_below(&new[below.1]));
        }
        let text = self.given.get(places(self.given, &(start..end)))?.to_owned();
        let ends = text.ends_with('\n') || own.end == new.len();
        let text = if ends { text } else { text + "\n" };
        Some(Filling { range: places(self.answer, &own), text })
    }

    /// Where code is missing at a mark, if nothing but that is new there. Only lines that say something are compared:
    /// brackets and blank lines are like each other everywhere.
    fn gap(&self, mark: &Mark, own: &Range<usize>) -> Option<Gap> {
        let (all_old, all_new) = (&self.hunks.old, &self.hunks.new);
        let is_mark = |at: &usize| self.lines.contains(at);
        let old: Vec<usize> = (0..all_old.len()).filter(|at| says(all_old[*at])).collect();
        let new: Vec<usize> = (0..all_new.len()).filter(|at| is_mark(at) || says(all_new[*at])).collect();
        let old_text: Vec<&str> = old.iter().map(|at| all_old[*at]).collect();
        let new_text: Vec<&str> =
            new.iter().map(|at| if is_mark(at) { MARK } else { all_new[*at] }).collect();
        let place = new.iter().position(|at| *at == own.start)?;
        let hunk = differences(&old_text, &new_text).into_iter().find(|hunk| hunk.new.contains(&place))?;
        let Hunk { old: mut gone, new: mut brought } = hunk;
        let is_like = |old: usize, new: usize| is_rewrite(old_text[old], new_text[new]);
        while !gone.is_empty() && !brought.is_empty() && is_like(gone.start, brought.start) {
            (gone.start, brought.start) = (gone.start + 1, brought.start + 1);
        }
        while !gone.is_empty() && !brought.is_empty() && is_like(gone.end - 1, brought.end - 1) {
            (gone.end, brought.end) = (gone.end - 1, brought.end - 1);
        }
        let is_alone = !brought.is_empty() && brought.clone().all(|at| own.contains(&new[at]));
        if mark.is_inline || !is_alone || gone.is_empty() {
            return None;
        }
        let behind = |lines: &[usize], at: usize| at.checked_sub(1).map_or(0, |before| lines[before] + 1);
        let before = |lines: &[usize], at: usize, all: usize| lines.get(at).copied().unwrap_or(all);
        let (first, last) = (old[gone.start], old[gone.end - 1] + 1);
        Some(Gap {
            gone: first..last,
            above: (behind(&old, gone.start)..first, behind(&new, brought.start)..own.start),
            below: (
                last..before(&old, gone.end, all_old.len()),
                own.end..before(&new, brought.end, all_new.len()),
            ),
        })
    }
}

/// Lines that are gone where a mark stands, and what is between them and the next lines that say something, in both texts.
struct Gap {
    gone: Range<usize>,
    above: (Range<usize>, Range<usize>),
    below: (Range<usize>, Range<usize>),
}

fn brackets<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    lines.iter().copied().filter(|line| !line.is_empty()).collect()
}

/// The lines of a mark, from 0.
fn own_lines(answer: &str, mark: &Mark) -> Range<usize> {
    let first = mark.line - 1;
    first..first + answer[mark.range.clone()].lines().count().max(1)
}

/// Where these lines stand in a text.
fn places(text: &str, lines: &Range<usize>) -> Range<usize> {
    let mut starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    starts.push(text.len());
    let at = |line: usize| starts.get(line).copied().unwrap_or(text.len());
    at(lines.start)..at(lines.end)
}
