//! Elision: what a model leaves out on purpose and marks with words or dots, `# ... existing code ...`. A file with such a
//! mark is no whole file. Where what is left out stands in a given file and only there, it is filled in.

mod fill;
mod words;

use std::ops::Range;

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
}

/// The marks of a text. Lines that the given text has too are none, nor is what stands within a string.
pub fn marks(language: &str, text: &str, given: Option<&str>) -> Vec<Mark> {
    let known =
        |line: &str| given.is_some_and(|given| given.lines().any(|known| known.trim() == line.trim()));
    let mut found = Vec::new();
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if let Some((within, sense)) = words::mark_in(line.trim_end(), language) {
            let is_inline = !line[..within.start].trim().is_empty();
            let range =
                if is_inline { start + within.start..start + within.end } else { start..start + line.len() };
            let is_plain_dots = line.trim() == "...";
            if is_plain_dots || !known(line) {
                let (is_sure, has_dots) = (sense.is_sure, sense.has_dots);
                found.push(Mark { line: number + 1, range, is_sure, has_dots, is_inline });
            }
        }
        start += line.len();
    }
    if found.is_empty() { found } else { outside_strings(language, text, found) }
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

/// The first mark in a new file that can mean nothing else.
pub fn in_new_file(language: &str, text: &str) -> Option<Mark> {
    marks(language, text, None).into_iter().find(|mark| mark.is_sure)
}
