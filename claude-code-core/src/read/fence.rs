//! Fence lines by CommonMark's rules.

use super::cursor::Cursor;

/// The fewest marks that make a fence.
const MIN_LENGTH: usize = 3;

/// A line that opens a fenced block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opener<'a> {
    pub mark: u8,
    pub length: usize,
    /// Columns before it; as many are taken off each line of the block.
    pub indent: usize,
    pub info: &'a str,
}

/// The fence that a line opens, or none.
pub(super) fn opener(line: Cursor<'_>) -> Option<Opener<'_>> {
    let (mark, length, indent, tail) = run(line)?;
    let info = tail.trim();
    let is_code_span = mark == b'`' && info.contains('`');
    (!is_code_span).then_some(Opener { mark, length, indent, info })
}

/// How many marks a line without anything else has, or none. It closes a block of the same mark and at most
/// that length.
pub(super) fn bare(line: Cursor<'_>, mark: u8) -> Option<usize> {
    let (found, length, _, tail) = run(line)?;
    (found == mark && tail.trim().is_empty()).then_some(length)
}

/// The content of a text that is one fenced block and nothing else.
pub(super) fn only_block(text: &str) -> Option<&str> {
    let body = text.trim_start_matches(['\r', '\n']);
    let (first, _) = body.split_once('\n')?;
    let opener = opener(Cursor::new(first))?;
    let closes = |line: &str| bare(Cursor::new(line), opener.mark).is_some_and(|n| n >= opener.length);
    let inner = &body[first.len() + 1..];
    let mut at = 0;
    for line in inner.split_inclusive('\n') {
        if closes(line) {
            return inner[at + line.len()..].trim().is_empty().then(|| &inner[..at]);
        }
        at += line.len();
    }
    None
}

fn run(line: Cursor<'_>) -> Option<(u8, usize, usize, &str)> {
    let indent = line.indent();
    if indent >= 4 {
        return None;
    }
    let text = line.skip(indent).rest;
    let mark = *text.as_bytes().first().filter(|b| matches!(b, b'`' | b'~'))?;
    let length = text.bytes().take_while(|b| *b == mark).count();
    (length >= MIN_LENGTH).then(|| (mark, length, indent, &text[length..]))
}
