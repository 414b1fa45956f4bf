//! Answer reader: lines in, pieces out.

use memchr::memchr;

use super::above::Above;
use super::answer::{Answer, AnswerEvent};
use super::answer_builder::AnswerBuilder;
use super::bare;
use super::block::Block;
use super::container::Containers;
use super::cursor::Cursor;
use super::edits::{self, EditReader};
use super::path;
use super::run::{plain_run, prose_run};
use super::{fence, info, sentinel};
use crate::answer::language::Language;

/// The longest line that is waited for: what is longer is no marker, fence or name, and is passed on in parts.
const MAX_LINE: usize = 1_000_000;

/// Reads a whole answer. Never fails: see [`Answer::notes`].
///
/// ```
/// let answer = claude_code_core::read_answer("A sum:\n\n```python\nprint(1 + 1)\n```\n");
/// assert_eq!(answer.files[0].content, "print(1 + 1)\n");
/// ```
pub fn read_answer(text: &str) -> Answer {
    let mut reader = AnswerReader::new(None, None);
    reader.lines(text);
    reader.finish().1
}

/// A file between sentinel lines.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    pub(super) path: String,
}

/// Reads an answer in any chunking. The events depend on the answer's lines only, not on the chunks.
///
/// ```
/// use claude_code_core::{AnswerEvent, AnswerReader};
///
/// let mut reader = AnswerReader::new(None, None);
/// let mut events = reader.feed("```python\nprint(");
/// events.extend(reader.feed("1)\n```\n"));
/// let (rest, answer) = reader.finish();
/// events.extend(rest);
/// assert!(matches!(events[0], AnswerEvent::FileStarted { index: 0, .. }));
/// assert_eq!(answer.files[0].content, "print(1)\n");
/// ```
#[derive(Clone, Default)]
pub struct AnswerReader {
    /// The nonce of sentinel lines, once it is known.
    nonce: Option<String>,
    /// It was told in advance: nothing but our own request can have brought it about.
    is_told: bool,
    pub(super) hint: Option<Language>,
    partial: String,
    /// The first part of a longer line was read; what follows up to its end goes where that went.
    in_long_line: bool,
    /// The number of the line that is read, from 1.
    pub(super) number: usize,
    pub(super) containers: Containers,
    pub(super) above: Above,
    pub(super) block: Option<Box<Block>>,
    pub(super) marked: Option<Marked>,
    uses_sentinels: bool,
    /// A marker with another nonce stood outside files and blocks.
    pub(super) saw_other_marker: bool,
    /// The fence that is open beside sentinel files: text.
    beside: Option<(u8, usize)>,
    /// The line before closed a block.
    pub(super) after_block: bool,
    /// The last block may have been closed by the end of a fence inside it.
    pub(super) may_reopen: bool,
    pub(super) edits: EditReader,
    pub(super) rereads: usize,
    /// It reads the inside of another answer's fence.
    pub(super) is_inner: bool,
    pub(super) builder: AnswerBuilder,
}

// What it holds is the user's: Debug tells nothing of it.
impl std::fmt::Debug for AnswerReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AnswerReader")
    }
}

impl AnswerReader {
    /// A reader of sentinel lines with this nonce; with none, of those with any eight hexadecimal digits
    /// that stay the same. `language_hint` is what was asked for: the language of code that names none.
    pub fn new(nonce: Option<&str>, language_hint: Option<Language>) -> Self {
        AnswerReader {
            nonce: nonce.map(str::to_owned),
            is_told: nonce.is_some(),
            hint: language_hint,
            ..AnswerReader::default()
        }
    }

    /// Takes the next part of the answer and gives what its whole lines say.
    pub fn feed(&mut self, chunk: &str) -> Vec<AnswerEvent> {
        self.lines(chunk);
        self.builder.take_pieces()
    }

    /// The language of the file that the next line belongs to: one that is open, or the code without a fence that the
    /// answer is so far. None outside files.
    pub fn open_language(&self) -> Option<Language> {
        if self.marked.is_some() || self.block.is_some() || self.edits.is_open() {
            return Some(self.builder.open_language().unwrap_or_else(Language::text));
        }
        let may_be_code = self.builder.is_text_only() && !self.uses_sentinels;
        may_be_code.then(|| bare::language(self.builder.text_so_far(), self.hint.as_ref())).flatten()
    }

    /// The name of the file that is open, if it has one.
    pub fn open_path(&self) -> Option<String> {
        let of_block =
            || self.block.as_ref().and_then(|block| self.builder.open_path().or_else(|| block.name.clone()));
        self.marked.as_ref().map(|marked| marked.path.clone()).or_else(of_block)
    }

