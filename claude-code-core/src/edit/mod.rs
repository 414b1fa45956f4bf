//! Search/replace edits applied to files, and what they changed as a unified diff.
//!
//! An edit fits in one place or it fails, with its number and the reason: nothing is guessed. What no edit names
//! stays as it was, byte for byte.

pub(crate) mod apply;
mod diff;
mod indent;
mod leaked;
mod place;
mod preserve;
mod shrink;
pub(crate) mod unnamed;

use std::collections::BTreeMap;

use crate::answer::path::refusal;
use crate::error::{Error, ErrorKind};
use crate::read::Division;
use crate::validate::elision;

pub use diff::diff;
use place::Fit;
use preserve::Line;
pub(crate) use preserve::{in_the_form_of, with_indentation_of};
pub use shrink::shrinkage;

/// How a text file may begin.
const BOM: char = '\u{feff}';

/// One block: this text there becomes that text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The file; none means the only one.
    pub path: Option<String>,
    /// Whole lines to find, or a piece of one line. Empty: the file is new.
    pub search: String,
    /// What stands there afterwards. Empty: the lines go.
    pub replace: String,
    /// Other ways to divide the block, where a line of it that looks like the divider may be part of the text.
    pub divisions: Vec<Division>,
    /// The line, from 1, at which the lines to find are said to stand: decides between places that fit alike.
    pub start: Option<usize>,
}

/// A file that edits changed or made.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changed {
    /// Relative path.
    pub path: String,
    /// Content before; empty for a new file.
    pub before: String,
    /// Content after.
    pub after: String,
}

/// What came of some edits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The files that they changed or made.
    pub changed: Vec<Changed>,
    /// The first edit of each file that does not fit.
    pub problems: Vec<EditProblem>,
    /// Edits that fit only where something was passed over, a plain sentence each.
    pub notes: Vec<String>,
}

// Code is the user's: Debug tells sizes only.
impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Edit({:?}, {} to {} bytes)", self.path, self.search.len(), self.replace.len())
    }
}

impl std::fmt::Debug for Changed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Changed({:?}, {} to {} bytes)", self.path, self.before.len(), self.after.len())
    }
}

/// An edit that does not fit. Its file was not changed, by it or any other edit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("edit {block} of {} does not fit: {why}", path.as_deref().unwrap_or("an unnamed file"))]
#[non_exhaustive]
pub struct EditProblem {
    /// Number of the edit, from 1.
    pub block: usize,
    /// The file it names, or the only one.
    pub path: Option<String>,
    /// A plain sentence. It quotes no code.
    pub why: String,
}

impl From<EditProblem> for Error {
    fn from(problem: EditProblem) -> Self {
        Error::new(ErrorKind::EditFailed, problem.to_string())
    }
}

/// Applies edits in their order, each to what the ones before it left, at the strictest of five levels at which it fits:
/// exactly, but for blanks at line ends, for the indentation, for the sort of blanks and quotes, for both. Files that end
/// as they began are left out of the result. Where one edit does not fit, nothing is changed.
pub fn apply(files: &BTreeMap<String, String>, edits: &[Edit]) -> Result<Vec<Changed>, EditProblem> {
    let Applied { changed, problems, .. } = apply_each(files, edits);
    problems.into_iter().next().map_or(Ok(changed), Err)
}

/// As [`apply`], but file by file: where an edit does not fit, its file stays as it was and the others are changed all
/// the same.
pub fn apply_each(files: &BTreeMap<String, String>, edits: &[Edit]) -> Applied {
    let mut after: BTreeMap<String, String> = BTreeMap::new();
    let mut problems: Vec<EditProblem> = Vec::new();
    let mut notes = Vec::new();
    for (at, edit) in edits.iter().enumerate() {
        let target = target(files, edit);
        let path = target.as_ref().ok().or(edit.path.as_ref()).cloned();
        if path.is_some() && problems.iter().any(|problem| problem.path == path) {
            continue;
        }
        let applied = target.and_then(|path| Ok((apply_one(files, &after, &path, edit)?, path)));
        match applied {
            Ok((Outcome { content, passed_over }, path)) => {
                let told = passed_over.into_iter().map(|what| format!("edit {} of {path}: {what}", at + 1));
                notes.extend(told);
                after.insert(path, content);
            }
            Err(why) => problems.push(EditProblem { block: at + 1, path, why }),
        }
    }
    after.retain(|path, _| !problems.iter().any(|problem| problem.path.as_ref() == Some(path)));
    let changed = after.into_iter().map(|(path, after)| {
        let before = files.get(&path).cloned().unwrap_or_default();
        Changed { path, before, after }
    });
    let changed = changed.filter(|c| c.before != c.after || !files.contains_key(&c.path)).collect();
    Applied { changed, problems, notes }
}

/// The file that an edit changes: the one it names, or the only one.
fn target(files: &BTreeMap<String, String>, edit: &Edit) -> Result<String, String> {
    match (&edit.path, files.len()) {
        (Some(path), _) => Ok(path.clone()),
        (None, 1) => Ok(files.keys().next().cloned().unwrap_or_default()),
        (None, count) => Err(format!("it names no file, and there are {count}")),
    }
}

/// A file's content after an edit, and what was passed over to make it fit.
struct Outcome {
    content: String,
    passed_over: Vec<String>,
}

