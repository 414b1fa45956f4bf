//! Files of the result: which of them an answer gives whole, and which a repair left unchanged.

use super::Draft;
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::{self, CodeFile};
use crate::edit::apply::{self, Base, Settled};
use crate::plan::Plan;
use crate::read::{Answer, AnswerEvent};

use crate::request::SourceFile;
use crate::resume;
use crate::validate::lost::kept_lines;

/// Whether something beside its files has no end. A fence that holds no file is none of them: nothing is missing in it.
fn breaks_off(answer: &Answer) -> bool {
    let ends_with_fence = answer.fences.last().is_some_and(|fence| !fence.closed && fence.file.is_none());
    !answer.complete && !ends_with_fence && answer.files.iter().all(|file| file.complete)
}

impl Draft {
    /// Whether a continuation left the answer unfinished although the model ended it: it added nothing to it, or its words
    /// left the last file open, or made no file of what was one. Where every file is proven to be whole, repeating
    /// the last line is enough.
    pub(super) fn gave_up(&self, answer: &Answer) -> bool {
        let is_open = breaks_off(answer) || answer.files.last().is_some_and(|file| !file.complete);
        let is_text = answer.files.is_empty() && answer.edits.is_empty();
        let is_same = self.before.as_ref().is_some_and(|(anchor, _)| *anchor.received == *self.text);
        let is_proven = !answer.files.is_empty() && self.finished.len() == answer.files.len();
        !self.said || is_open || (is_text && !self.files.is_empty()) || (is_same && !is_proven)
    }

    /// Takes the files of the answer; what a repair did not write again stays as it was.
    pub(super) fn settle(&mut self, plan: &Plan, mut answer: Answer, whole: bool) {
        self.breaks_off = whole && breaks_off(&answer);
        if !whole {
            prove(plan, &self.text, &mut answer);
        }
        let finished = answer.files.iter().filter(|file| file.complete);
        self.finished = finished.map(|file| file.path.clone()).collect();
        let mending = if whole { self.mending.take() } else { self.mending.clone() };
        let base = Base { request: &plan.request, mending: mending.as_deref() };
        let complete = whole && !self.breaks_off;
        let (notes, no_change) = (std::mem::take(&mut answer.notes), answer.no_change);
        let Settled { files, problems, losses, notes: more, has_edits } =
            apply::settled(&base, answer, complete);
        self.files = match mending {
            Some(mending) => merged(mending, files, &self.diagnostics),
            None => files,
        };
        if whole {
            self.edit_problems = problems;
            self.losses = losses;
            self.warnings.extend(notes.into_iter().chain(more));
            self.judge_files(plan, no_change, has_edits);
        }
    }

    /// Where the task is one for code, an answer without any is told apart: only the line of the protocol says that nothing
    /// has to change.
    fn judge_files(&mut self, plan: &Plan, no_change: bool, has_edits: bool) {
        let is_whole = self.edit_problems.is_empty() && self.losses.is_empty() && !self.breaks_off;
        let is_empty = self.files.is_empty() && is_whole;
        self.no_change = is_empty && no_change && !plan.request.files.is_empty();
        self.lacks_code = is_empty && !self.no_change && !has_edits && plan.request.work.wants_code();
        if self.no_change {
            self.warnings.push("the model says that nothing has to change: no file is changed".to_owned());
        }
        if self.lacks_code {
            let message = "no file was found in the answer: each stands between its two marker lines, alone on their lines";
            self.losses.push(error(None, 0, message.to_owned()));
        }
    }

    /// Where a continuation took the place of more than it brought, it is put behind what was received instead.
    pub(super) fn undo_loss(&mut self) -> Vec<AnswerEvent> {
        let Some((anchor, reader)) = &self.before else { return Vec::new() };
        let (before, now) = (reader.clone().finish().1, self.reader.clone().finish().1);
        if !is_less(&now, &before) {
            return Vec::new();
        }
        let (open, path) = (reader.open_language(), reader.open_path());
        let whole = resume::behind(&anchor.received, &self.continuation, open.as_ref(), path.as_deref());
        let mut reader = self.again.clone();
        reader.feed(&whole);
        if is_less(&reader.finish().1, &before) {
            return Vec::new();
        }
        self.reader = self.again.clone();
        self.revision += 1;
        self.text.clear();
        self.read(&whole)
    }

    /// Puts back what there was before a continuation that was cut with less.
    pub(super) fn put_back(&mut self, answer: Answer) -> Answer {
        let Some((anchor, reader)) = self.before.take() else { return answer };
        let before = reader.clone().finish().1;
        let whole = |answer: &Answer| answer.files.iter().filter(|file| file.complete).count();
        if whole(&answer) >= whole(&before) && self.text.len() >= anchor.received.len() {
            return answer;
        }
        self.text = anchor.received.to_string();
        self.reader = reader;
        before
    }

    /// What is wrong with a complete answer before any check of its code: half files, and edits that do not fit.
    pub(super) fn unfinished(&self) -> Vec<Diagnostic> {
        let half = self.files.iter().filter(|file| !file.complete).map(|file| {
            let message = "the file has no end: the answer stopped, or went on to another file, inside it";
            let line = u32::try_from(file.content.lines().count()).unwrap_or(u32::MAX);
            error(file.path.clone(), line, message.to_owned())
        });
        let open = self
            .breaks_off
            .then(|| error(None, 0, "the answer breaks off: something in it has no end".to_owned()));
        let unfit = self.edit_problems.iter().map(|p| error(p.path.clone(), 0, p.to_string()));
        half.chain(open).chain(unfit).chain(self.losses.iter().cloned()).collect()
    }

