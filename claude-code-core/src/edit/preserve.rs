//! The bytes of a file that an answer says nothing of: byte order mark, line ends, a missing newline at the end.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{BOM, place};

/// A whole file that an answer wrote, in the form of the one whose place it takes: with its BOM, its line ends (of lines
/// that stay or are changed each its own, of new ones the one that most have) and its last newline or none.
pub(crate) fn in_the_form_of(before: &str, after: &str) -> String {
    if before == after || before.is_empty() {
        return after.to_owned();
    }
    let (bom, before) = before.strip_prefix(BOM).map_or(("", before), |rest| ("\u{feff}", rest));
    let after = after.strip_prefix(BOM).unwrap_or(after);
    let body = if before.contains("\r\n") || after.contains("\r\n") {
        with_line_ends(before, after)
    } else {
        after.to_owned()
    };
    format!("{bom}{}", with_last_end(before, body))
}

fn with_line_ends(before: &str, after: &str) -> String {
    let usual = place::majority(before).unwrap_or("\n");
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let known: Vec<&str> = old.iter().map(|line| place::bare(line)).collect();
    let new: Vec<&str> = place::lines(after).collect();
    let is_ended = after.ends_with('\n');
    let mut out = String::with_capacity(after.len() + new.len());
    for (number, (known, line)) in compared(&known, &new).into_iter().zip(&new).enumerate() {
        out.push_str(line);
        let own = match known {
            Line::Same(at) | Line::Instead(at) => Some(place::end(old[at])).filter(|end| !end.is_empty()),
            Line::New => None,
        };
        if number + 1 < new.len() || is_ended {
            out.push_str(own.unwrap_or(usual));
        }
    }
    out
}

/// The text with or without its last newline, as the file was.
fn with_last_end(before: &str, mut after: String) -> String {
    match (before.ends_with('\n'), after.ends_with('\n')) {
        (true, false) if !after.is_empty() => after.push_str(place::majority(before).unwrap_or("\n")),
        // One newline: a blank line at the end is content.
        (false, true) => after
            .truncate(after.len() - place::end(after.split_inclusive('\n').next_back().unwrap_or("")).len()),
        _ => {}
    }
    after
}

/// What a line of a new text is to those of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// This one.
    Same(usize),
    /// Another one in the place of this one.
    Instead(usize),
    New,
}

/// What each new line is to the old ones.
pub(super) fn compared(old: &[&str], new: &[&str]) -> Vec<Line> {
    let mut found = vec![Line::New; new.len()];
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        match op {
            DiffOp::Equal { old_index, new_index, len } => {
                (0..len).for_each(|step| found[new_index + step] = Line::Same(old_index + step));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                (0..old_len.min(new_len))
                    .for_each(|step| found[new_index + step] = Line::Instead(old_index + step));
            }
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => {}
        }
    }
    found
}
