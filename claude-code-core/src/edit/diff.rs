//! Unified diffs.

use std::fmt::Write;
use std::ops::Range;

use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices, group_diff_ops};

/// Lines of context, as everywhere.
const CONTEXT: usize = 3;

/// The difference of two contents of a file as a unified diff; empty if there is none. A file that was empty
/// before is shown as new. Lines end with `\n` only: a `\r` is a part of its line.
pub fn diff(path: &str, before: &str, after: &str) -> String {
    let mut out = String::new();
    if before == after {
        return out;
    }
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let name = |side: &str, text: &str| {
        if text.is_empty() { "/dev/null".to_owned() } else { format!("{side}/{path}") }
    };
    let _ = write!(out, "--- {}\n+++ {}\n", name("a", before), name("b", after));
    for hunk in group_diff_ops(capture_diff_slices(Algorithm::Myers, &old, &new), CONTEXT) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let removed = first.old_range().start..last.old_range().end;
        let added = first.new_range().start..last.new_range().end;
        let _ = writeln!(out, "@@ -{} +{} @@", numbers(&removed), numbers(&added));
        hunk.iter().for_each(|op| lines(&mut out, op, &old, &new));
    }
    out
}

/// First line and count; the count 1 is left out, and an empty range names the line before it.
fn numbers(range: &Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    }
}

fn lines(out: &mut String, op: &DiffOp, old: &[&str], new: &[&str]) {
    for change in op.iter_changes(old, new) {
        out.push(match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        });
        out.push_str(change.value());
        if !change.value().ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}