    /// The files that the checks found errors in, of the last complete answer. Where an error names no file of it, all of
    /// them may be meant.
    pub fn failing(&self) -> Vec<&CodeFile> {
        let files = self.answered();
        places(files, &self.diagnostics).into_iter().filter_map(|at| files.get(at)).collect()
    }

    /// The files of the last complete answer, also while a repair of it is under way.
    pub fn answered(&self) -> &[CodeFile] {
        self.mending.as_deref().unwrap_or(&self.files)
    }

    /// Given files that a repair shows once more, for the model must write them whole: those that an edit did not fit, and
    /// those that fail beside an answer that has them not.
    pub fn given_anew<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a SourceFile> + 'a {
        plan.request.files.iter().filter(move |given| {
            let path = Some(given.path.as_str());
            let fails = |d: &Diagnostic| d.severity == Severity::Error && d.path.as_deref() == path;
            let unfit = self.edit_problems.iter().any(|problem| problem.path.as_deref() == path);
            let answered = self.answered().iter().any(|file| file.path.as_deref() == path);
            !answered && (unfit || self.diagnostics.iter().any(fails))
        })
    }

    /// Whether the answer under way is a repair of an earlier one.
    pub fn is_mending(&self) -> bool {
        self.mending.is_some()
    }

    /// Names of the files that the answer so far has whole; none for one without a name.
    pub fn finished(&self) -> &[Option<String>] {
        &self.finished
    }
}

/// Whether an answer has less of some file than another one: not at all, or half of it, or fewer lines.
fn is_less(now: &Answer, before: &Answer) -> bool {
    let lines = |file: &CodeFile| file.content.matches('\n').count();
    // A file that was begun again and is whole now is the new one, where it has most of what the old one had.
    let is_rewritten = |new: &CodeFile, old: &CodeFile| {
        let (kept, of) = kept_lines(&old.content, &new.content);
        new.complete && !old.complete && kept * 5 >= of * 3
    };
    before.files.iter().enumerate().any(|(at, old)| {
        let same =
            |file: &&CodeFile| file.path == old.path && (old.path.is_some() || file.rejected == old.rejected);
        let new = now
            .files
            .iter()
            .find(same)
            .filter(|_| old.path.is_some())
            .or_else(|| now.files.get(at).filter(same));
        new.is_none_or(|new| {
            (old.complete && !new.complete) || (lines(new) < lines(old) && !is_rewritten(new, old))
        })
    })
}

fn error(path: Option<String>, line: u32, message: String) -> Diagnostic {
    Diagnostic { path, line, column: 0, severity: Severity::Error, message }
}

/// Of a cut answer's last file only our own end marker proves that it is whole: a fence line may as well be part of it,
/// and bare code has no end at all.
fn prove(plan: &Plan, text: &str, answer: &mut Answer) {
    let Some(last) = answer.files.last_mut() else { return };
    let end = format!("=== end {}: {} ===", plan.prompt.nonce, last.path.as_deref().unwrap_or_default());
    last.complete &= text.lines().any(|line| line.trim_end() == end);
}

/// Where the files stand that errors were found in.
fn places(files: &[CodeFile], diagnostics: &[Diagnostic]) -> Vec<usize> {
    let stored = file::names(files);
    let is_about = |at: usize, found: &Diagnostic| {
        found.path == files[at].path || found.path.as_deref() == Some(stored[at].as_str())
    };
    let errors = || diagnostics.iter().filter(|found| found.is_error());
    let found: Vec<usize> =
        (0..files.len()).filter(|at| errors().any(|found| is_about(*at, found))).collect();
    let unplaced = errors().any(|found| found.path.is_none());
    if found.is_empty() && unplaced { (0..files.len()).collect() } else { found }
}

/// The mended files with what the repair wrote. A file without a name takes the place of the one that it can only mean.
fn merged(mut mended: Vec<CodeFile>, files: Vec<CodeFile>, diagnostics: &[Diagnostic]) -> Vec<CodeFile> {
    let mut failing = places(&mended, diagnostics);
    failing.retain(|at| {
        let path = &mended[*at].path;
        path.is_none() || files.iter().all(|file| file.path != *path)
    });
    let is_unnamed = |file: &CodeFile| file.path.is_none() && file.rejected.is_none();
    let unnamed = files.iter().filter(|file| is_unnamed(file)).count();
    let without_name: Vec<usize> = (0..mended.len()).filter(|at| is_unnamed(&mended[*at])).collect();
    let fits = |places: &Vec<usize>| places.len() == unnamed;
    let places = [failing, without_name].into_iter().find(fits).unwrap_or_default();
    let mut places = places.into_iter();
    for file in files {
        let place = match &file.path {
            Some(path) => {
                let same = mended.iter().position(|old| old.path.as_ref() == Some(path));
                // Half a file without a name is what a new one now is, whole.
                same.or_else(|| mended.iter().position(|old| is_unnamed(old) && !old.complete))
            }
            None if is_unnamed(&file) => places.next(),
            None => None,
        };
        match place.and_then(|at| mended.get_mut(at)) {
            Some(old) if old.path.is_some() => {
                *old = CodeFile { path: old.path.take(), language: old.language.clone(), ..file }
            }
            Some(old) => *old = file,
            None => mended.push(file),
        }
    }
    mended
}
