//! From an answer to the files it stands for, where files were given: whole files, edits of given ones, or both.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::edit::{self, Edit, EditProblem};
use crate::file::CodeFile;
use crate::language::Language;
use crate::read::Answer;
use crate::request::SourceFile;

/// The answer's files, with its edits applied to the given files and to those that it wrote itself.
pub(crate) fn files(given: &[SourceFile], answer: &Answer) -> Result<Vec<CodeFile>, EditProblem> {
    let mut files = answer.files.clone();
    if answer.edits.is_empty() || given.is_empty() {
        return Ok(files);
    }
    let mut before: BTreeMap<String, String> =
        given.iter().map(|file| (file.path.clone(), file.content.clone())).collect();
    let written = files.iter().filter_map(|file| Some((file.path.clone()?, file.content.clone())));
    before.extend(written);
    let edits: Vec<Edit> = answer.edits.iter().map(edit_of).collect();
    for changed in edit::apply(&before, &edits)? {
        let language = Language::from_path(&changed.path).unwrap_or_else(Language::text);
        let whole = CodeFile {
            path: Some(changed.path),
            language,
            content: changed.after,
            complete: answer.complete,
            rejected: None,
        };
        match files.iter_mut().find(|file| file.path == whole.path) {
            Some(file) => *file = whole,
            None => files.push(whole),
        }
    }
    Ok(files)
}

fn edit_of(edit: &crate::read::Edit) -> Edit {
    Edit { path: edit.path.clone(), search: edit.search.clone(), replace: edit.replace.clone() }
}

/// What the files change in the given ones, as one unified diff; empty if nothing.
pub(crate) fn diff(given: &[SourceFile], files: &[CodeFile]) -> String {
    let mut all = String::new();
    // A block without a name can only mean the only given file.
    let only = given.first().filter(|_| given.len() == 1);
    for file in files {
        let Some(path) = file.path.as_deref().or(only.map(|only| only.path.as_str())) else { continue };
        // One file for one file is that file changed, whatever its name is now: a given text had none.
        let renamed = only.filter(|_| files.len() == 1);
        let before = given.iter().find(|given| given.path == path).or(renamed);
        let _ = write!(all, "{}", edit::diff(path, before.map_or("", |file| &file.content), &file.content));
    }
    all
}
