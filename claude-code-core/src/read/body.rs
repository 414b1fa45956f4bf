//! The lines of a fenced block, up to its end.

use std::borrow::Cow;

use super::above;
use super::block::{Block, Ending, Phase, Start};
use super::cursor::{Cursor, is_blank};
use super::edits::{self, EditReader};
use super::nested::{Kind, Verdict};
use super::reader::AnswerReader;
use super::{fence, info, quoted};
use crate::answer::path::MAX_FILE_BYTES;
use crate::validate::parses;

/// So many times the end of an answer is read again because a longer fence was closed by a shorter one.
const MAX_REREADS: usize = 8;
/// Lines that wait for their meaning beyond this (bytes) are taken to stand after the block.
const MAX_HELD: usize = MAX_FILE_BYTES;
/// The same for lines within a string: each fence among them has the code read once more.
const MAX_QUOTED: usize = 64_000;

impl AnswerReader {
    pub(super) fn block_line(&mut self, mut block: Box<Block>, line: &str) {
        let Some(content) = self.containers.inside(line) else {
            return self.container_ended(block, line);
        };
        let closes = fence::bare(content, block.mark).is_some_and(|n| n >= block.length);
        if let Ending::Quoted { .. } = block.ending {
            return self.quoted_line(block, closes, line);
        }
        let by_rule = !matches!(block.ending, Ending::Markdown { .. });
        if closes && by_rule && !block.is_inside_edit() {
            if self.is_within_string(&block, content.indent()) {
                block.ending = Ending::Quoted { held: line.to_owned() };
                self.block = Some(block);
                return;
            }
            return self.end_block(*block, true, line);
        }
        let kind = block.kind(fence::opener(content), content.rest);
        let text = content_of(&block, content);
        match &mut block.ending {
            Ending::Markdown { .. } => self.markdown_line(block, kind, &text, line),
            Ending::Longer { .. } => {
                if let Some(mut block) = self.store(block, &text, line) {
                    self.look_for_shorter_end(&mut block, kind, text.len());
                    self.block = Some(block);
                }
            }
            Ending::Fence => {
                block.holds_fence |= kind == Kind::Labelled;
                self.block = self.store(block, &text, line);
            }
            Ending::Quoted { .. } => {}
        }
    }

    /// The list item or quote around a block ended before the block.
    fn container_ended(&mut self, mut block: Box<Block>, line: &str) {
        let held = block.take_held();
        if held.is_empty() {
            self.end_block(*block, false, "");
            return self.text_line(line);
        }
        self.markdown_ended(block, &held, line);
    }

    /// Whether the open file's code ends inside a string, so that a fence may be a part of it.
    fn is_within_string(&self, block: &Block, indent: usize) -> bool {
        let is_plain = matches!((&block.ending, &block.phase), (Ending::Fence, Phase::Content));
        let Some(language) = self.builder.open_language().filter(|_| is_plain && block.indent == 0) else {
            return false;
        };
        let code = self.builder.open_content();
        let open = quoted::is_open(language.as_str(), code, indent);
        open.is_some_and(|is_sure| is_sure || parses(language.as_str(), code) != Some(true))
    }

    /// A line since one that looked like the end within a string. A fence at which the string is closed and the code whole
    /// shows that it was none; one that opens another file shows that it was the end.
    fn quoted_line(&mut self, mut block: Box<Block>, closes: bool, line: &str) {
        let held = block.take_held();
        let names_file =
            fence::opener(Cursor::new(line)).is_some_and(|opener| info::read(opener.info).name.is_some());
        if names_file || held.len() > MAX_QUOTED {
            return self.markdown_ended(block, &held, line);
        }
        let indent = line.len() - line.trim_start().len();
        if closes && self.is_whole_with(&held, indent) {
            block.ending = Ending::Fence;
            if let Some(block) = self.store_lines(block, &held) {
                self.end_block(*block, true, line);
            }
            return;
        }
        block.ending = Ending::Quoted { held: held + line };
        self.block = Some(block);
    }

    /// Whether the open file with these lines is code whose strings are closed.
    fn is_whole_with(&self, held: &str, indent: usize) -> bool {
        let Some(language) = self.builder.open_language() else { return false };
        let code = [self.builder.open_content(), held].concat();
        let is_open = quoted::is_open(language.as_str(), &code, indent).is_some();
        !is_open && parses(language.as_str(), &code) != Some(false)
    }

