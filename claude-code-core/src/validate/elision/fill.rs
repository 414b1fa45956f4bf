//! Filling in what an answer left out, from the text that it was given: only where the lines or definitions around a mark
//! stand there once and in the same order.

use std::ops::Range;

use super::super::definitions::{Item, items};
use super::super::lost::is_similar;
use super::super::parses;
use super::stand_in::StandIns;
use super::{Mark, language_of, marks};

/// A piece of the answer with what takes its place.
pub(super) struct Filling {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

/// The text with its marks filled in; none if it has no marks, or only some that mean nothing. Fails with the first mark
/// that means something and cannot be filled.
pub fn filled(given: &str, answer: &str, path: &str) -> Result<Option<String>, Mark> {
    let language = &language_of(path);
    let marks = marks(language, answer, Some(given));
    let text = filled_at(language, given, answer, &marks)?;
    let is_code = |text: &str| parses(language, text) == Some(true);
    let is_broken = |text: &String| is_code(given) && is_code(answer) && !is_code(text);
    match text.filter(|text| !is_broken(text) || marks.iter().all(|mark| !mark.is_hint())) {
        None if marks.iter().any(Mark::is_hint) => {
            // Words that only hint at it meant something else, if what they were filled with is no code there.
            let sure: Vec<Mark> = marks.into_iter().filter(|mark| !mark.is_hint()).collect();
            filled_at(language, given, answer, &sure)
        }
        text => Ok(text),
    }
}

fn filled_at(language: &str, given: &str, answer: &str, marks: &[Mark]) -> Result<Option<String>, Mark> {
    if marks.is_empty() {
        return Ok(None);
    }
    let (old, new) = (Side::new(language, given), Side::new(language, answer));
    let places = StandIns::new(given, answer, marks);
    let mut fillings: Vec<Filling> = Vec::new();
    for (at, mark) in marks.iter().enumerate() {
        let is_stand_in = !mark.is_stub(language) && places.stands_for_code(mark);
        if mark.is_hint() && !is_stand_in {
            continue;
        }
        let found = by_items(language, &old, &new, mark)
            .or_else(|| by_lines(&old.whole(), &new.whole(), marks, at))
            .filter(|filling| !is_stand_in || adds(filling, answer, mark))
            .or_else(|| places.filling(mark));
        // A body that was to be written before is no code that is left out.
        if mark.is_stub(language) && found.as_ref().is_some_and(|filling| is_unwritten(&filling.text)) {
            continue;
        }
        match found {
            Some(filling) if adds(&filling, answer, mark) || (mark.is_sure && mark.has_dots) => {
                fillings.push(filling)
            }
            Some(_) => {}
            None if mark.is_sure || is_stand_in => return Err(mark.clone()),
            None => {}
        }
    }
    fillings.sort_by_key(|filling| filling.range.start);
    if fillings.windows(2).any(|pair| pair[0].range.end > pair[1].range.start) {
        return Err(marks[0].clone());
    }
    let mut text = answer.to_owned();
    for filling in fillings.iter().rev() {
        text.replace_range(filling.range.clone(), &filling.text);
    }
    Ok((!fillings.is_empty()).then_some(text))
}

/// Whether a filling has code that the answer has not at this place.
fn adds(filling: &Filling, answer: &str, mark: &Mark) -> bool {
    let replaced = &answer[filling.range.clone()];
    let left_out = answer[mark.range.clone()].trim();
    let has =
        |line: &str| replaced.lines().any(|known| known.trim() == line.trim() && line.trim() != left_out);
    filling.text.lines().any(|line| !line.trim().is_empty() && line.trim() != left_out && !has(line))
}

/// Whether a body does nothing but say that it is missing.
fn is_unwritten(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let begins = ["def ", "async def ", "class ", "@", "pass", "...", "raise NotImplementedError"];
    lines.all(|line| begins.iter().any(|begin| line.starts_with(begin)))
}

/// A text with its items.
struct Side<'t> {
    text: &'t str,
    items: Vec<Item>,
    is_parsed: bool,
}

