//! A place in a line, counted in columns: a tab reaches to the next multiple of four.

use std::borrow::Cow;

/// Indents are counted up to here: more than any rule asks for, so that a line of blanks costs no more.
const MAX_INDENT: usize = 64;

/// The rest of a line after its container marks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    /// What is left of the line.
    pub rest: &'a str,
    column: usize,
    /// Columns of a tab of which only the first part was taken.
    pad: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(line: &'a str) -> Self {
        Cursor { rest: line, column: 0, pad: 0 }
    }

    /// Columns of blanks before the text.
    pub fn indent(&self) -> usize {
        let mut column = self.column;
        for byte in self.rest.bytes().take(MAX_INDENT) {
            match byte {
                b' ' => column += 1,
                b'\t' => column += 4 - column % 4,
                _ => break,
            }
        }
        self.pad + column - self.column
    }

    /// The cursor after so many columns of blanks; fewer where the text begins earlier.
    pub fn skip(mut self, mut columns: usize) -> Self {
        let from_pad = columns.min(self.pad);
        self.pad -= from_pad;
        columns -= from_pad;
        while columns > 0 {
            let width = match self.rest.as_bytes().first() {
                Some(b' ') => 1,
                Some(b'\t') => 4 - self.column % 4,
                _ => break,
            };
            self.rest = &self.rest[1..];
            self.column += width;
            self.pad = width.saturating_sub(columns);
            columns = columns.saturating_sub(width);
        }
        self
    }

    /// The cursor after so many ASCII characters of a mark.
    pub fn take(mut self, bytes: usize) -> Self {
        self.rest = &self.rest[bytes..];
        self.column += bytes;
        self
    }

    pub fn is_blank(&self) -> bool {
        is_blank(self.rest)
    }

    /// The rest of the line, a cut tab's columns as spaces.
    pub fn text(&self) -> Cow<'a, str> {
        match self.pad {
            0 => Cow::Borrowed(self.rest),
            pad => Cow::Owned([&" ".repeat(pad), self.rest].concat()),
        }
    }
}

/// Whether a line holds nothing but blanks.
pub(super) fn is_blank(line: &str) -> bool {
    line.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}
