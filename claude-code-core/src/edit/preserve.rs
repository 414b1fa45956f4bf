//! The bytes of a file that an answer says nothing of: byte order mark, line ends, a missing newline at the end.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::indent::Indents;
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

/// A whole file with the tabs or blanks that the file it replaces is indented with, where the answer has the other sort
/// throughout: a model that read tabs as blanks changed nothing by that.
pub(crate) fn with_indentation_of(before: &str, after: &str) -> String {
    let sorts = (indentation(before), indentation(after));
    if sorts.0 == sorts.1 || sorts.0.is_none() || sorts.1.is_none() {
        return after.to_owned();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (place::lines(before).collect(), place::lines(after).collect());
    let bare = |lines: &[&str]| -> Vec<String> { lines.iter().map(|line| line.trim().to_owned()).collect() };
    let (bare_old, bare_new) = (bare(&old), bare(&new));
    let known: Vec<&str> = bare_old.iter().map(String::as_str).collect();
    let wanted: Vec<&str> = bare_new.iter().map(String::as_str).collect();
    let same = compared(&known, &wanted).into_iter().enumerate().filter_map(|(at, line)| match line {
        Line::Same(from) => Some((old[from], new[at])),
        _ => None,
    });
    let (have, said): (Vec<&str>, Vec<&str>) = same.unzip();
    let Some(indents) = Indents::between(&have, &said) else { return after.to_owned() };
    after.split_inclusive('\n').map(|line| indents.applied(line)).collect()
}

/// What a text is indented with, if it is one sort throughout.
fn indentation(text: &str) -> Option<char> {
    let count =
        |sort: char| text.lines().filter(|line| line.starts_with(sort) && !line.trim().is_empty()).count();
    match (count('\t'), count(' ')) {
        (1.., 0) => Some('\t'),
        (0, 1..) => Some(' '),
        _ => None,
    }
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