    fn markdown_line(&mut self, mut block: Box<Block>, kind: Kind, text: &str, line: &str) {
        let Ending::Markdown { nest, held } = &mut block.ending else { return };
        let is_asked = nest.is_open_question();
        let names_next = is_asked && kind == Kind::Bare && names_next(held);
        let mut verdict = nest.step(kind, names_next);
        if verdict == Verdict::Wait && held.len() + line.len() > MAX_HELD {
            verdict = Verdict::WasEnd;
        }
        match verdict {
            Verdict::Content => self.block = self.store(block, text, line),
            Verdict::Ask | Verdict::Wait => {
                held.push_str(line);
                self.block = Some(block);
            }
            Verdict::WasInner => {
                let held = std::mem::take(held);
                self.block = self.store_lines(block, &held).and_then(|block| self.store(block, text, line));
            }
            Verdict::WasEnd => {
                let held = std::mem::take(held);
                self.markdown_ended(block, &held, line);
            }
        }
    }

    /// The first held line was the block's end; the others, and this one, stand after it.
    fn markdown_ended(&mut self, block: Box<Block>, held: &str, line: &str) {
        let mut lines = held.split_inclusive('\n');
        self.number -= lines.clone().count();
        self.end_block(*block, true, lines.next().unwrap_or_default());
        lines.for_each(|held| self.line(held));
        self.line(line);
    }

    fn store_lines(&mut self, mut block: Box<Block>, lines: &str) -> Option<Box<Block>> {
        for line in lines.split_inclusive('\n') {
            let text =
                self.containers.inside(line).map_or(line.into(), |content| content_of(&block, content));
            block = self.store(block, &text, line)?;
        }
        Some(block)
    }

    /// Takes a line of content. None: it showed that the block is none.
    fn store(&mut self, mut block: Box<Block>, text: &str, line: &str) -> Option<Box<Block>> {
        match &mut block.phase {
            Phase::Content => {
                self.builder.chunk(text);
                return Some(block);
            }
            Phase::Edits { held, .. } => held.push_str(text),
            Phase::Opening { held } => held.push_str(text),
        }
        block.raw.push_str(line);
        if let Phase::Edits { held, open, nested } = &mut block.phase {
            *nested = (*nested || text.starts_with("```")) && *open;
            *open = (*open || edits::begins(text)) && !edits::ends(text);
            if held.len() > MAX_HELD {
                let held = std::mem::take(held);
                self.begin_file(&mut block, &held, false);
            }
            return Some(block);
        }
        self.opened(block)
    }

    fn opened(&mut self, mut block: Box<Block>) -> Option<Box<Block>> {
        let Phase::Opening { held } = &mut block.phase else { return Some(block) };
        if block.may_be_stray && is_blank(held) {
            self.second_end(&block);
            return None;
        }
        let held = std::mem::take(held);
        match block.start(&held) {
            Start::Unknown => block.phase = Phase::Opening { held },
            Start::File => self.begin_file(&mut block, &held, true),
            Start::Edits => {
                let open = held.lines().any(edits::begins);
                self.edits.abandon();
                block.phase = Phase::Edits { held, open, nested: false };
            }
        }
        Some(block)
    }

    fn second_end(&mut self, block: &Block) {
        self.builder.note(format!("The fence on line {} closes nothing; it was read as text.", block.line));
        self.builder.text(&block.raw);
    }

    fn begin_file(&mut self, block: &mut Block, held: &str, named: bool) {
        let name = block.final_name(held).filter(|_| named);
        let language = block.language(name.as_deref(), self.hint.as_ref());
        let opening = block.raw.split_inclusive('\n').next().unwrap_or_default();
        self.builder.start(name, language, opening);
        self.builder.chunk(held);
        block.raw.clear();
        block.phase = Phase::Content;
    }

    pub(super) fn end_block(&mut self, mut block: Block, closed: bool, line: &str) {
        self.after_block = closed;
        self.above.clear();
        self.may_reopen = closed && block.holds_fence && block.indent == 0 && self.containers.is_empty();
        match std::mem::replace(&mut block.phase, Phase::Content) {
            Phase::Edits { held, open, .. } => return self.end_edits(block, &held, open, closed, line),
            Phase::Opening { held } => self.begin_file(&mut block, &held, true),
            Phase::Content => {}
        }
        if !closed {
            self.builder.note(format!("The code block on line {} has no end.", block.line));
        }
        let file = self.builder.finish(closed, line);
        self.builder.fence(&block.info, closed, file);
    }

    fn end_edits(&mut self, mut block: Block, held: &str, open: bool, mut closed: bool, line: &str) {
        self.may_reopen = false;
        let (held, end) = if closed { (held, "") } else { block.without_shorter_end(held) };
        if !end.is_empty() {
            closed = true;
            self.note_shorter_end(&block);
        }
        let mut reader = EditReader::named(block.name.clone());
        let mut edits = 0;
        for (at, text) in held.split_inclusive('\n').enumerate() {
            if let Some(edit) = reader.line(text, block.line + 1 + at) {
                self.builder.edit(edit);
                edits += 1;
            }
        }
        if edits > 0 && reader.others == 0 && !open {
            self.builder.text(&block.raw);
            self.builder.text(line);
            if !closed {
                self.builder
                    .note(format!("The edits on line {} stand in a block without an end.", block.line));
                self.builder.set_incomplete();
            }
            return self.builder.fence(&block.info, closed, None);
        }
        let what = if open { "an edit without an end" } else { "more than search/replace edits" };
        self.builder
            .note(format!("The block on line {} holds {what}; it was kept as an unnamed file.", block.line));
        self.begin_file(&mut block, held, false);
        let file = self.builder.finish(closed && !open, line);
        self.builder.fence(&block.info, closed, file);
    }

