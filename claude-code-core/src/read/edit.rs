//! Search/replace edits: a path, `<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE`.

use super::above::name_of;
use super::answer::Edit;
use super::cursor::is_blank;
use crate::answer::file;
use crate::answer::path::MAX_FILE_BYTES;

/// A longer edit is read as text.
const MAX_EDIT: usize = MAX_FILE_BYTES;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Search,
    Divider,
    Replace,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    Search,
    Replace,
}

/// Collects edits from lines.
#[derive(Clone, Debug, Default)]
pub(super) struct EditReader {
    place: Place,
    edit: Option<Edit>,
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
        self.place != Place::Outside
    }

    /// Gives up the edit that is open, and says whether there was one.
    pub fn abandon(&mut self) -> bool {
        let was_open = self.is_open();
        *self = EditReader::default();
        was_open
    }

    /// Takes a line; gives the edit that it ends.
    pub fn line(&mut self, line: &str, number: usize) -> Option<Edit> {
        match (self.place, mark(line)) {
            (Place::Outside, Some(Mark::Search)) => {
                let (search, replace) = (String::new(), String::new());
                self.edit = Some(Edit { path: self.name.clone(), search, replace, line: number });
                self.place = Place::Search;
            }
            (Place::Outside, _) => self.outside(line),
            (Place::Search, Some(Mark::Divider)) => self.place = Place::Replace,
            (Place::Replace, Some(Mark::Replace)) => {
                self.place = Place::Outside;
                return self.edit.take();
            }
            (place, _) => self.inside(place, line),
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

    fn inside(&mut self, place: Place, line: &str) {
        let Some(edit) = &mut self.edit else { return };
        let text = if place == Place::Search { &mut edit.search } else { &mut edit.replace };
        text.push_str(line);
        if edit.search.len() + edit.replace.len() > MAX_EDIT {
            self.abandon();
        }
    }
}

/// Whether a line begins an edit.
pub(super) fn begins(line: &str) -> bool {
    mark(line) == Some(Mark::Search)
}

/// Whether a line ends an edit.
pub(super) fn ends(line: &str) -> bool {
    mark(line) == Some(Mark::Replace)
}

/// The edit with a refused path taken out, and why it was refused.
pub(super) fn checked(mut edit: Edit) -> (Edit, Option<String>) {
    let refused = edit.path.as_deref().and_then(file::refusal);
    if refused.is_some() {
        edit.path = None;
    }
    (edit, refused)
}

fn mark(line: &str) -> Option<Mark> {
    let first = *line.as_bytes().first().filter(|b| b"<=>".contains(b))?;
    let text = line.trim_end();
    let length = text.bytes().take_while(|b| *b == first).count();
    if !(5..=9).contains(&length) {
        return None;
    }
    match (first, text[length..].trim()) {
        (b'<', "SEARCH" | "ORIGINAL") => Some(Mark::Search),
        (b'=', "") => Some(Mark::Divider),
        (b'>', "REPLACE" | "UPDATED") => Some(Mark::Replace),
        _ => None,
    }
}
