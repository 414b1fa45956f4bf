//! A fenced block while it is read.

use super::cursor::{Cursor, is_blank};
use super::edits;
use super::fence::{self, Opener};
use super::info::{self, Info};
use super::nested::{Kind, Nest};
use super::{above, comment, path};
use crate::answer::language::Language;

/// So many blank lines at the start of a block, and its first line is no longer waited for.
const MAX_BLANK: usize = 8;

/// Kind of a block's lines.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Its first lines are awaited: they tell a name, or edits.
    Opening {
        /// The content so far.
        held: String,
    },
    /// Content of a file.
    Content,
    /// Search/replace edits, held until the end shows that they are whole.
    Edits {
        /// The content so far.
        held: String,
        /// Between `<<<<<<<` and `>>>>>>>`, and there in a nested fence.
        open: bool,
        nested: bool,
    },
}

/// How a block's end is found where lines of its content look like the end.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// By CommonMark's rule alone.
    Fence,
    /// A line that looks like the end stood within a string of the code: `held` are the lines since.
    Quoted { held: String },
    /// Markdown in a fence of three: `held` are the lines since one that may be the end.
    Markdown { nest: Nest, held: String },
    /// A longer fence that may be closed by a shorter one: `found` is the content's length before it.
    Longer { nest: Nest, found: Option<usize>, is_sure: bool },
}

/// A fenced block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub mark: u8,
    pub length: usize,
    pub indent: usize,
    pub info: String,
    pub read: Info,
    /// The name that the info string or the line above gives.
    pub name: Option<String>,
    /// The opening line as it stands, then in [`Phase::Opening`] and [`Phase::Edits`] all lines.
    pub raw: String,
    /// The answer's line on which it opened.
    pub line: usize,
    /// It follows directly on another block's end and has no info string: perhaps a second closing fence.
    pub may_be_stray: bool,
    /// A fence line with an info string stood in it.
    pub holds_fence: bool,
    pub phase: Phase,
    pub ending: Ending,
}

/// Evidence in the first lines of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Unknown,
    Edits,
    File,
}

impl Block {
    /// A block that this line opens below those lines.
    pub fn open(opener: Opener<'_>, raw: &str, above: &above::Above, line: usize, after_block: bool) -> Self {
        let read = info::read(opener.info);
        let name = read.name.clone().or_else(|| above.name(read.language.as_ref()));
        let may_be_stray = after_block && opener.info.is_empty() && name.is_none();
        let is_markdown = read.language.as_ref().is_some_and(|l| l.as_str() == "markdown")
            || (read.language.is_none() && name.as_deref().is_some_and(path::is_markdown));
        let nest = Nest::default();
        let ending = match (opener.length, is_markdown) {
            (3, true) => Ending::Markdown { nest, held: String::new() },
            (3, false) => Ending::Fence,
            _ => Ending::Longer { nest, found: None, is_sure: false },
        };
        Block {
            mark: opener.mark,
            length: opener.length,
            indent: opener.indent,
            info: opener.info.to_owned(),
            read,
            name,
            raw: raw.to_owned(),
            line,
            may_be_stray,
            holds_fence: false,
            phase: Phase::Opening { held: String::new() },
            ending,
        }
    }

    /// What its first lines tell.
    pub fn start(&self, held: &str) -> Start {
        let mut lines = held.lines().filter(|l| !is_blank(l));
        let Some(first) = lines.next() else {
            let is_long = held.lines().count() >= MAX_BLANK;
            return if is_long { Start::File } else { Start::Unknown };
        };
        if edits::begins(first) {
            return Start::Edits;
        }
        let is_name = above::name_of(first).is_some();
        match lines.next() {
            Some(second) if is_name && edits::begins(second) => Start::Edits,
            None if is_name || is_prologue(first) => Start::Unknown,
            _ => Start::File,
        }
    }

    /// The name that counts: that of the info string or the line above, else that of the first comment.
    pub fn final_name(&self, held: &str) -> Option<String> {
        if self.read.is_patch {
            return None;
        }
        let mut lines = held.lines().filter(|l| !is_blank(l));
        let comment = || {
            let first = lines.next()?;
            let line = if is_prologue(first) { lines.next()? } else { first };
            comment::name(line, self.read.language.as_ref())
        };
        self.name.clone().or_else(comment)
    }