impl<'t> Side<'t> {
    fn new(language: &str, text: &'t str) -> Self {
        let items = items(language, text);
        Side { text, is_parsed: items.is_some(), items: items.unwrap_or_default() }
    }

    fn whole(&self) -> Lines<'t> {
        Lines { text: self.text, range: 0..self.text.len(), head: 0, tail: 0 }
    }
}

/// By the definitions around the mark, from the outer ones in.
fn by_items(language: &str, old: &Side<'_>, new: &Side<'_>, mark: &Mark) -> Option<Filling> {
    if !old.is_parsed || !new.is_parsed {
        return None;
    }
    let mut level = Level {
        old: &old.items,
        old_range: 0..old.text.len(),
        new: &new.items,
        new_range: 0..new.text.len(),
    };
    loop {
        let around = match level.around(language, new.text, mark) {
            Around::Item(item) => item,
            Around::Level => return level.filled(old.text, new.text, mark),
            Around::Other => return None,
        };
        let before =
            level.old.iter().find(|item| around.names.iter().any(|name| item.names.contains(name)))?;
        if !around.is_container {
            return in_body(old.text, before, new.text, around, mark);
        }
        level = Level {
            old: &before.items,
            old_range: with_start(old.text, before.body.clone()?),
            new: &around.items,
            // A body of nothing but a comment is none in Python.
            new_range: match &around.body {
                Some(body) => with_start(new.text, body.clone()),
                None if language == "python" => around.core.end..around.core.end,
                None => return None,
            },
        };
    }
}

/// What a mark stands in.
enum Around<'i> {
    /// A definition.
    Item(&'i Item),
    /// Between the items of the level.
    Level,
    /// A statement, of which nothing is known.
    Other,
}

/// The items of one level, in both texts.
struct Level<'i> {
    old: &'i [Item],
    old_range: Range<usize>,
    new: &'i [Item],
    new_range: Range<usize>,
}