    /// Gives up a block in favour of sentinel lines.
    pub(super) fn block_to_text(&mut self, mut block: Block) {
        let held = block.take_held();
        match block.phase {
            Phase::Content => _ = self.builder.finish(false, &held),
            Phase::Opening { .. } | Phase::Edits { .. } => {
                self.builder.text(&block.raw);
                self.builder.text(&held);
            }
        }
    }

    /// Notes where a longer fence seems to be closed by a shorter one; at the answer's end it will be known.
    fn look_for_shorter_end(&mut self, block: &mut Block, kind: Kind, size: usize) {
        let is_whole_line = block.indent == 0 && self.containers.is_empty();
        let length = self.builder.open_length().filter(|_| is_whole_line);
        let Ending::Longer { nest, found, is_sure: is_sure @ false } = &mut block.ending else { return };
        match nest.step(kind, false) {
            Verdict::Ask => *found = length.and_then(|l| l.checked_sub(size)),
            Verdict::WasInner => *found = None,
            Verdict::WasEnd => *is_sure = true,
            Verdict::Content | Verdict::Wait => {}
        }
    }

    /// Ends what is open at the answer's end. True: there is more to read.
    pub(super) fn close_at_end(&mut self) -> bool {
        if let Some(marked) = self.marked.take() {
            self.builder.note(format!("The file {} has no end.", marked.path));
            self.builder.finish(false, "");
        }
        let Some(mut block) = self.block.take() else { return false };
        if let Some(at) =
            block.shorter_end().filter(|_| self.rereads < MAX_REREADS && self.builder.open_length().is_some())
        {
            self.read_again(*block, at);
            return true;
        }
        let was_end = match &block.ending {
            Ending::Markdown { nest, .. } => nest.was_end(),
            ending => matches!(ending, Ending::Quoted { .. }),
        };
        let held = block.take_held();
        if was_end {
            let mut lines = held.split_inclusive('\n');
            self.number -= lines.clone().count().saturating_sub(1);
            self.end_block(*block, true, lines.next().unwrap_or_default());
            lines.for_each(|line| self.line(line));
            return true;
        }
        match self.store_lines(block, &held) {
            Some(block) if block.is_nothing() => self.end_of_nothing(&block),
            Some(block) => self.end_block(*block, false, ""),
            None => {}
        }
        false
    }

    /// A bare fence with nothing after it: a second end, or the end of what an earlier answer began.
    fn end_of_nothing(&mut self, block: &Block) {
        if self.may_reopen && self.builder.reopen() {
            return self.builder.note(format!(
                "A fence inside the last block was not its end, that on line {} is.",
                block.line
            ));
        }
        if block.may_be_stray {
            return self.second_end(block);
        }
        self.builder.note("The answer ends with a fence that opens nothing.");
        self.builder.text(&block.raw);
        self.builder.fence("", false, None);
        self.builder.set_incomplete();
    }

    fn note_shorter_end(&mut self, block: &Block) {
        self.builder.note(format!("The code block on line {} is closed by a shorter fence.", block.line));
    }

    /// Ends a block at a shorter fence and reads again what follows it.
    fn read_again(&mut self, block: Block, at: usize) {
        self.rereads += 1;
        self.note_shorter_end(&block);
        let tail = self.builder.cut_back(at);
        let mut lines = tail.split_inclusive('\n');
        self.number -= lines.clone().count().saturating_sub(1);
        self.end_block(block, true, lines.next().unwrap_or_default());
        lines.for_each(|line| self.line(line));
    }
}

/// A line of content without the indent of the fence.
fn content_of<'a>(block: &Block, content: Cursor<'a>) -> Cow<'a, str> {
    content.skip(block.indent.min(content.indent())).text()
}

/// Whether the lines after the first name the file of the next fence: the only one does, or the last,
/// marked as such. The last line of a drawn tree of files does not.
fn names_next(held: &str) -> bool {
    let after = held.split_once('\n').map_or("", |(_, after)| after);
    let mut lines = after.lines().filter(|l| !is_blank(l));
    let Some(last) = lines.next_back() else { return false };
    let is_marked = last.starts_with("**") || last.starts_with("##") || last.starts_with('`');
    (is_marked || lines.next().is_none()) && above::name_of(last).is_some()
}
