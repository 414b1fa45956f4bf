//! Application of an answer to given files: whole files, edits of given ones, or both. What replaces a given file has
//! to be all of it.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::answer::path::fold;
use crate::edit::unnamed::{Meaning, meaning};
use crate::edit::{self, Applied, Edit, EditProblem, leaked};
use crate::read::{self, Answer};
use crate::request::{GenerateRequest, SourceFile};
use crate::validate::elision;
use crate::validate::lost::{Losses, without_file_names};

/// What edits are applied to: the given files, and the files of the answer that is mended, if it is a repair.
pub(crate) struct Base<'a> {
    pub(crate) request: &'a GenerateRequest,
    pub(crate) mending: Option<&'a [CodeFile]>,
}

/// The files of an answer, and what was found on the way to them.
#[derive(Default)]
pub(crate) struct Settled {
    pub(crate) files: Vec<CodeFile>,
    /// Edits that do not fit, one a file.
    pub(crate) problems: Vec<EditProblem>,
    /// What would be lost: errors, whatever else is checked.
    pub(crate) losses: Vec<Diagnostic>,
    /// What the caller should know.
    pub(crate) notes: Vec<String>,
    /// There were edits, and all of them fit.
    pub(crate) has_edits: bool,
}

impl Base<'_> {
    fn given(&self) -> &[SourceFile] {
        &self.request.files
    }

    fn given_file(&self, path: &str) -> Option<&SourceFile> {
        self.given().iter().find(|given| given.path == path)
    }

    /// The content of each named file, the newer over the older.
    fn contents(&self) -> BTreeMap<String, String> {
        let given = self.given().iter().map(|file| (file.path.clone(), file.content.clone()));
        given.chain(named(self.mending.unwrap_or_default())).collect()
    }

    /// Everything that was asked for, in the user's words; a file's name in it names nothing that the file defines.
    fn asked(&self) -> String {
        let asked =
            format!("{}\n{}", self.request.prompt, self.request.instructions.as_deref().unwrap_or_default());
        without_file_names(&asked, self.given().iter().map(|given| given.path.as_str()))
    }
}

fn named(files: &[CodeFile]) -> impl Iterator<Item = (String, String)> {
    files.iter().filter_map(|file| Some((file.path.clone()?, file.content.clone())))
}

/// The answer's files with its edits applied, to those it wrote itself too. A file whose edits do not all fit is left
/// out, or stays as the answer wrote it; the others are kept. `complete` says that the answer is whole.
pub(crate) fn settled(base: &Base<'_>, answer: Answer, complete: bool) -> Settled {
    if !base.request.work.wants_code() {
        return words(base, answer);
    }
    let mut settled = Settled { files: answer.files, ..Settled::default() };
    let written: Vec<String> = settled.files.iter().filter_map(|file| file.path.clone()).collect();
    for path in settled.files.iter_mut().filter_map(|file| file.path.as_mut()) {
        if let Some(meant) = meant(base.given(), path, &written) {
            *path = meant.to_owned();
        }
    }
    let mut edits = answer.edits;
    settled.files.retain(|file| !is_within_edit(file, &edits));
    let changes = base.request.work.changes_files() && !base.given().is_empty();
    if changes {
        settled.take_patches(base, &mut edits);
        if settled.files.is_empty() && edits.is_empty() {
            edits = read::of_patch(&answer.text).unwrap_or_default();
        }
        let is_said = !edits.is_empty() || settled.files.iter().any(|file| file.path.is_some());
        settled.place_unnamed(base, is_said);
    }
    settled.fill(base, complete);
    let edited = settled.apply(base, &edits, &written, complete);
    if complete {
        settled.keep_form(base);
        settled.look_for_losses(base, &edited);
    }
    settled
}

/// An answer in words: its blocks are excerpts, whole as they are shown. One that has a given file's name never stands for
/// that file.
fn words(base: &Base<'_>, answer: Answer) -> Settled {
    let mut files = answer.files;
    for file in &mut files {
        if file
            .path
            .as_deref()
            .is_some_and(|path| meant(base.given(), path, &[]).is_some() || base.given_file(path).is_some())
        {
            file.path = None;
        }
        file.complete |= file.path.is_none();
    }
    Settled { files, ..Settled::default() }
}

impl Settled {
    /// Blocks that are a change to a file and not the file: their hunks are edits.
    fn take_patches(&mut self, base: &Base<'_>, edits: &mut Vec<read::Edit>) {
        let mut taken = Vec::new();
        self.files.retain(|file| {
            let given = file.path.as_deref().map(|path| base.given_file(path));
            let may_be =
                file.rejected.is_none() && file.complete && given.is_none_or(|given| given.is_some());
            let is_patch_itself =
                given.flatten().is_some_and(|given| read::of_patch(&given.content).is_some());
            let found = if may_be && !is_patch_itself { read::of_patch(&file.content) } else { None };
            let Some(found) = found else { return true };
            taken.extend(found.into_iter().map(|edit| {
                let path = edit.path.or_else(|| file.path.clone());
                read::Edit { path, ..edit }
            }));
            false
        });
        if !taken.is_empty() {
            self.notes.push("a diff was applied in the place of a file".to_owned());
            edits.extend(taken);
        }
    }