    /// The answer has ended: the last pieces, and the truth.
    pub fn finish(mut self) -> (Vec<AnswerEvent>, Answer) {
        let rest = std::mem::take(&mut self.partial);
        if !rest.is_empty() && !self.is_cut_end(&rest) {
            self.line(&rest);
        }
        while self.close_at_end() {}
        let has_others = self.uses_sentinels || !self.builder.is_text_only();
        if has_others && std::mem::take(&mut self.saw_other_marker) {
            self.builder.note("A file marker with another nonce was read as text.");
        }
        if self.edits.abandon() {
            self.builder.note("The last edit has no end.");
            self.builder.set_incomplete();
        }
        self.read_outer_fence();
        let is_text = self.builder.is_text_only() && !self.uses_sentinels;
        if is_text && !self.read_other_markers() && !self.read_tags() {
            self.read_bare_code();
        }
        self.builder.into_answer()
    }

    pub(super) fn lines(&mut self, chunk: &str) {
        let mut rest = chunk;
        if !self.partial.is_empty() || self.in_long_line {
            let end = memchr(b'\n', rest.as_bytes());
            let (head, tail) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            self.part_of_line(head, end.is_some());
            rest = tail;
        }
        loop {
            rest = self.plain_lines(rest);
            let Some(end) = memchr(b'\n', rest.as_bytes()) else { break };
            let (line, tail) = rest.split_at(end + 1);
            if line.len() > MAX_LINE {
                self.part_of_line(line, true);
            } else {
                self.line(line);
            }
            rest = tail;
        }
        if !rest.is_empty() {
            self.part_of_line(rest, false);
        }
    }

    /// Takes a part of a line that did not come in one, or that is too long to be waited for.
    fn part_of_line(&mut self, part: &str, ends: bool) {
        if self.in_long_line {
            self.rest_of_line(part);
            self.in_long_line = !ends;
            return;
        }
        self.partial.push_str(part);
        if self.partial.len() <= MAX_LINE && !ends {
            return;
        }
        let line = std::mem::take(&mut self.partial);
        // Where it is parted does not depend on the chunks.
        let (first, rest) = line.split_at(line.floor_char_boundary(MAX_LINE));
        self.line(first);
        if !rest.is_empty() {
            self.rest_of_line(rest);
            self.in_long_line = !ends;
        }
    }

    /// What follows of a line whose first part was read.
    fn rest_of_line(&mut self, part: &str) {
        match &mut self.block {
            _ if self.marked.is_some() => self.builder.chunk(part),
            Some(block) => {
                if let Some(content) = block.goes_on(part) {
                    self.builder.chunk(content);
                }
            }
            None => self.builder.text(part),
        }
    }

