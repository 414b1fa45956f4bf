//! Fast path for runs of lines that can only be content or prose: they are taken at once.

use std::ops::Range;

use memchr::memchr;

/// The first lines that neither a fence of this mark nor a sentinel can be, what follows them, and their
/// count.
pub(super) fn plain_run(text: &str, mark: u8) -> (&str, &str, usize) {
    let (mut end, mut count) = (0, 0);
    while let Some(length) = memchr(b'\n', &text.as_bytes()[end..]) {
        let line = &text.as_bytes()[end..end + length];
        let first = line.iter().take(4).find(|b| **b != b' ' && **b != b'\t');
        if first.is_some_and(|b| *b == mark) || line.starts_with(b"=== ") {
            break;
        }
        end += length + 1;
        count += 1;
    }
    let (run, rest) = text.split_at(end);
    (run, rest, count)
}

/// Lines of prose at the start of a text.
#[derive(Default)]
pub(super) struct ProseRun {
    /// Where they end.
    pub end: usize,
    pub count: usize,
    /// The last two that are not blank, the later one last.
    pub last: [Range<usize>; 2],
    /// Blank lines after those.
    pub blank: usize,
}

/// The lines of prose with which a text begins: blank ones, and those that begin with a letter.
pub(super) fn prose_run(text: &str) -> ProseRun {
    let mut run = ProseRun::default();
    while let Some(length) = memchr(b'\n', &text.as_bytes()[run.end..]) {
        let line = run.end..run.end + length + 1;
        match text.as_bytes()[run.end] {
            b'\n' => run.blank += 1,
            first if first.is_ascii_alphabetic() => {
                let [_, before] = std::mem::take(&mut run.last);
                (run.last, run.blank) = ([before, line.clone()], 0);
            }
            _ => break,
        }
        run.count += 1;
        run.end = line.end;
    }
    run
}
