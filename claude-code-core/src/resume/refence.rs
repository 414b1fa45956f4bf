//! The end of a fence that a continuation put around the rest of a file which has our own markers: no part of it.

use super::preface::{is_fence, is_sentinel, opens};

/// Takes out a closing fence before the first marker line, which ends that file. Knows lines only once they are whole.
#[derive(Default)]
pub(super) struct Refence {
    /// What has no line end yet.
    partial: String,
    /// A fence, and blank lines behind it, until what follows is known.
    fence: String,
    is_done: bool,
}

impl std::fmt::Debug for Refence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Refence({} bytes held)", self.partial.len() + self.fence.len())
    }
}

impl Refence {
    /// Takes a piece of the continuation and gives what is known to belong to the answer.
    pub(super) fn pass(&mut self, text: &str) -> String {
        if self.is_done {
            return text.to_owned();
        }
        self.partial.push_str(text);
        let whole = self.partial.rfind('\n').map_or(0, |end| end + 1);
        let rest = self.partial.split_off(whole);
        let lines = std::mem::replace(&mut self.partial, rest);
        let mut out: String = lines.split_inclusive('\n').map(|line| self.line(line)).collect();
        if self.is_done {
            out.push_str(&std::mem::take(&mut self.partial));
        }
        out
    }

    /// What is left at the end.
    pub(super) fn finish(mut self) -> String {
        let last = std::mem::take(&mut self.partial);
        let out = self.line(&last);
        out + &self.fence
    }

    fn line(&mut self, line: &str) -> String {
        if self.is_done {
            return line.to_owned();
        }
        if !self.fence.is_empty() && line.trim().is_empty() {
            self.fence.push_str(line);
            return String::new();
        }
        self.is_done = is_sentinel(line);
        let before = std::mem::take(&mut self.fence);
        if is_fence(line) && !opens(line) {
            self.fence = line.to_owned();
            return before;
        }
        if self.is_done { line.to_owned() } else { before + line }
    }
}
