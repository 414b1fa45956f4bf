//! Elision: what a model leaves out on purpose and marks with words or dots, `# ... existing code ...`. A file with such a
//! mark is no whole file. Where what is left out stands in a given file and only there, it is filled in.

mod fill;
mod stand_in;
mod words;

use std::ops::Range;

use crate::answer::language::Language;
pub use fill::filled;

/// A mark that lines were left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its line, from 1.
    pub line: usize,
    /// Its lines, or within a line the comment alone.
    pub range: Range<usize>,
    /// It can mean nothing else.
    pub is_sure: bool,
    /// There are dots in it.
    pub has_dots: bool,
    /// Code stands before it in its line.
    pub is_inline: bool,
    /// Three dots without any sign of a comment.
    pub is_bare: bool,
}

impl Mark {
    /// It may as well mean something else: it counts only where code is missing.
    fn is_hint(&self) -> bool {
        !self.is_sure && !self.has_dots
    }

    /// It is what the language has for a body that is still to be written.
    fn is_stub(&self, language: &str) -> bool {
        self.is_bare && matches!(language, "python" | "typescript" | "tsx")
    }
}

/// Whether a line is a comment and nothing else.
pub fn is_comment(line: &str, language: &str) -> bool {
    words::comment(line, language).is_some()
}

/// The longest comment over several lines that is looked at.
const MAX_LINES: usize = 8;

/// The marks of a text. Lines that the given text has too are none, nor is what stands within a string.
pub fn marks(language: &str, text: &str, given: Option<&str>) -> Vec<Mark> {
    let known =
        |line: &str| given.is_some_and(|given| given.lines().any(|known| known.trim() == line.trim()));
    let mut found = Vec::new();
    let mut start = 0;
    let mut in_fence = false;
    let mut lines = text.split_inclusive('\n').enumerate();
    while let Some((number, line)) = lines.next() {
        in_fence ^= language == "markdown" && line.trim_start().starts_with("```");
        let own = words::mark_in(line.trim_end(), language).map(|mark| (mark, line.len()));
        let over_lines = || {
            let (length, inner) = comment_over_lines(&text[start..])?;
            Some(((0..length, words::of_comment(&inner)?), length))
        };
        let Some(((within, sense), length)) = own.or_else(over_lines) else {
            start += line.len();
            continue;
        };
        let is_inline = !line[..within.start.min(line.len())].trim().is_empty();
        let range = if is_inline { start + within.start..start + within.end } else { start..start + length };
        let is_bare = matches!(line.trim(), "..." | "…");
        if is_bare || !text[start..start + length].lines().all(known) {
            // An example in a document shows a part of something on purpose.
            let (is_sure, has_dots) = (sense.is_sure && !in_fence, sense.has_dots && !in_fence);
            found.push(Mark { line: number + 1, range, is_sure, has_dots, is_inline, is_bare });
        }
        let end = start + length;
        start += line.len();
        while start < end {
            start += lines.next().map_or(end, |(_, line)| line.len());
        }
    }
    if found.is_empty() { found } else { outside_strings(language, text, found) }
}

/// How comments that go over several lines begin and end.
const OVER_LINES: [(&str, &str); 3] = [("/*", "*/"), ("<!--", "-->"), ("{/*", "*/}")];

/// The length of a comment that begins on the first line and ends on a later one, and its words in one line.
fn comment_over_lines(text: &str) -> Option<(usize, String)> {
    let first = text.lines().next()?.trim();
    let (open, close) = OVER_LINES.into_iter().find(|(open, _)| first.starts_with(open))?;
    let mut length = 0;
    for line in text.split_inclusive('\n').take(MAX_LINES) {
        length += line.len();
        if line.trim_end().ends_with(close) {
            let inner = text[..length].trim().strip_prefix(open)?.strip_suffix(close)?;
            let words = inner.lines().map(|line| line.trim().trim_start_matches('*').trim());
            return Some((length, words.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")));
        }
    }
    None
}

/// Those of the marks that are no part of a string.
fn outside_strings(language: &str, text: &str, mut marks: Vec<Mark>) -> Vec<Mark> {
    #[cfg(feature = "syntax")]
    if let Some(tree) = super::tree::parse(language, text) {
        let is_in_string = |mark: &Mark| {
            let at =
                mark.range.start + text[mark.range.clone()].find(|c: char| !c.is_whitespace()).unwrap_or(0);
            let mut node = tree.root_node().descendant_for_byte_range(at, at + 1);
            while let Some(here) = node {
                let kind = here.kind();
                if ["string", "template", "heredoc", "raw_text"].iter().any(|part| kind.contains(part)) {
                    return true;
                }
                node = here.parent();
            }
            false
        };
        marks.retain(|mark| !is_in_string(mark));
    }
    #[cfg(not(feature = "syntax"))]
    let _ = (language, text, &mut marks);
    marks
}

/// The language of a path; of one that is not known its extension.
fn language_of(path: &str) -> String {
    let known = Language::from_path(path).map(|language| language.as_str().to_owned());
    known.unwrap_or_else(|| path.rsplit(['.', '/']).next().unwrap_or(path).to_ascii_lowercase())
}

/// The first mark in a new file that can mean nothing else.
pub fn in_new_file(path: &str, text: &str) -> Option<Mark> {
    marks(&language_of(path), text, None).into_iter().find(|mark| mark.is_sure)
}
