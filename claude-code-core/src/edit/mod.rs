//! Search/replace edits applied to files, and what they changed as a unified diff.
//!
//! An edit fits in one place or it fails, with its number and the reason: nothing is guessed. What no edit names
//! stays as it was, byte for byte.

pub(crate) mod apply;
mod diff;
mod place;

use std::collections::BTreeMap;

use crate::answer::path::refusal;
use crate::error::{Error, ErrorKind};

pub use diff::diff;
use place::Fit;

/// One block: this text there becomes that text.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file; none means the only one.
    pub path: Option<String>,
    /// Whole lines to find, or a piece of one line. Empty: the file is new.
    pub search: String,
    /// What stands there afterwards. Empty: the lines go.
    pub replace: String,
}

/// A file that edits changed or made.
#[derive(Clone, PartialEq, Eq)]
pub struct Changed {
    /// Relative path.
    pub path: String,
    /// Content before; empty for a new file.
    pub before: String,
    /// Content after.
    pub after: String,
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

/// Applies edits in their order, each to what the ones before it left: exactly where that fits, else with other
/// white space at line ends, else with another indentation that is the same on every line. Files that end as
/// they began are left out of the result. Where one edit does not fit, nothing is changed.
pub fn apply(files: &BTreeMap<String, String>, edits: &[Edit]) -> Result<Vec<Changed>, EditProblem> {
    let (changed, problems) = apply_each(files, edits);
    problems.into_iter().next().map_or(Ok(changed), Err)
}

/// As [`apply`], but file by file: where an edit does not fit, its file stays as it was and the others are changed all
/// the same. The first problem of each such file is told.
pub fn apply_each(files: &BTreeMap<String, String>, edits: &[Edit]) -> (Vec<Changed>, Vec<EditProblem>) {
    let mut after: BTreeMap<String, String> = BTreeMap::new();
    let mut problems: Vec<EditProblem> = Vec::new();
    for (at, edit) in edits.iter().enumerate() {
        let target = target(files, edit);
        let path = target.as_ref().ok().or(edit.path.as_ref()).cloned();
        if path.is_some() && problems.iter().any(|problem| problem.path == path) {
            continue;
        }
        let applied = target.and_then(|path| Ok((apply_one(files, &after, &path, edit)?, path)));
        match applied {
            Ok((content, path)) => _ = after.insert(path, content),
            Err(why) => problems.push(EditProblem { block: at + 1, path, why }),
        }
    }
    after.retain(|path, _| !problems.iter().any(|problem| problem.path.as_ref() == Some(path)));
    let changed = after.into_iter().map(|(path, after)| {
        let before = files.get(&path).cloned().unwrap_or_default();
        Changed { path, before, after }
    });
    let changed = changed.filter(|c| c.before != c.after || !files.contains_key(&c.path)).collect();
    (changed, problems)
}

/// The file that an edit changes: the one it names, or the only one.
fn target(files: &BTreeMap<String, String>, edit: &Edit) -> Result<String, String> {
    match (&edit.path, files.len()) {
        (Some(path), _) => Ok(path.clone()),
        (None, 1) => Ok(files.keys().next().cloned().unwrap_or_default()),
        (None, count) => Err(format!("it names no file, and there are {count}")),
    }
}

/// The content of the file after the edit.
fn apply_one(
    files: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    path: &str,
    edit: &Edit,
) -> Result<String, String> {
    let current = after.get(path).or_else(|| files.get(path));
    match (current, edit.search.is_empty()) {
        (Some(text), true) if !text.is_empty() => {
            Err("its search is empty, but the file exists; name the lines to change".to_owned())
        }
        (_, true) => match refusal(path) {
            Some(why) => Err(why),
            None => Ok(edit.replace.clone()),
        },
        (None, false) => Err("there is no such file".to_owned()),
        (Some(text), false) => {
            let fit = place::find(text, &edit.search)?;
            Ok(replaced(text, &fit, &edit.replace))
        }
    }
}

/// The text with the place taken by the replacement, in the text's own line ends and indentation.
fn replaced(text: &str, fit: &Fit, replace: &str) -> String {
    let (head, rest) = text.split_at(fit.range.start);
    let (old, tail) = rest.split_at(fit.range.end - fit.range.start);
    if !fit.whole_lines {
        return format!("{head}{replace}{tail}");
    }
    let line_end = place::line_end(old).or_else(|| place::line_end(text)).unwrap_or("\n");
    let lines: Vec<String> = place::lines(replace).map(|line| fit.indented(line)).collect();
    let mut new = lines.join(line_end);
    let keeps_end = place::line_end(old).is_some() && old.ends_with('\n');
    if !lines.is_empty() && keeps_end {
        new.push_str(line_end);
    }
    format!("{head}{new}{tail}")
}