    /// Takes at once those of the first lines that can be nothing but content of the open file, or plain text.
    fn plain_lines<'a>(&mut self, text: &'a str) -> &'a str {
        let mark = match &self.block {
            _ if self.marked.is_some() => b'=',
            _ if self.edits.is_open() => return text,
            Some(block) if block.is_plain() && self.containers.is_empty() => block.mark,
            None if self.uses_sentinels || self.containers.is_plain() => return self.prose_lines(text),
            _ => return text,
        };
        let (run, rest, count) = plain_run(text, mark);
        if run.is_empty() {
            return text;
        }
        self.number += count;
        if let Some(block) = &mut self.block {
            block.passed(run);
        }
        self.builder.chunk(run);
        rest
    }

    /// Takes at once those of the first lines that begin nothing: blank ones, and those that begin with a letter.
    fn prose_lines<'a>(&mut self, text: &'a str) -> &'a str {
        let run = prose_run(text);
        if run.count == 0 {
            return text;
        }
        let (prose, rest) = text.split_at(run.end);
        self.number += run.count;
        self.after_block = false;
        if !self.uses_sentinels {
            self.containers.passed(run.blank == 0);
        }
        self.builder.text(prose);
        run.last.iter().filter(|line| !line.is_empty()).for_each(|line| self.above.push(&text[line.clone()]));
        self.above.push_blank(run.blank);
        rest
    }

    pub(super) fn line(&mut self, line: &str) {
        self.number += 1;
        if self.marked.is_some() {
            return self.marked_line(line);
        }
        if line.starts_with("=== ") && self.sentinel_line(line) {
            return;
        }
        if self.edits.is_open() {
            self.edit_line(line);
        }
        match self.block.take() {
            Some(block) => self.block_line(block, line),
            None => self.text_line(line),
        }
    }

    pub(super) fn text_line(&mut self, line: &str) {
        let after_block = std::mem::take(&mut self.after_block);
        // A fence in the text of an edit is a part of it.
        if self.edits.is_open() {
            return self.builder.text(line);
        }
        let opener = if self.uses_sentinels { None } else { self.containers.text_line(line) };
        if let Some(opener) = opener {
            self.block = Some(Box::new(Block::open(opener, line, &self.above, self.number, after_block)));
            return;
        }
        if self.uses_sentinels {
            self.note_named_block(line);
        }
        self.builder.text(line);
        if !self.edits.is_open() && edits::begins(line) {
            self.edits = EditReader::named(self.above.edit_name());
            self.above.clear();
            self.edit_line(line);
        } else if !self.edits.is_open() && !edits::ends(line) {
            self.above.push(line);
        }
    }

    /// A fenced block beside sentinel files is text; one that names a file was perhaps meant as one.
    fn note_named_block(&mut self, line: &str) {
        let cursor = Cursor::new(line);
        if let Some((mark, length)) = self.beside {
            let is_end = fence::bare(cursor, mark).is_some_and(|n| n >= length);
            self.beside = self.beside.filter(|_| !is_end);
            return;
        }
        let Some(opener) = fence::opener(cursor) else { return };
        self.beside = Some((opener.mark, opener.length));
        let read = info::read(opener.info);
        if let Some(name) = read.name.clone().or_else(|| self.above.name(read.language.as_ref())) {
            self.builder.note(format!(
                "The code block on line {} names {name}, but stands outside the file markers: it was read as text.",
                self.number
            ));
        }
    }

    /// An edit outside blocks goes on, also through lines that look like fences.
    fn edit_line(&mut self, line: &str) {
        if let Some(edit) = self.edits.line(line, self.number) {
            self.builder.edit(edit);
        }
    }

    /// A line that looks like a sentinel outside a file; false: it is not one here.
    fn sentinel_line(&mut self, line: &str) -> bool {
        if self.block.is_none() && sentinel::is_no_change(line, self.nonce.as_deref()) {
            self.builder.no_change();
            return false;
        }
        let Some(found) = sentinel::parse(line, self.nonce.as_deref()) else {
            self.saw_other_marker |= self.block.is_none() && sentinel::parse(line, None).is_some();
            return false;
        };
        if !self.is_told && self.block.as_ref().is_some_and(|b| !b.may_wrap_sentinels()) {
            return false;
        }
        if found.is_end {
            self.builder.note(format!("The end of {} on line {} has no beginning.", found.path, self.number));
            return false;
        }
        if let Some(block) = self.block.take() {
            self.block_to_text(*block);
        }
        if !self.uses_sentinels {
            self.uses_sentinels = true;
            self.nonce = Some(found.nonce.to_owned());
            self.builder.demote("Code blocks before the first file marker were read as text.");
        }
        self.edits.abandon();
        self.beside = None;
        self.containers.reset();
        let language = Language::from_path(found.path).or_else(|| self.hint.clone());
        self.builder.start(Some(found.path.to_owned()), language.unwrap_or_else(Language::text), line);
        self.marked = Some(Marked { path: found.path.to_owned() });
        true
    }

    fn marked_line(&mut self, line: &str) {
        let Some(marked) = &mut self.marked else { return };
        let Some(found) =
            line.starts_with("=== ").then(|| sentinel::parse(line, self.nonce.as_deref())).flatten()
        else {
            return self.builder.chunk(line);
        };
        let path = std::mem::take(&mut marked.path);
        let fits = found.is_end && found.path == path;
        self.look_for_fence(&path, fits);
        if !fits {
            let other = if found.is_end { "the end of another" } else { "the next file" };
            self.builder.note(format!("The file {path} has no end before {other} on line {}.", self.number));
        }
        self.marked = None;
        self.builder.finish(fits, line);
        if !found.is_end {
            self.sentinel_line(line);
        }
    }

    /// Models often fence what they put between the markers. A fence that holds all of a file is no part of it, but in
    /// Markdown and plain text.
    fn look_for_fence(&mut self, path: &str, fits: bool) {
        let is_text = path::is_markdown(path) || Language::from_path(path) == Some(Language::text());
        if fits && !is_text && self.builder.unwrap_fence() {
            return self
                .builder
                .note(format!("The content of {path} stood in a code fence; its inside is the file."));
        }
        if self.builder.open_content().starts_with("```") {
            self.builder
                .note(format!("The content of {path} begins with a code fence; it is kept as written."));
        }
    }

    /// Whether the last line is the first part of the open file's end, cut off: no content, and no end
    /// either.
    fn is_cut_end(&self, line: &str) -> bool {
        let (Some(marked), Some(nonce)) = (&self.marked, &self.nonce) else { return false };
        let end = format!("=== end {nonce}: {} ===", marked.path);
        line.starts_with("===") && line.len() < end.len() && end.starts_with(line)
    }
}