    /// Blocks without a name: the given file that they are all of, or a part of, or text. Beside named files and edits they
    /// show something, and count only where they are all of a file that is not written otherwise.
    fn place_unnamed(&mut self, base: &Base<'_>, is_said: bool) {
        let mut current = base.contents();
        let written: Vec<String> = self.files.iter().filter_map(|file| file.path.clone()).collect();
        let mut kept = Vec::new();
        for file in std::mem::take(&mut self.files) {
            if file.path.is_some() || !file.complete {
                current.extend(named(std::slice::from_ref(&file)));
                kept.push(file);
                continue;
            }
            if file.rejected.is_none() && is_quoted(base.given(), &file.content) {
                continue;
            }
            let (given, meaning) = meaning(base.given(), &current, &file, &base.asked());
            // A refused name is nobody's; what is all of a given file is that one, whatever the answer calls it.
            if file.rejected.is_some() && !matches!(meaning, Meaning::Whole) {
                kept.push(file);
                continue;
            }
            let path = given.map(|given| given.path.clone());
            let is_shown = is_said
                && (!matches!(meaning, Meaning::Whole)
                    || path.as_ref().is_some_and(|path| written.contains(path)));
            if is_shown && file.rejected.is_none() {
                continue;
            }
            match (meaning, path) {
                (Meaning::Whole, Some(path)) => {
                    current.insert(path.clone(), file.content.clone());
                    kept.push(CodeFile { path: Some(path), rejected: None, ..file });
                }
                (Meaning::Definitions { content, names }, Some(path)) => {
                    self.notes
                        .push(format!("only {} was written; it took its place in {path}", names.join(", ")));
                    current.insert(path.clone(), content.clone());
                    kept.retain(|known: &CodeFile| known.path.as_ref() != Some(&path));
                    kept.push(CodeFile { path: Some(path), content, ..file });
                }
                (Meaning::Part, Some(path)) => {
                    let message =
                        "a block without a name is only a part of it: write the file whole, or as edits";
                    self.losses.push(error(Some(path), 0, message.to_owned()));
                }
                _ => self.notes.push(
                    "a code block without a name stands for no given file: it was read as text".to_owned(),
                ),
            }
        }
        self.files = kept;
    }

    /// Fills in what files leave out; what cannot be filled is an error.
    fn fill(&mut self, base: &Base<'_>, complete: bool) {
        for file in self.files.iter_mut().filter(|file| file.complete && complete) {
            let Some(path) = file.path.clone() else { continue };
            let mended = base.mending.unwrap_or_default().iter().find(|old| old.path.as_ref() == Some(&path));
            let given = base.given_file(&path).map(|given| given.content.as_str());
            let sources: Vec<&str> =
                mended.map(|old| old.content.as_str()).into_iter().chain(given).collect();
            let mut first = None;
            for source in &sources {
                let source = source.trim_start_matches('\u{feff}');
                match elision::filled(source, &file.content, &path) {
                    Ok(Some(text)) => {
                        file.content = text;
                        self.notes.push(format!(
                            "{path}: what the answer left out was filled in from the given file"
                        ));
                        first = None;
                        break;
                    }
                    Ok(None) => {
                        first = None;
                        break;
                    }
                    Err(mark) => first = first.or(Some(mark)),
                }
            }
            let is_new = sources.is_empty() && !base.request.skip_validation;
            let new = if is_new { elision::in_new_file(&path, &file.content) } else { None };
            if let Some(mark) = first.or(new) {
                let line = u32::try_from(mark.line).unwrap_or(u32::MAX);
                let message = "code is left out here: write the file whole, or only the edits".to_owned();
                self.losses.push(error(Some(path), line, message));
            }
        }
    }

