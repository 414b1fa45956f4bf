//! Search/replace blocks: a path, `<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE`; or `------- SEARCH` and
//! `+++++++ REPLACE`. A block within a list item is indented as a whole.

use super::super::above::name_of;
use super::super::answer::{Division, Edit};
use super::super::cursor::is_blank;
use crate::answer::path::MAX_FILE_BYTES;

/// A longer edit is read as text.
const MAX_EDIT: usize = MAX_FILE_BYTES;
/// The length of marks as they are asked for; a line of so many `=` is the divider rather than a longer or shorter one.
const USUAL: usize = 7;
/// Dividers that are tried: more lines of `=` stand in no block that somebody meant as an edit.
const MAX_DIVISIONS: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Search,
    Divider,
    Replace,
}

/// A block whose end is awaited.
#[derive(Clone, Debug)]
struct Open {
    path: Option<String>,
    line: usize,
    /// What stands before its first mark.
    indent: String,
    body: String,
    has_divider: bool,
}

/// Collects edits from lines.
#[derive(Clone, Debug, Default)]
pub(in crate::read) struct EditReader {
    open: Option<Open>,
    /// The name that holds for the next edit.
    name: Option<String>,
    /// Lines outside edits that are neither blank nor dots nor a name.
    pub others: usize,
}

impl EditReader {
    /// A reader for the inside of a block, with the name that stands outside.
    pub fn named(name: Option<String>) -> Self {
        EditReader { name, ..EditReader::default() }
    }

    /// Whether an edit is open.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Gives up the edit that is open, and says whether there was one.
    pub fn abandon(&mut self) -> bool {
        std::mem::take(self).is_open()
    }

    /// Takes a line; gives the edit that it ends.
    pub fn line(&mut self, line: &str, number: usize) -> Option<Edit> {
        let found = mark(line);
        let Some(open) = &mut self.open else {
            match found {
                Some(Mark::Search) => self.open = Some(Open::at(line, number, self.name.clone())),
                _ => self.outside(line),
            }
            return None;
        };
        if found == Some(Mark::Replace) && open.has_divider {
            return self.open.take().and_then(Open::divided);
        }
        open.has_divider |= found == Some(Mark::Divider);
        open.body.push_str(line);
        if open.body.len() > MAX_EDIT {
            self.abandon();
        }
        None
    }

    fn outside(&mut self, line: &str) {
        if is_blank(line) || matches!(line.trim(), "..." | "…") {
            return;
        }
        match name_of(line) {
            Some(name) => self.name = Some(name.to_owned()),
            None => self.others += 1,
        }
    }
}

impl Open {
    fn at(line: &str, number: usize, path: Option<String>) -> Self {
        let indent = line[..line.len() - line.trim_start().len()].to_owned();
        Open { path, line: number, indent, body: String::new(), has_divider: false }
    }

    /// The edit, divided at the line of `=` that is most usual, and at every other one.
    fn divided(self) -> Option<Edit> {
        let body = without_header(self.outdented());
        let mut divisions: Vec<(usize, Division)> = Vec::new();
        let mut at = 0;
        for line in body.split_inclusive('\n') {
            let after = at + line.len();
            if mark(line) == Some(Mark::Divider) && divisions.len() < MAX_DIVISIONS {
                let replace = without_header(body[after..].to_owned());
                let division = Division { search: body[..at].to_owned(), replace };
                divisions.push((line.trim_end().len(), division));
            }
            at = after;
        }
        let first = divisions.iter().position(|(length, _)| *length == USUAL).unwrap_or(0);
        if divisions.is_empty() {
            return None;
        }
        let (_, Division { search, replace }) = divisions.remove(first);
        let divisions = divisions.into_iter().map(|(_, division)| division).collect();
        Some(Edit { path: self.path, search, replace, line: self.line, divisions, start: None })
    }

    /// The lines without what stands before the first mark, if all of them have it.
    fn outdented(&self) -> String {
        let lines = || self.body.split_inclusive('\n');
        let is_within = |line: &str| is_blank(line) || line.starts_with(&self.indent);
        if self.indent.is_empty() || !lines().all(is_within) {
            return self.body.clone();
        }
        lines()
            .map(|line| {
                line.strip_prefix(self.indent.as_str()).unwrap_or(line.trim_start_matches([' ', '\t']))
            })
            .collect()
    }
}

/// The body without `:start_line:` and its rule, which some tools ask their models for.
fn without_header(body: String) -> String {
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        let text = line.trim();
        let is_header = text.starts_with(":start_line:") || text.starts_with(":end_line:");
        let is_rule = at > 0 && text.len() >= 5 && text.bytes().all(|b| b == b'-');
        if !is_header && !is_rule {
            break;
        }
        at += line.len();
        if is_rule {
            break;
        }
    }
    if at == 0 { body } else { body[at..].to_owned() }
}

/// Whether a line begins an edit.
pub(in crate::read) fn begins(line: &str) -> bool {
    mark(line) == Some(Mark::Search)
}

/// Whether a line ends an edit.
pub(in crate::read) fn ends(line: &str) -> bool {
    mark(line) == Some(Mark::Replace)
}

fn mark(line: &str) -> Option<Mark> {
    let text = line.trim_start_matches([' ', '\t']);
    let first = *text.as_bytes().first().filter(|b| b"<=>-+".contains(b))?;
    let text = text.trim_end();
    let length = text.bytes().take_while(|b| *b == first).count();
    if !(5..=9).contains(&length) {
        return None;
    }
    match (first, text[length..].trim()) {
        (b'<' | b'-' | b'>', "SEARCH" | "ORIGINAL") => Some(Mark::Search),
        (b'<', "SEARCH>") => Some(Mark::Search),
        (b'=', "") => Some(Mark::Divider),
        (b'>' | b'+' | b'<', "REPLACE" | "UPDATED") => Some(Mark::Replace),
        _ => None,
    }
}
