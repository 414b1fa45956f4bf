//! Answer builder: collects files, text and notes as they are read, within bounds.

use std::collections::HashMap;

use super::answer::{Answer, AnswerEvent, Edit, Fence};
use super::{edits, fence};
use crate::answer::file::{self, CodeFile};
use crate::answer::language::Language;
// Against answers made to fill memory; there may be as many bytes of text as of files.
use crate::answer::path::{MAX_FILE_BYTES as MAX_FILE, MAX_FILES, MAX_TOTAL_BYTES as MAX_TOTAL};

/// Notes and fences beyond these say nothing new.
const MAX_NOTES: usize = 100;
const MAX_FENCES: usize = 10_000;

/// A file with what may have to be undone.
#[derive(Clone, Debug)]
struct Slot {
    file: CodeFile,
    index: usize,
    revision: u32,
    /// Bytes of text that stood before it, and before what follows it.
    text_before: usize,
    text_after: usize,
    /// Its fence lines, to become text again.
    lines: (String, String),
}

/// Builder of the answer: files and text read so far.
#[derive(Clone, Debug, Default)]
pub(super) struct AnswerBuilder {
    pieces: Vec<AnswerEvent>,
    slots: Vec<Slot>,
    answer: Answer,
    /// The last slot is open: its lines are awaited.
    open: bool,
    /// The open file passed a bound: its further lines are dropped.
    full: bool,
    /// The text passed its bound.
    text_full: bool,
    stored: usize,
    /// The revision of files that begin, and how many indices were in use before it.
    revision: u32,
    used_before: usize,
    incomplete: bool,
}

impl AnswerBuilder {
    /// The pieces since the last call.
    pub fn take_pieces(&mut self) -> Vec<AnswerEvent> {
        std::mem::take(&mut self.pieces)
    }

    /// Adds text outside files, up to the bound: where it is cut does not depend on how the answer came in.
    pub fn text(&mut self, text: &str) {
        let room = MAX_TOTAL.saturating_sub(self.answer.text.len());
        let fitting = &text[..text.floor_char_boundary(if self.text_full { 0 } else { room })];
        if fitting.len() < text.len() {
            self.text_is_full();
        }
        if fitting.is_empty() {
            return;
        }
        self.answer.text.push_str(fitting);
        match self.pieces.last_mut() {
            Some(AnswerEvent::Text(last)) => last.push_str(fitting),
            _ => self.pieces.push(AnswerEvent::Text(fitting.to_owned())),
        }
    }

    fn text_is_full(&mut self) {
        if !std::mem::replace(&mut self.text_full, true) {
            self.note(format!("The text beyond {} MB was left out.", MAX_TOTAL / 1_000_000));
            self.incomplete = true;
        }
    }

