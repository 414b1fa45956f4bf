//! Unified diffs, as `diff -u` and `git diff` write them and models imitate them: line numbers are often wrong there, so
//! a hunk is found by its lines, and its numbers only decide between places that fit alike.

use super::super::answer::Edit;

/// What a header names when there is no file.
const NOTHING: &str = "/dev/null";

/// A hunk under way.
#[derive(Default)]
struct Hunk {
    line: usize,
    start: Option<usize>,
    search: String,
    replace: String,
    has_change: bool,
}

/// The edits of the diffs in a text; none if it has no hunk.
pub(super) fn edits(text: &str) -> Option<Vec<Edit>> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut edits = Vec::new();
    let mut path: Option<String> = None;
    let mut at = 0;
    while at < lines.len() {
        if let Some(name) = header(&lines, at) {
            path = name;
            at += 2;
            continue;
        }
        let Some(start) = hunk_start(lines[at]) else {
            at += 1;
            continue;
        };
        let (hunk, end) = hunk(&lines, at, start);
        at = end;
        edits.extend(hunk.into_edit(path.clone()));
    }
    (!edits.is_empty()).then_some(edits)
}

/// The name that a pair of lines `---` and `+++` gives: `Some(None)` where neither is a file's.
fn header(lines: &[&str], at: usize) -> Option<Option<String>> {
    let old = lines.get(at)?.strip_prefix("--- ")?;
    let new = lines.get(at + 1)?.strip_prefix("+++ ")?;
    let name = |side: &str, prefix: &str| {
        let name = side.split('\t').next().unwrap_or(side).trim().trim_matches('"');
        let name = name.strip_prefix(prefix).unwrap_or(name);
        (name != NOTHING && !name.is_empty()).then(|| name.to_owned())
    };
    Some(name(new, "b/").or_else(|| name(old, "a/")))
}

/// The first line of the old file that `@@ -12,3 +12,4 @@` names; `Some(None)` for a hunk without numbers.
fn hunk_start(line: &str) -> Option<Option<usize>> {
    let rest = line.strip_prefix("@@")?;
    let numbers = rest.trim_start().strip_prefix('-');
    let number = |text: &str| text.split([',', ' ']).next().and_then(|n| n.parse().ok());
    Some(numbers.and_then(number).filter(|start| *start > 0))
}

fn hunk(lines: &[&str], at: usize, start: Option<usize>) -> (Hunk, usize) {
    let mut hunk = Hunk { line: at + 1, start, ..Hunk::default() };
    let mut end = at + 1;
    while let Some(line) = lines.get(end).filter(|_| header(lines, end).is_none()) {
        match line.as_bytes().first() {
            Some(b'+') => {
                hunk.replace.push_str(&line[1..]);
                hunk.has_change = true;
            }
            Some(b'-') => {
                hunk.search.push_str(&line[1..]);
                hunk.has_change = true;
            }
            Some(b' ') => hunk.context(&line[1..]),
            // The blank of a blank line of context is often lost.
            Some(b'\n' | b'\r') if goes_on(&lines[end + 1..]) => hunk.context(line),
            Some(b'\\') => {}
            _ => break,
        }
        end += 1;
    }
    (hunk, end)
}

/// Whether a hunk goes on behind a blank line.
fn goes_on(lines: &[&str]) -> bool {
    let next = lines.iter().find(|line| !line.trim().is_empty());
    next.is_some_and(|line| line.starts_with([' ', '+', '-', '\\']) && !line.starts_with("--- "))
}

impl Hunk {
    fn context(&mut self, line: &str) {
        self.search.push_str(line);
        self.replace.push_str(line);
    }

    fn into_edit(self, path: Option<String>) -> Option<Edit> {
        let Hunk { line, start, search, replace, has_change } = self;
        has_change.then(|| Edit { path, search, replace, line, divisions: Vec::new(), start })
    }
}
