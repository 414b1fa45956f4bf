//! Lost lines: of a file whose definitions are not known by a tree, and of what stands between definitions.

use std::collections::HashSet;
use std::ops::Range;

use super::super::definitions::{definitions, items};
use super::super::elision::is_comment;
use super::super::hunks::{Hunk, Hunks, says, words};
use super::{answer_language, is_prose, last as last_part, names};
use crate::answer::file::CodeFile;
use crate::request::SourceFile;

/// So many lines that go, with nothing in their place, are a loss.
const MANY: usize = 3;
/// So few are one in a short file, and at the end of a file with something in their place.
const FEW: usize = 2;
/// How lines begin that bring in names: who needs them no longer leaves them out.
const IMPORTS: [&str; 10] = [
    "import ", "from ", "use ", "using ", "#include", "require", "package ", "const {", "@import", "include ",
];

/// Short words that every instruction may have.
const COMMON: [&str; 22] = [
    "the", "and", "for", "one", "all", "not", "use", "add", "new", "file", "line", "lines", "code", "this",
    "that", "with", "from", "into", "make", "change", "has", "are",
];

/// What of the given file is in none of the answer's files, and has nothing in its place; none if that is little. Lines
/// within definitions do not count, for those are looked for by their names.
pub(super) fn gone(given: &SourceFile, file: &CodeFile, files: &[CodeFile], asked: &str) -> Option<String> {
    let language = answer_language(file, given);
    let hunks = Hunks::new(&given.content, &file.content);
    let is_prose = is_prose(&given.path);
    let counts = countable(&language, &given.content, is_prose, asked);
    let elsewhere: HashSet<&str> =
        files.iter().flat_map(|file| file.content.lines()).map(str::trim).collect();
    let total = (0..hunks.old.len()).filter(|at| counts[*at] && says(hunks.old[*at])).count();
    let (is_cut, is_parsed) = (is_cut(&hunks), items(&language, &given.content).is_some());
    for hunk in hunks.merged() {
        let is_at_end = !hunks.old[hunk.old.end..].iter().any(|line| says(line));
        let brought: HashSet<&str> = hunks.brought(&hunk).flat_map(|at| words(hunks.new[at])).collect();
        let is_gone = |at: &usize| {
            let line = hunks.old[*at];
            counts[*at] && !elsewhere.contains(line) && !is_rewritten(line, &brought)
        };
        let (unlike, others) = hunks.unlike(&hunk);
        let gone: Vec<usize> = unlike.into_iter().filter(is_gone).collect();
        let (Some(first), Some(last)) = (gone.first(), gone.last()) else { continue };
        // Statements are often written in fewer; keys and rules of a configuration are not.
        let new = if is_parsed { hunks.brought(&hunk).count() } else { others };
        let is_replaced = new * 2 >= gone.len();
        // A file that only ends sooner is cut, be it by one line.
        let ends_sooner = is_at_end && hunks.brought(&hunk).next().is_none();
        let is_much = match is_prose {
            true => is_at_end && gone.len() >= FEW,
            false => {
                gone.len() >= MANY
                    || ends_sooner
                    || (is_at_end && is_cut)
                    || (gone.len() >= FEW && (is_at_end || gone.len() * 4 >= total))
            }
        };
        if is_much && !is_replaced && !is_asked_for(asked, &hunks, &hunk, &gone) {
            return Some(format!(
                "lost: lines {} to {} of the given file, and nothing is in their place: write the whole file",
                first + 1,
                last + 1
            ));
        }
    }
    // The last line alone may only close what is open: then it is a loss if the given file closed it.
    let is_open = |text: &str| unclosed(text) > 0;
    (is_cut && !is_parsed && !is_prose && is_open(&file.content) && !is_open(&given.content)).then(|| {
        "lost: the end of the given file, so that a bracket stays open: write the whole file".to_owned()
    })
}

/// How many more brackets a text opens than it closes.
fn unclosed(text: &str) -> i64 {
    text.chars().fold(0, |open, c| match c {
        '(' | '[' | '{' => open + 1,
        ')' | ']' | '}' => open - 1,
        _ => open,
    })
}

/// Whether the last line, which only closes something, is missing at the end.
fn is_cut(hunks: &Hunks<'_>) -> bool {
    let last =
        |lines: &[&str]| lines.iter().rev().find(|line| !line.is_empty()).map(|line| (*line).to_owned());
    let closes = |line: &String| !says(line) || matches!(line.as_str(), "end" | "fi" | "done" | "esac");
    last(&hunks.old).is_some_and(|line| closes(&line) && last(&hunks.new).as_ref() != Some(&line))
}

/// Which lines of a text count: code that is part of no definition, as far as a tree tells which those are, and of none that
/// the instructions name; no comments and imports.
fn countable(language: &str, text: &str, is_prose: bool, asked: &str) -> Vec<bool> {
    let items = items(language, text);
    let is_parsed = items.is_some();
    let of_items = items.into_iter().flatten();
    let known: Vec<Range<usize>> =
        of_items.filter(|item| !item.names.is_empty() || item.is_comment).map(|item| item.range).collect();
    let named = definitions(language, text).into_iter().filter(|one| names(asked, last_part(&one.own)));
    let named: Vec<Range<usize>> = named.map(|one| one.core).collect();
    let mut at = 0;
    let mut in_conflict = false;
    let mut counts = Vec::new();
    for line in text.split_inclusive('\n') {
        let start = at + (line.len() - line.trim_start().len());
        let is_in = |ranges: &[Range<usize>]| ranges.iter().any(|range| range.contains(&start));
        let is_import = is_parsed && IMPORTS.iter().any(|begin| line.trim_start().starts_with(begin));
        let is_remark = !is_prose && is_comment(line.trim(), language);
        // One side of a conflict of Git goes when it is resolved.
        in_conflict |= line.starts_with("<<<<<<< ");
        let was_in_conflict = in_conflict;
        in_conflict &= !line.starts_with(">>>>>>> ");
        counts.push(!was_in_conflict && !is_import && !is_remark && !is_in(&known) && !is_in(&named));
        at += line.len();
    }
    counts
}

/// Whether most words of a line are among those that came in its place.
fn is_rewritten(line: &str, brought: &HashSet<&str>) -> bool {
    let (found, all) =
        words(line).fold((0, 0), |(found, all), word| (found + usize::from(brought.contains(word)), all + 1));
    found * 5 >= all * 3
}

/// Whether the instructions have a word that stands in the lines that go and in no line that stays.
fn is_asked_for(asked: &str, hunks: &Hunks<'_>, hunk: &Hunk, gone: &[usize]) -> bool {
    let folded = |lines: &mut dyn Iterator<Item = usize>| -> HashSet<String> {
        lines.flat_map(|at| words(hunks.old[at])).map(fold).collect()
    };
    let of_gone = folded(&mut gone.iter().copied());
    let of_rest = folded(&mut (0..hunks.old.len()).filter(|at| !hunk.old.contains(at)));
    words(asked).any(|word| {
        let is_name = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
        let is_word = word.chars().count() > 2 && word.chars().any(char::is_alphabetic);
        let folded = fold(word);
        (is_name || is_word)
            && !COMMON.contains(&folded.as_str())
            && of_gone.contains(&folded)
            && !of_rest.contains(&folded)
    })
}

/// A word in small letters; a name of one letter stays as it is.
fn fold(word: &str) -> String {
    if word.chars().count() == 1 { word.to_owned() } else { word.to_lowercase() }
}