    /// Says something once.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.answer.notes.len() < MAX_NOTES && !self.answer.notes.contains(&note) {
            self.answer.notes.push(note);
        }
    }

    /// The answer says that nothing has to change.
    pub fn no_change(&mut self) {
        self.answer.no_change = true;
    }

    /// The answer did not end as it should, whatever its files say.
    pub fn set_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Begins a file; `line` is the one that opened it.
    pub fn start(&mut self, name: Option<String>, language: Language, line: &str) {
        let name = name.map(file::without_here);
        self.full = false;
        self.open = self.slots.len() < MAX_FILES;
        if !self.open {
            self.incomplete = true;
            return self
                .note(format!("The answer has more than {MAX_FILES} files; the others were left out."));
        }
        let rejected = name.as_deref().and_then(file::refusal);
        if let Some(reason) = &rejected {
            self.note(format!("A file name was refused: {reason}."));
        }
        let path = name.filter(|_| rejected.is_none());
        let (index, revision) = (self.slots.len(), self.revision);
        self.pieces.push(AnswerEvent::FileStarted {
            index,
            path: path.clone(),
            language: language.clone(),
            revision,
        });
        self.slots.push(Slot {
            file: CodeFile { path, language, content: String::new(), complete: false, rejected },
            index,
            revision,
            text_before: self.answer.text.len(),
            text_after: 0,
            lines: (line.to_owned(), String::new()),
        });
    }

    /// Adds lines to the open file, up to the bound: where it is cut does not depend on how the answer came in.
    pub fn chunk(&mut self, text: &str) {
        let Some(slot) = self.slots.last_mut().filter(|_| self.open && !self.full) else { return };
        let room =
            MAX_FILE.saturating_sub(slot.file.content.len()).min(MAX_TOTAL.saturating_sub(self.stored));
        let fitting = &text[..text.floor_char_boundary(room)];
        if !fitting.is_empty() {
            self.stored += fitting.len();
            slot.file.content.push_str(fitting);
            let (index, revision) = (slot.index, slot.revision);
            match self.pieces.last_mut() {
                Some(AnswerEvent::FileChunk { index: i, text: last, .. }) if *i == index => {
                    last.push_str(fitting)
                }
                _ => self.pieces.push(AnswerEvent::FileChunk { index, revision, text: fitting.to_owned() }),
            }
        }
        if fitting.len() < text.len() {
            self.file_is_full();
        }
    }

    fn file_is_full(&mut self) {
        self.full = true;
        self.incomplete = true;
        let (file, total) = (MAX_FILE / 1_000_000, MAX_TOTAL / 1_000_000);
        self.note(format!("A file was cut: files hold up to {file} MB each and {total} MB in all."));
    }

    /// Ends the open file; gives its place for [`AnswerBuilder::fence`]. `line` is the one that closed it.
    pub fn finish(&mut self, complete: bool, line: &str) -> Option<usize> {
        let at = self.slots.len().checked_sub(1).filter(|_| std::mem::take(&mut self.open))?;
        let slot = self.slots.get_mut(at)?;
        slot.file.complete = complete && !self.full;
        slot.lines.1 = line.to_owned();
        slot.text_after = self.answer.text.len();
        let (index, revision, complete) = (slot.index, slot.revision, slot.file.complete);
        self.pieces.push(AnswerEvent::FileFinished { index, revision, complete });
        Some(at)
    }

    /// The content of the open file so far.
    pub fn open_content(&self) -> &str {
        self.slots.last().filter(|_| self.open).map_or("", |s| &s.file.content)
    }

    /// The language of the open file.
    pub fn open_language(&self) -> Option<Language> {
        self.slots.last().filter(|_| self.open).map(|slot| slot.file.language.clone())
    }

    /// The name of the open file.
    pub fn open_path(&self) -> Option<String> {
        self.slots.last().filter(|_| self.open).and_then(|slot| slot.file.path.clone())
    }

    /// Bytes of the open file, or none where it was cut.
    pub fn open_length(&self) -> Option<usize> {
        self.slots.last().filter(|_| self.open && !self.full).map(|s| s.file.content.len())
    }

    /// Ends the open file earlier than it was read; gives what is no longer its content.
    pub fn cut_back(&mut self, length: usize) -> String {
        let Some(slot) = self.slots.last_mut() else { return String::new() };
        let tail = slot.file.content.split_off(length);
        self.stored -= tail.len();
        self.show_again();
        tail
    }

    /// Makes the inside of a code fence the content of the open file, if the fence is all that it holds.
    pub fn unwrap_fence(&mut self) -> bool {
        let Some(slot) = self.slots.last_mut().filter(|_| self.open && !self.full) else { return false };
        let Some(inner) = fence::only_block(&slot.file.content).map(str::to_owned) else { return false };
        self.stored -= slot.file.content.len() - inner.len();
        slot.file.content = inner;
        self.show_again();
        true
    }

    /// Shows the last file once more: what was shown of it no longer counts.
    fn show_again(&mut self) {
        let Some(slot) = self.slots.last_mut() else { return };
        slot.revision += 1;
        let (index, revision) = (slot.index, slot.revision);
        let (path, language) = (slot.file.path.clone(), slot.file.language.clone());
        self.pieces.push(AnswerEvent::FileStarted { index, path, language, revision });
        if !slot.file.content.is_empty() {
            self.pieces.push(AnswerEvent::FileChunk { index, revision, text: slot.file.content.clone() });
        }
    }

    /// Takes the line that closed the last file, and the text since, into that file. False: they do not fit.
    pub fn reopen(&mut self) -> bool {
        let Some(slot) = self.slots.last_mut().filter(|s| s.file.complete) else { return false };
        let tail = [slot.lines.1.as_str(), &self.answer.text[slot.text_after..]].concat();
        if slot.file.content.len() + tail.len() > MAX_FILE || self.stored + tail.len() > MAX_TOTAL {
            return false;
        }
        self.answer.text.truncate(slot.text_after);
        self.stored += tail.len();
        slot.file.content.push_str(&tail);
        let (index, revision) = (slot.index, slot.revision + 1);
        self.show_again();
        self.pieces.push(AnswerEvent::FileFinished { index, revision, complete: true });
        true
    }

    /// Records a fence.
    pub fn fence(&mut self, info: &str, closed: bool, file: Option<usize>) {
        if self.answer.fences.len() < MAX_FENCES {
            self.answer.fences.push(Fence { info: info.to_owned(), closed, file });
        }
    }

    /// Adds an edit.
    pub fn edit(&mut self, edit: Edit) {
        let size = edit.search.len() + edit.replace.len();
        if self.answer.edits.len() >= MAX_FILES || self.stored + size > MAX_TOTAL {
            self.incomplete = true;
            return self.note("The answer has more edits than fit; the others were left out.");
        }
        self.stored += size;
        let (edit, refused) = edits::checked(edit);
        if let Some(reason) = refused {
            self.note(format!("An edit on line {} names a file that was refused: {reason}.", edit.line));
        }
        self.answer.edits.push(edit);
    }

    /// Whether nothing but text was found.
    pub fn is_text_only(&self) -> bool {
        self.slots.is_empty() && self.answer.edits.is_empty() && self.answer.fences.is_empty()
    }

    /// The content of the only file, if it is one without a name and its fence has one of these info strings.
    pub fn only_block(&self, infos: &[&str]) -> Option<&str> {
        let [slot] = self.slots.as_slice() else { return None };
        let [fence] = self.answer.fences.as_slice() else { return None };
        // A heading at its beginning may have been taken for the name of it all.
        let begins = slot.file.content.trim_start().starts_with('#');
        let is_heading = |path: &String| begins && !fence.info.contains(path.as_str());
        let is_plain = slot.file.path.as_ref().is_none_or(is_heading)
            && slot.file.rejected.is_none()
            && slot.file.complete;
        let fits = infos.contains(&fence.info.trim().to_ascii_lowercase().as_str());
        (is_plain && fits && self.answer.edits.is_empty()).then_some(slot.file.content.as_str())
    }

    /// The text so far.
    pub fn text_so_far(&self) -> &str {
        &self.answer.text
    }

    /// Makes every file that was read so far text again, and says why: the answer uses sentinel lines, so its fences are
    /// prose, or its only fence holds the files.
    pub fn demote(&mut self, why: &str) {
        if self.slots.is_empty() {
            return;
        }
        self.note(why);
        let mut text = String::with_capacity(self.answer.text.len() + self.stored);
        let mut done = 0;
        for slot in &self.slots {
            text.push_str(&self.answer.text[done..slot.text_before]);
            done = slot.text_before;
            for part in [&slot.lines.0, &slot.file.content, &slot.lines.1] {
                text.push_str(part);
            }
            self.stored -= slot.file.content.len();
        }
        text.push_str(&self.answer.text[done..]);
        if text.len() > MAX_TOTAL {
            text.truncate(text.floor_char_boundary(MAX_TOTAL));
            self.text_is_full();
        }
        self.answer.text = text;
        self.used_before = self.slots.len();
        self.revision = self.slots.iter().map(|s| s.revision).max().unwrap_or(0) + 1;
        self.slots.clear();
        self.answer.fences.clear();
    }

    /// Everything that was read.
    pub fn into_answer(mut self) -> (Vec<AnswerEvent>, Answer) {
        for index in self.slots.len()..self.used_before {
            let (path, language, revision) = (None, Language::text(), self.revision);
            self.pieces.push(AnswerEvent::FileStarted { index, path, language, revision });
            self.pieces.push(AnswerEvent::FileFinished { index, revision, complete: false });
        }
        let last = self.last_of_each_name();
        let mut places = Vec::with_capacity(self.slots.len());
        let mut answer = std::mem::take(&mut self.answer);
        for (at, slot) in self.slots.into_iter().enumerate() {
            let is_last = slot.file.path.as_ref().is_none_or(|p| last.get(p) == Some(&at));
            if !is_last {
                let path = slot.file.path.as_deref().unwrap_or_default();
                answer.notes.push(format!("The file {path} was given more than once; the last one counts."));
            }
            places.push(is_last.then_some(answer.files.len()));
            if is_last {
                answer.indices.push(slot.index);
                answer.files.push(slot.file);
            }
        }
        for fence in &mut answer.fences {
            fence.file = fence.file.and_then(|at| places.get(at).copied().flatten());
        }
        answer.complete = !self.incomplete && answer.files.iter().all(|f| f.complete);
        (self.pieces, answer)
    }

    fn last_of_each_name(&self) -> HashMap<String, usize> {
        let named = self.slots.iter().enumerate();
        named.filter_map(|(at, s)| s.file.path.clone().map(|p| (p, at))).collect()
    }
}
