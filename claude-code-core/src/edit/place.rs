//! Where the search text of an edit fits: in one place, or not.

use std::ops::Range;

/// How many lines of an ambiguous match are named.
const MAX_NAMED: usize = 5;

/// A place in a text.
#[derive(Debug)]
pub struct Fit {
    pub range: Range<usize>,
    /// Lines with their ends; otherwise a piece of one.
    pub whole_lines: bool,
    /// How the file's indentation differs from the search text's.
    shift: Shift,
}

/// The same difference on every line that is not blank.
#[derive(Clone, Debug, PartialEq)]
enum Shift {
    None,
    /// The file has this before what the search text has.
    Deeper(String),
    /// The search text has this before what the file has.
    Shallower(String),
}

impl Fit {
    /// A line of the replacement with the file's indentation.
    pub fn indented(&self, line: &str) -> String {
        match &self.shift {
            Shift::Deeper(prefix) if !line.trim().is_empty() => format!("{prefix}{line}"),
            Shift::Shallower(prefix) => line.strip_prefix(prefix.as_str()).unwrap_or(line).to_owned(),
            _ => line.to_owned(),
        }
    }
}

/// The lines of a text without their ends.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').map(bare)
}

/// The first line end of a text.
pub fn line_end(text: &str) -> Option<&'static str> {
    let at = text.find('\n')?;
    Some(if text[..at].ends_with('\r') { "\r\n" } else { "\n" })
}

fn bare(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// How a line of the search text may differ from the file's.
type Rule = fn(&[&str], &[&str]) -> Option<Shift>;

/// The one place where the search text fits, by the strictest rule under which it fits at all.
pub fn find(text: &str, search: &str) -> Result<Fit, String> {
    let mut starts = vec![0];
    starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let have: Vec<&str> = lines(text).collect();
    let wanted: Vec<&str> = lines(search).collect();
    let rules: [Rule; 3] = [exact, but_for_ends, but_for_indentation];
    for rule in rules {
        let fits: Vec<(usize, Shift)> = have
            .windows(wanted.len())
            .enumerate()
            .filter_map(|(at, window)| Some((at, rule(window, &wanted)?)))
            .collect();
        match fits.as_slice() {
            [] => {}
            [(at, shift)] => {
                let end = starts.get(at + wanted.len()).copied().unwrap_or(text.len());
                return Ok(Fit { range: starts[*at]..end, whole_lines: true, shift: shift.clone() });
            }
            several => return Err(ambiguous(several.iter().map(|(at, _)| at + 1))),
        }
    }
    within_a_line(text, search)
}

fn exact(have: &[&str], wanted: &[&str]) -> Option<Shift> {
    (have == wanted).then_some(Shift::None)
}

fn but_for_ends(have: &[&str], wanted: &[&str]) -> Option<Shift> {
    have.iter().zip(wanted).all(|(have, wanted)| have.trim_end() == wanted.trim_end()).then_some(Shift::None)
}

fn but_for_indentation(have: &[&str], wanted: &[&str]) -> Option<Shift> {
    let mut shift: Option<Shift> = None;
    for (have, wanted) in have.iter().zip(wanted).map(|(have, wanted)| (have.trim_end(), wanted.trim_end())) {
        if have.is_empty() && wanted.is_empty() {
            continue;
        }
        let this = if let Some(prefix) = have.strip_suffix(wanted) {
            Shift::Deeper(prefix.to_owned())
        } else {
            Shift::Shallower(wanted.strip_suffix(have)?.to_owned())
        };
        let (Shift::Deeper(prefix) | Shift::Shallower(prefix)) = &this else { return None };
        let is_blank = have.is_empty() || wanted.is_empty() || !prefix.chars().all(|c| c == ' ' || c == '\t');
        if is_blank || shift.as_ref().is_some_and(|shift| *shift != this) {
            return None;
        }
        shift = Some(this);
    }
    shift
}

/// A piece of one line, if it stands in one place only.
fn within_a_line(text: &str, search: &str) -> Result<Fit, String> {
    let is_piece = !search.contains('\n') && !search.trim().is_empty();
    let places: Vec<usize> =
        if is_piece { text.match_indices(search).map(|(at, _)| at).collect() } else { Vec::new() };
    match places.as_slice() {
        [] => Err("its search text is not in the file".to_owned()),
        [at] => Ok(Fit { range: *at..at + search.len(), whole_lines: false, shift: Shift::None }),
        several => Err(ambiguous(several.iter().map(|at| text[..*at].matches('\n').count() + 1))),
    }
}

fn ambiguous(lines: impl ExactSizeIterator<Item = usize>) -> String {
    let count = lines.len();
    let named: Vec<String> = lines.take(MAX_NAMED).map(|line| line.to_string()).collect();
    let more = if count > MAX_NAMED { " and further ones" } else { "" };
    format!("its search text fits in {count} places: lines {}{more}; add lines around it", named.join(", "))
}