    /// The language of the file with this name.
    pub fn language(&self, name: Option<&str>, hint: Option<&Language>) -> Language {
        let told = name.and_then(Language::from_path).or_else(|| self.read.language.clone());
        told.or_else(|| hint.cloned()).unwrap_or_else(Language::text)
    }

    /// Whether its lines, but for those that look like fences, can be nothing but content of its file.
    pub fn is_plain(&self) -> bool {
        let is_known = match &self.ending {
            Ending::Fence => true,
            Ending::Quoted { .. } => false,
            Ending::Markdown { nest, .. } => !nest.is_open_question(),
            Ending::Longer { nest, is_sure, .. } => *is_sure || !nest.is_open_question(),
        };
        is_known && self.indent == 0 && matches!(self.phase, Phase::Content)
    }

    /// Says that these lines were content.
    pub fn passed(&mut self, run: &str) {
        if let Ending::Markdown { nest, .. } | Ending::Longer { nest, .. } = &mut self.ending {
            let last = run.trim_end_matches('\n').rsplit('\n').next().filter(|_| !run.ends_with("\n\n"));
            nest.passed(kind_of_text(last.unwrap_or_default()));
        }
    }

    /// Takes what follows of a line whose first part was read; gives it back where it is content of the file.
    pub fn goes_on<'a>(&mut self, part: &'a str) -> Option<&'a str> {
        match &mut self.ending {
            Ending::Markdown { nest, held } if nest.is_open_question() => {
                held.push_str(part);
                return None;
            }
            Ending::Quoted { held } => {
                held.push_str(part);
                return None;
            }
            _ => {}
        }
        match &mut self.phase {
            Phase::Content => return Some(part),
            Phase::Opening { held } | Phase::Edits { held, .. } => held.push_str(part),
        }
        self.raw.push_str(part);
        None
    }

    /// Whether it may be a fence around an answer of sentinel lines: nothing stood in it yet.
    pub fn may_wrap_sentinels(&self) -> bool {
        matches!(&self.phase, Phase::Opening { held } if is_blank(held))
    }

    /// Whether a bare fence line closes a fence nested in an edit, and not this block.
    pub fn is_inside_edit(&mut self) -> bool {
        match &mut self.phase {
            Phase::Edits { open: true, nested, .. } => std::mem::take(nested),
            _ => false,
        }
    }

    /// Takes the lines that wait for their meaning.
    pub fn take_held(&mut self) -> String {
        match &mut self.ending {
            Ending::Markdown { held, .. } | Ending::Quoted { held } => std::mem::take(held),
            _ => String::new(),
        }
    }

    /// At the answer's end: the content's length where a shorter fence closed it, if one did.
    pub fn shorter_end(&self) -> Option<usize> {
        match &self.ending {
            Ending::Longer { nest, found, is_sure } if *is_sure || nest.was_end() => *found,
            _ => None,
        }
    }

    /// The content without a last line that is a fence shorter than its own, and that line.
    pub fn without_shorter_end<'a>(&self, held: &'a str) -> (&'a str, &'a str) {
        let body = held.trim_end();
        let at = body.rfind('\n').map_or(0, |at| at + 1);
        let is_end = self.length > 3 && fence::bare(Cursor::new(&body[at..]), self.mark).is_some();
        if is_end { held.split_at(at) } else { (held, "") }
    }

    /// Whether it is a bare fence in which nothing stands.
    pub fn is_nothing(&self) -> bool {
        let is_empty = matches!(&self.phase, Phase::Opening { held } if is_blank(held));
        is_empty && self.info.is_empty() && self.name.is_none()
    }

    /// What a line of its content is to nested fences; `fence` is the line's fence, if it is one.
    pub fn kind(&self, fence: Option<Opener<'_>>, line: &str) -> Kind {
        match fence.filter(|f| f.mark == self.mark) {
            Some(fence) if fence.info.is_empty() => Kind::Bare,
            Some(_) => Kind::Labelled,
            None => kind_of_text(line),
        }
    }
}

fn kind_of_text(line: &str) -> Kind {
    match is_blank(line) {
        true => Kind::Blank,
        false => Kind::Text { invites: line.trim_end().ends_with(':') },
    }
}

/// A first line after which a name may still stand.
fn is_prologue(line: &str) -> bool {
    ["#!", "<?php", "<!DOCTYPE", "<!doctype", "# -*-"].iter().any(|start| line.starts_with(start))
}