impl<'i> Level<'i> {
    /// What the mark stands in. In Python a comment belongs to what is indented less.
    fn around(&self, language: &str, text: &str, mark: &Mark) -> Around<'i> {
        let at = mark.range.start + leading(&text[mark.range.clone()]);
        let is_around = |item: &&Item| item.core.start < at && at < item.core.end && !item.is_comment;
        let is_deeper = |item: &&Item| mark.is_inline || column(text, at) > column(text, item.core.start);
        let last = || self.new.iter().rfind(|item| item.core.start < at && !item.is_comment);
        let found = self
            .new
            .iter()
            .find(is_around)
            .or_else(|| last().filter(|_| language == "python").filter(is_deeper));
        match found {
            Some(item) if item.names.is_empty() => Around::Other,
            Some(item) if language == "python" && !is_deeper(&item) => Around::Other,
            Some(item) => Around::Item(item),
            None => Around::Level,
        }
    }

    /// The items of the given text between those that stand around the mark in the answer.
    fn filled(&self, old: &str, new: &str, mark: &Mark) -> Option<Filling> {
        let own = |item: &&Item| {
            !(item.is_comment && mark.range.start <= item.core.start && item.core.end <= mark.range.end)
        };
        let before: Vec<&Item> =
            self.new.iter().filter(|item| item.core.end <= mark.range.start).filter(own).collect();
        let after: Vec<&Item> =
            self.new.iter().filter(|item| item.core.start >= mark.range.end).filter(own).collect();
        let place = |item: &Item| self.place(old, new, item);
        let above = before.iter().rev().find_map(|item| place(item));
        let below = after.iter().find_map(|item| place(item));
        let (from, to) = (above.map_or(0, |at| at + 1), below.unwrap_or(self.old.len()));
        if from > to {
            return None;
        }
        let gap = &self.old[from..to];
        let is_here = |item: &&Item| self.new.iter().any(|own| is_same(old, item, new, own));
        let missing: Vec<usize> = (0..gap.len())
            .filter(|at| !is_here(&&gap[*at]))
            .filter(|at| !self.is_renamed(old, &gap[*at], new))
            .collect();
        // A statement of the answer that the given text has otherwise may stand for one that would be filled in.
        let near = before.iter().rev().take_while(|item| place(item).is_none());
        let near = near.chain(after.iter().take_while(|item| place(item).is_none()));
        let is_statement = |item: &Item| item.names.is_empty() && !item.is_comment;
        if near.into_iter().any(|item| is_statement(item)) && missing.iter().any(|at| is_statement(&gap[*at]))
        {
            return None;
        }
        let start = before.last().map_or(self.new_range.start, |item| item.range.end);
        let end = after
            .first()
            .map_or(self.new_range.end.max(mark.range.end), |item| item.range.start.max(mark.range.end));
        let old_start = from.checked_sub(1).map_or(self.old_range.start, |at| self.old[at].range.end);
        let old_end = self.old.get(to).map_or(self.old_range.end, |item| item.range.start);
        let text = match missing.len() == gap.len() {
            true => old[old_start..old_end].to_owned(),
            false => self.joined(old, from, &missing, old_end),
        };
        // The comments of the first one may have been left where they were.
        let first = missing.first().map(|at| (&gap[*at], from + at));
        let above = before.iter().rev().find(|item| !item.is_comment);
        let floor = above.map_or(self.new_range.start, |item| item.range.end);
        let (start, text) =
            match first.and_then(|(item, at)| self.lead(old, &new[..mark.range.start], item, at)) {
                Some((begins, passed)) if begins >= floor => (begins, text[passed..].to_owned()),
                _ => (start, text),
            };
        // The line of a mark goes with its end.
        let ends = new[start..end].ends_with('\n') && !text.is_empty() && !text.ends_with('\n');
        let bare = text.trim_end_matches([' ', '\t']);
        let text = match ends {
            true if bare.ends_with('\n') => bare.to_owned(),
            true => text + "\n",
            false => text,
        };
        Some(Filling { range: start..end, text })
    }

    /// Where the answer has the comments and attributes that stand above an item, right before the mark; and how much of a
    /// filling stands before them.
    fn lead(&self, old: &str, before: &str, item: &Item, at: usize) -> Option<(usize, usize)> {
        let lead = old.get(item.range.start..item.core.start)?.trim_end();
        let before = before.trim_end();
        let end = at.checked_sub(1).map_or(self.old_range.start, |at| self.old[at].range.end);
        let is_there = !lead.is_empty() && before.ends_with(lead);
        is_there.then(|| (before.len() - lead.len(), item.range.start - end))
    }

    /// Some items of the gap, each with the blanks before it, and the blanks behind the last.
    fn joined(&self, old: &str, from: usize, missing: &[usize], end: usize) -> String {
        let end_of = |at: usize| at.checked_sub(1).map_or(self.old_range.start, |at| self.old[at].range.end);
        let each = missing.iter().map(|at| &old[end_of(from + at)..self.old[from + at].range.end]);
        let next = missing.last().map_or(from, |at| from + at + 1);
        let behind = self.old.get(next).map_or(end, |item| item.range.start);
        each.collect::<String>() + old.get(end_of(next)..behind).unwrap_or("\n")
    }

    /// Where in the given text an item of the answer stands.
    fn place(&self, old: &str, new: &str, item: &Item) -> Option<usize> {
        let mut found = (0..self.old.len()).filter(|at| is_same(old, &self.old[*at], new, item));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Whether a new definition of the answer is this one under another name.
    fn is_renamed(&self, old: &str, item: &Item, new: &str) -> bool {
        let is_known = |own: &Item| self.old.iter().any(|known| is_same(old, known, new, own));
        let (Some(name), text) = (item.names.first(), &old[item.core.clone()]) else { return false };
        self.new.iter().filter(|own| !own.names.is_empty() && !is_known(own)).any(|own| {
            own.names.first().is_some_and(|other| is_similar(text, name, &new[own.core.clone()], other))
        })
    }
}

fn is_same(old: &str, item: &Item, new: &str, own: &Item) -> bool {
    match (item.names.is_empty(), own.names.is_empty()) {
        (false, false) => item.names.iter().any(|name| own.names.contains(name)),
        (true, true) => old[item.core.clone()].trim() == new[own.core.clone()].trim(),
        _ => false,
    }
}