    /// Applies the edits; gives the paths of the files that they changed.
    fn apply(
        &mut self,
        base: &Base<'_>,
        edits: &[read::Edit],
        written: &[String],
        complete: bool,
    ) -> Vec<String> {
        let mut before = base.contents();
        // Where there was nothing to change, an edit counts only if it makes a file or names one that the answer wrote:
        // else it is one that is shown.
        let is_new_code = base.given().is_empty() && base.mending.is_none();
        before.extend(named(&self.files));
        let counts = |edit: &&read::Edit| {
            let known = edit.path.as_ref().map(|path| before.contains_key(path));
            !is_new_code || known.is_some_and(|known| known || edit.search.is_empty())
        };
        let to_given = |edit: &read::Edit| {
            let path =
                edit.path.as_ref().map(|path| meant(base.given(), path, written).unwrap_or(path).to_owned());
            let (search, replace) = (edit.search.clone(), edit.replace.clone());
            Edit { path, search, replace, divisions: edit.divisions.clone(), start: edit.start }
        };
        let edits: Vec<Edit> = edits.iter().filter(counts).map(to_given).collect();
        let Applied { changed, problems, notes } = edit::apply_each(&before, &edits);
        self.has_edits = !edits.is_empty() && problems.is_empty();
        if self.has_edits && changed.is_empty() {
            self.notes.push("the edits of the answer change nothing".to_owned());
        }
        self.problems = problems;
        self.notes.extend(notes);
        let mut paths = Vec::new();
        for changed in changed {
            paths.push(changed.path.clone());
            let language = Language::from_path(&changed.path).unwrap_or_else(Language::text);
            let whole = CodeFile {
                path: Some(changed.path),
                language,
                content: changed.after,
                complete,
                rejected: None,
            };
            match self.files.iter_mut().find(|file| file.path == whole.path) {
                Some(file) => *file = CodeFile { complete: complete && file.complete, ..whole },
                None => self.files.push(whole),
            }
        }
        paths
    }

    /// Gives whole files the line ends, BOM and last newline of those whose place they take.
    fn keep_form(&mut self, base: &Base<'_>) {
        let asked = base.asked().to_lowercase();
        let is_about_indentation = ["tab", "indent", "spaces"].iter().any(|word| asked.contains(word));
        for file in self.files.iter_mut().filter(|file| file.complete) {
            if let Some(given) = file.path.as_deref().and_then(|path| base.given_file(path)) {
                if !is_about_indentation {
                    file.content = edit::with_indentation_of(&given.content, &file.content);
                }
                file.content = edit::in_the_form_of(&given.content, &file.content);
            }
        }
    }

    /// What whole files lose of the given ones. What an edit takes away is meant.
    fn look_for_losses(&mut self, base: &Base<'_>, edited: &[String]) {
        let asked = base.asked();
        let losses = Losses::new(base.given(), &self.files, &asked);
        let mut found = Vec::new();
        for file in self.files.iter().filter(|file| file.complete && file.path.is_some()) {
            let known = file.path.as_deref().and_then(|path| base.given_file(path));
            let known = known.map(|given| given.content.as_str());
            if let Some(line) = leaked::find(file.language.as_str(), &file.content, known) {
                let line = u32::try_from(line).unwrap_or(u32::MAX);
                let message = "this line is a mark of the answer and no part of the file".to_owned();
                found.push(error(file.path.clone(), line, message));
            }
            let Some(given) = file.path.as_deref().and_then(|path| base.given_file(path)) else { continue };
            let is_told = self.losses.iter().any(|loss| loss.path == file.path);
            match edited.contains(&given.path) {
                true => found.extend(losses.swallowed(given, file)),
                false if !is_told => found.extend(losses.of(given, file)),
                false => {}
            }
        }
        self.losses.extend(found);
    }
}

/// Whether a block shows a part of a given file as it stands.
fn is_quoted(given: &[SourceFile], text: &str) -> bool {
    let text = text.trim();
    given.iter().any(|given| !text.is_empty() && given.content.contains(text) && given.content.trim() != text)
}

/// Whether a block is a fence within the text of an edit, and no file.
fn is_within_edit(file: &CodeFile, edits: &[read::Edit]) -> bool {
    let text = file.content.as_str();
    let is_in = |edit: &read::Edit| edit.search.contains(text) || edit.replace.contains(text);
    let goes_past_end = || !file.complete && text.lines().any(|line| line.trim() == ">>>>>>> REPLACE");
    file.path.is_none()
        && file.rejected.is_none()
        && !text.trim().is_empty()
        && !edits.is_empty()
        && (edits.iter().any(is_in) || goes_past_end())
}

fn error(path: Option<String>, line: u32, message: String) -> Diagnostic {
    Diagnostic { path, line, column: 0, severity: Severity::Error, message }
}

/// The given file that a name stands for which none of them has: the only one of that name in some directory, or the only
/// one that differs in letter case; unless the answer writes that one too.
fn meant<'a>(given: &'a [SourceFile], name: &str, written: &[String]) -> Option<&'a str> {
    if given.iter().any(|file| file.path == name) {
        return None;
    }
    let only = |fits: &dyn Fn(&str) -> bool| {
        let mut found = given.iter().filter(|file| fits(&file.path));
        found.next().filter(|_| found.next().is_none())
    };
    let folded = fold(name);
    let same =
        only(&|path| path.rsplit('/').next() == Some(name)).or_else(|| only(&|path| fold(path) == folded))?;
    (!written.contains(&same.path)).then_some(&same.path)
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
