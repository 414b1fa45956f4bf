//! From an answer to the files it stands for, where files were given: whole files, edits of given ones, or both.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::edit::{self, Edit, EditProblem};
use crate::read;
use crate::request::SourceFile;

/// What edits are applied to: the given files, and the files of the answer that is mended, if it is a repair.
pub(crate) struct Base<'a> {
    pub(crate) given: &'a [SourceFile],
    pub(crate) mending: Option<&'a [CodeFile]>,
}

impl Base<'_> {
    /// The content of each named file, the newer over the older.
    fn contents(&self) -> BTreeMap<String, String> {
        let given = self.given.iter().map(|file| (file.path.clone(), file.content.clone()));
        given.chain(named(self.mending.unwrap_or_default())).collect()
    }
}

fn named(files: &[CodeFile]) -> impl Iterator<Item = (String, String)> {
    files.iter().filter_map(|file| Some((file.path.clone()?, file.content.clone())))
}

/// The answer's files with its edits applied, to those it wrote itself too. A file whose edits do not all fit is left
/// out, or stays as the answer wrote it; the others are kept.
pub(crate) fn files(
    base: &Base<'_>,
    mut files: Vec<CodeFile>,
    edits: &[read::Edit],
    complete: bool,
) -> (Vec<CodeFile>, Vec<EditProblem>) {
    let mut before = base.contents();
    let written: Vec<String> = files.iter().filter_map(|file| file.path.clone()).collect();
    for path in files.iter_mut().filter_map(|file| file.path.as_mut()) {
        if let Some(meant) = meant(base.given, path, &written) {
            *path = meant.to_owned();
        }
    }
    // Where there was nothing to change, an edit counts only if it makes a file or names one that the answer wrote:
    // else it is one that is shown.
    let is_new_code = base.given.is_empty() && base.mending.is_none();
    before.extend(named(&files));
    let counts = |edit: &&read::Edit| {
        let known = edit.path.as_ref().map(|path| before.contains_key(path));
        !is_new_code || known.is_some_and(|known| known || edit.search.is_empty())
    };
    let to_given = |edit: &read::Edit| {
        let path =
            edit.path.as_ref().map(|path| meant(base.given, path, &written).unwrap_or(path).to_owned());
        Edit { path, search: edit.search.clone(), replace: edit.replace.clone() }
    };
    let edits: Vec<Edit> = edits.iter().filter(counts).map(to_given).collect();
    let (changed, problems) = edit::apply_each(&before, &edits);
    for changed in changed {
        let language = Language::from_path(&changed.path).unwrap_or_else(Language::text);
        let whole =
            CodeFile { path: Some(changed.path), language, content: changed.after, complete, rejected: None };
        match files.iter_mut().find(|file| file.path == whole.path) {
            Some(file) => *file = CodeFile { complete: complete && file.complete, ..whole },
            None => files.push(whole),
        }
    }
    (files, problems)
}

/// The given file that a bare name stands for: the only one of that name, unless the answer writes that one too.
fn meant<'a>(given: &'a [SourceFile], name: &str, written: &[String]) -> Option<&'a str> {
    let mut of_that_name = given.iter().filter(|file| file.path.rsplit('/').next() == Some(name));
    let only = of_that_name.next().filter(|_| of_that_name.next().is_none())?;
    (only.path != name && !written.contains(&only.path)).then_some(&only.path)
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