/// The content of the file after the edit.
fn apply_one(
    files: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    path: &str,
    edit: &Edit,
) -> Result<Outcome, String> {
    let current = after.get(path).or_else(|| files.get(path));
    match (current, edit.search.is_empty()) {
        (Some(text), true) if !text.is_empty() && edit.divisions.is_empty() => {
            Err("its search is empty, but the file exists; name the lines to change".to_owned())
        }
        (None, false) => Err("there is no such file".to_owned()),
        (Some(text), _) if !text.is_empty() => applied_to(text, path, edit),
        _ => match refusal(path) {
            Some(why) => Err(why),
            None => {
                let content = edit.replace.clone();
                Ok(Outcome { content, passed_over: Vec::new() })
            }
        },
    }
}

/// The text after the edit. A BOM before the first line is no part of it, and stays.
fn applied_to(text: &str, path: &str, edit: &Edit) -> Result<Outcome, String> {
    let (bom, text) = text.strip_prefix(BOM).map_or(("", text), |rest| ("\u{feff}", rest));
    let (fit, search, replace) = fitting(text, edit)?;
    let mut passed_over = Vec::new();
    if let Some(what) = fit.level.passed_over() {
        passed_over.push(format!("it fits but for {what}"));
    }
    if fit.places > 1 {
        passed_over.push(format!("it fits in {} places, and its line number says which", fit.places));
    }
    let replace = match fit.whole_lines || !search.ends_with('\n') {
        true => replace,
        // Lines of an answer end; a piece of a line does not.
        false if !place::bare(&replace).contains('\n') => place::bare(&replace).to_owned(),
        false => {
            return Err("its search text is a piece of a line, and its replacement is not: give whole lines"
                .to_owned());
        }
    };
    let found = &text[fit.range.clone()];
    let filled = elision::filled(found, &replace, path)
        .map_err(|mark| format!("line {} of its replacement leaves lines out: write them", mark.line))?;
    if filled.is_some() {
        passed_over.push("what it leaves out was filled in from the file".to_owned());
    }
    let replace = filled.unwrap_or(replace);
    let content = format!("{bom}{}", replaced(text, &fit, &search, &replace));
    Ok(Outcome { content, passed_over })
}

/// Where the edit fits, by which division. Where several fit, the longest counts if it goes on from the shorter ones with
/// lines that say something: that the file has them too is no accident.
fn fitting(text: &str, edit: &Edit) -> Result<(Fit, String, String), String> {
    let own = Division { search: edit.search.clone(), replace: edit.replace.clone() };
    let mut divisions: Vec<Division> = std::iter::once(own).chain(edit.divisions.iter().cloned()).collect();
    divisions.retain(|division| !division.search.is_empty());
    divisions.sort_by_key(|division| division.search.len());
    let bare = |search: &str| search.strip_prefix(BOM).unwrap_or(search).to_owned();
    let mut fits = Vec::new();
    let mut first = None;
    for Division { search, replace } in divisions {
        let search = bare(&search);
        match place::find(text, &search, edit.start) {
            Ok(fit) => fits.push((fit, search, replace)),
            Err(why) => first = first.or(Some(why)),
        }
    }
    if let [.., (before, shorter, _), (after, longer, _)] = fits.as_slice() {
        let goes_on = &longer[shorter.len().min(longer.len())..];
        let between = goes_on.split_once('\n').map_or("", |(_, rest)| rest);
        if between.trim().is_empty() || before.range.start != after.range.start {
            return Err(
                "it can be divided in two ways that both fit: give more lines around the place".to_owned()
            );
        }
    }
    fits.pop().ok_or_else(|| first.unwrap_or_else(|| "it says nothing to find".to_owned()))
}

/// The text with the place taken by the replacement. Lines that search text and replacement have in common stay as the file
/// has them; new ones get the file's indentation and line ends.
fn replaced(text: &str, fit: &Fit, search: &str, replace: &str) -> String {
    let (head, rest) = text.split_at(fit.range.start);
    let (old, tail) = rest.split_at(fit.range.end - fit.range.start);
    if !fit.whole_lines {
        return format!("{head}{replace}{tail}");
    }
    let ending = place::majority(text).unwrap_or("\n");
    let wanted: Vec<&str> = place::lines(search).collect();
    let new: Vec<&str> = place::lines(replace).collect();
    let kept: Vec<&str> = old.split_inclusive('\n').collect();
    let mut lines: Vec<String> = Vec::with_capacity(new.len());
    for (known, line) in preserve::compared(&wanted, &new).into_iter().zip(&new) {
        let own = |at: usize| kept.get(at).map(|kept| place::end(kept)).filter(|end| !end.is_empty());
        lines.push(match known {
            Line::Same(at) if at < kept.len() => kept[at].to_owned(),
            Line::Instead(at) => format!("{}{}", fit.indents.applied(line), own(at).unwrap_or(ending)),
            _ => format!("{}{ending}", fit.indents.applied(line)),
        });
    }
    // A line that was the last of the file may stand before others now, and the other way round.
    let ends = kept.last().is_some_and(|last| !place::end(last).is_empty());
    let count = lines.len();
    for (at, line) in lines.iter_mut().enumerate() {
        let is_last = at + 1 == count;
        if is_last && !ends {
            line.truncate(place::bare(line).len());
        } else if place::end(line).is_empty() {
            line.push_str(ending);
        }
    }
    format!("{head}{}{tail}", lines.concat())
}
