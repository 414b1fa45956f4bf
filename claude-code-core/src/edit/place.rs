//! Where the search text of an edit fits: in one place, or not.

use std::ops::Range;

use super::indent::Indents;

/// How many lines of an ambiguous match are named.
const MAX_NAMED: usize = 5;

/// How much of the difference between file and search text is passed over, from nothing on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Line by line the same.
    Exact,
    /// But for blanks at the ends of lines.
    Trailing,
    /// But for the indentation, where the same one stands for the same one on every line.
    Indentation,
    /// But for the sort of blanks, quotes and dashes, and blanks at the ends of lines.
    Typography,
    /// But for all of that.
    TypographyAndIndentation,
}

const LEVELS: [Level; 5] =
    [Level::Exact, Level::Trailing, Level::Indentation, Level::Typography, Level::TypographyAndIndentation];

impl Level {
    /// What was passed over, for a warning; none where nothing was.
    pub fn passed_over(self) -> Option<&'static str> {
        match self {
            Level::Exact => None,
            Level::Trailing => Some("blanks at the ends of lines"),
            Level::Indentation => Some("indentation"),
            Level::Typography => Some("the sort of blanks, quotes and dashes"),
            Level::TypographyAndIndentation => Some("indentation and the sort of blanks, quotes and dashes"),
        }
    }
}

/// A place in a text.
#[derive(Debug)]
pub struct Fit {
    pub range: Range<usize>,
    /// Lines with their ends; otherwise a piece of one.
    pub whole_lines: bool,
    pub level: Level,
    /// So many places fit alike; the line number that a diff gives said which.
    pub places: usize,
    /// How the file's indentation differs from the search text's.
    pub indents: Indents,
}

/// The lines of a text without their ends.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').map(bare)
}

/// The end of a line.
pub fn end(line: &str) -> &str {
    &line[bare(line).len()..]
}

/// The line end that most lines of a text have; none in a text of one line.
pub fn majority(text: &str) -> Option<&'static str> {
    let all = text.bytes().filter(|b| *b == b'\n').count();
    let long = text.matches("\r\n").count();
    (all > 0).then(|| if long * 2 > all { "\r\n" } else { "\n" })
}

pub fn bare(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// The one place where the search text fits, by the strictest level at which it fits at all. Where it fits in several, the
/// one that begins at this line, if there is one.
pub fn find(text: &str, search: &str, start: Option<usize>) -> Result<Fit, String> {
    let mut starts = vec![0];
    starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let have: Vec<&str> = lines(text).collect();
    let wanted: Vec<&str> = lines(search).collect();
    for level in LEVELS {
        let mut fits = all(&have, &wanted, level);
        let places = fits.len();
        if fits.len() > 1 && start.is_some_and(|start| fits.iter().any(|(at, _)| at + 1 == start)) {
            fits.retain(|(at, _)| Some(at + 1) == start);
        }
        match fits.len() {
            0 => {}
            1 => {
                let Some((at, indents)) = fits.pop() else { continue };
                let end = starts.get(at + wanted.len()).copied().unwrap_or(text.len());
                return Ok(Fit { range: starts[at]..end, whole_lines: true, level, places, indents });
            }
            _ => return Err(ambiguous(fits.iter().map(|(at, _)| at + 1))),
        }
    }
    within_a_line(text, search)
}

/// Every place at which the lines fit at this level.
fn all(have: &[&str], wanted: &[&str], level: Level) -> Vec<(usize, Indents)> {
    if wanted.is_empty() || wanted.len() > have.len() {
        return Vec::new();
    }
    let form: fn(&str) -> String = match level {
        Level::Exact => str::to_owned,
        Level::Trailing => |line| line.trim_end().to_owned(),
        Level::Indentation => |line| line.trim().to_owned(),
        Level::Typography => |line| plain(line).trim_end().to_owned(),
        Level::TypographyAndIndentation => |line| plain(line).trim().to_owned(),
    };
    let formed: Vec<String> = have.iter().map(|line| form(line)).collect();
    let sought: Vec<String> = wanted.iter().map(|line| form(line)).collect();
    if level > Level::Trailing && sought.iter().all(String::is_empty) {
        return Vec::new();
    }
    let is_indentation = matches!(level, Level::Indentation | Level::TypographyAndIndentation);
    let windows = formed.windows(sought.len()).enumerate().filter(|(_, window)| *window == sought.as_slice());
    let indents = |at: usize| match is_indentation {
        true => Indents::between(&have[at..at + wanted.len()], wanted),
        false => Some(Indents::default()),
    };
    windows.filter_map(|(at, _)| Some((at, indents(at)?))).collect()
}

/// A line with plain blanks, quotes and dashes in the place of those that look alike.
pub fn plain(line: &str) -> String {
    let plain = |c: char| match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c => c,
    };
    line.chars().filter(|c| *c != '\u{feff}').map(plain).collect()
}

/// A piece of one line, if it stands in one place only. One that came as a line has to begin and end where words do: else it
/// may be meant for another line that is not there.
fn within_a_line(text: &str, search: &str) -> Result<Fit, String> {
    let piece = bare(search);
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let is_apart = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + piece.len()..].chars().next();
        let goes_on_before = is_word(before) && is_word(piece.chars().next());
        let goes_on_after = is_word(after) && is_word(piece.chars().next_back());
        !goes_on_before && !goes_on_after
    };
    let is_piece = !piece.contains('\n') && !piece.trim().is_empty();
    let is_line = piece.len() < search.len();
    let found = || text.match_indices(piece).map(|(at, _)| at);
    let places: Vec<usize> =
        if is_piece { found().filter(|at| !is_line || is_apart(*at)).collect() } else { Vec::new() };
    // What stands within a word too is not plainly the one that is meant.
    let places = if is_piece && is_line && found().count() != places.len() { Vec::new() } else { places };
    match places.as_slice() {
        [] => Err("its search text is not in the file".to_owned()),
        [at] => Ok(Fit {
            range: *at..at + piece.len(),
            whole_lines: false,
            level: Level::Exact,
            places: 1,
            indents: Indents::default(),
        }),
        several => Err(ambiguous(several.iter().map(|at| text[..*at].matches('\n').count() + 1))),
    }
}

fn ambiguous(lines: impl ExactSizeIterator<Item = usize>) -> String {
    let count = lines.len();
    let named: Vec<String> = lines.take(MAX_NAMED).map(|line| line.to_string()).collect();
    let more = if count > MAX_NAMED { " and further ones" } else { "" };
    format!("its search text fits in {count} places: lines {}{more}; add lines around it", named.join(", "))
}