/// Within a function or value: by the lines around the mark.
fn in_body(old: &str, before: &Item, new: &str, around: &Item, mark: &Mark) -> Option<Filling> {
    if mark.is_inline {
        let (given, own) = (before.body.clone()?, around.body.clone()?);
        let is_all = new[own.clone()].trim() == new[mark.range.clone()].trim();
        return is_all.then(|| Filling { range: own, text: old[given].to_owned() });
    }
    let lines = |text, item: &Item, end: usize| {
        let start = whole_line(text, item.core.start);
        let end = next_line(text, item.core.end.max(end));
        let head = head(&text[start..end]);
        let last = text[start..end].lines().next_back().map_or("", str::trim);
        let tail =
            usize::from(last.starts_with(['}', ')', ']']) || last == "end" || last == "fi" || last == "done");
        Lines { text, range: start..end, head, tail }
    };
    let marks = [mark.clone()];
    by_lines(&lines(old, before, 0), &lines(new, around, mark.range.end), &marks, 0)
}

/// How many lines a definition's head has: up to the one that ends with its brace or colon.
fn head(text: &str) -> usize {
    let ends = |line: &str| line.trim_end().ends_with(['{', ':', '(', '[']) || line.trim() == "do";
    text.lines().position(ends).map_or(1, |at| at + 1)
}

/// A part of a text by lines; of it the first and last ones correspond to those of the other text, whatever they say.
struct Lines<'t> {
    text: &'t str,
    range: Range<usize>,
    head: usize,
    tail: usize,
}

impl<'t> Lines<'t> {
    fn all(&self) -> Vec<(usize, &'t str)> {
        let lines = self.text[self.range.clone()].split_inclusive('\n');
        lines
            .scan(self.range.start, |at, line| {
                let start = *at;
                *at += line.len();
                Some((start, line))
            })
            .collect()
    }
}

/// By the nearest lines above and below the mark, which have to stand in the given text once.
fn by_lines(old: &Lines<'_>, new: &Lines<'_>, marks: &[Mark], at: usize) -> Option<Filling> {
    let mark = &marks[at];
    if mark.is_inline {
        return None;
    }
    let (given, own) = (old.all(), new.all());
    let here = own.iter().position(|(start, _)| *start == mark.range.start)?;
    let is_mark = |start: usize| marks.iter().any(|mark| mark.range.start == start);
    let is_blank = |line: &str| line.trim().is_empty();
    let only = |line: &str| {
        let mut found = (0..given.len()).filter(|at| given[*at].1.trim() == line.trim());
        found.next().filter(|_| found.next().is_none())
    };
    let above = (0..here).rev().find(|at| !is_blank(own[*at].1));
    let from = match above {
        None => 0,
        Some(at) if at < new.head => old.head,
        Some(at) if is_mark(own[at].0) => return None,
        Some(at) => only(own[at].1)? + 1,
    };
    let below = (here + 1..own.len()).find(|at| !is_blank(own[*at].1));
    let to = match below {
        None => given.len(),
        Some(at) if new.tail > 0 && at + new.tail >= own.len() => given.len().checked_sub(old.tail)?,
        Some(at) if is_mark(own[at].0) => return None,
        Some(at) => only(own[at].1)?,
    };
    if from > to {
        return None;
    }
    let start = above.map_or(new.range.start, |at| own.get(at + 1).map_or(new.range.end, |line| line.0));
    let end = below.map_or(new.range.end, |at| own[at].0);
    let (text_start, text_end) = (
        given.get(from).map_or(old.range.end, |line| line.0),
        given.get(to).map_or(old.range.end, |line| line.0),
    );
    Some(Filling { range: start..end, text: old.text.get(text_start..text_end)?.to_owned() })
}

/// The inside of a body from what opens it on, blanks included.
fn with_start(text: &str, body: Range<usize>) -> Range<usize> {
    text[..body.start].trim_end().len()..body.end
}

fn leading(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn column(text: &str, at: usize) -> usize {
    at - whole_line(text, at)
}

fn whole_line(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

fn next_line(text: &str, at: usize) -> usize {
    if text[..at].ends_with('\n') {
        return at;
    }
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| at + end + 1)
}
