//! What is around the tags of a template: YAML or JSON. An error only far from tags, which may bring any text.

use std::borrow::Cow;
use std::ops::Range;

use crate::answer::diagnostic::Diagnostic;
use crate::answer::language::Language;
use crate::validate::source::Source;
use crate::validate::syntax::{json, yaml};

/// Words of tags that bring more than a word.
const BRING_LINES: [&str; 14] = [
    "indent",
    "oYaml",
    "oJson",
    "to_yaml",
    "to_nice_yaml",
    "to_json",
    "include",
    "template",
    "tpl",
    "{{-",
    "-}}",
    "{%",
    "<% ",
    "<%-",
];

/// Words that begin the tags which choose or repeat what is around them.
const CHOOSE: [&str; 8] = ["if", "else", "end", "range", "with", "define", "block", "/"];

/// Errors of the text with its tags filled in.
pub fn check(source: &Source, tags: &[Range<usize>]) -> Vec<Diagnostic> {
    // `a.yaml.j2` is YAML.
    let beneath =
        source.path.and_then(|path| path.rsplit_once('.')).and_then(|(stem, _)| Language::from_path(stem));
    let language = beneath.as_ref().map_or(source.language, Language::as_str);
    let judge = match language {
        "yaml" => yaml::check_whole,
        "json" => json::check,
        _ => return Vec::new(),
    };
    let view = source.with(language, filled_in(&source.text, tags));
    let is_near = |told: &Diagnostic| {
        let line = usize::try_from(told.line).unwrap_or(usize::MAX);
        near_lines(&source.text, line).is_none_or(|near| {
            tags.iter()
                .filter(|tag| tag.start < near.end && tag.end > near.start)
                .any(|tag| brings_lines(&source.text, tag))
        })
    };
    let first = judge(&view).into_iter().find(Diagnostic::is_error);
    first.filter(|told| !is_near(told)).into_iter().collect()
}

/// Whether a tag stands alone on its lines, or brings more than a word.
fn brings_lines(text: &str, tag: &Range<usize>) -> bool {
    let written = &text[tag.clone()];
    let word = written.trim_start_matches(['{', '%', '<', '-', '#', ' ']);
    is_alone(text, tag)
        || BRING_LINES.iter().any(|word| written.contains(word))
        || CHOOSE.iter().any(|choose| word.starts_with(choose))
}

/// The bytes of a line and of the last one before it that is not blank; none for a line that is not there.
fn near_lines(text: &str, line: usize) -> Option<Range<usize>> {
    let mut lines: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for part in text.split_inclusive('\n') {
        lines.push(start..start + part.len());
        start += part.len();
    }
    let last = lines.get(line.checked_sub(1)?)?.clone();
    let before = lines[..line - 1].iter().rev().find(|line| !text[(*line).clone()].trim().is_empty());
    Some(before.map_or(last.start, |before| before.start)..last.end)
}

fn is_alone(text: &str, tag: &Range<usize>) -> bool {
    let before = text[..tag.start].rsplit('\n').next().unwrap_or("");
    let after = text[tag.end..].lines().next().unwrap_or("");
    before.trim().is_empty() && after.trim().is_empty()
}

/// The text with a word in place of each tag, and nothing in place of those that stand alone, byte for byte.
fn filled_in(text: &str, tags: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    // The lines of the last tag, and whether they hold nothing else.
    let (mut lines, mut is_only) = (0..0, false);
    for tag in tags {
        if tag.start < lines.start || tag.end > lines.end {
            lines = lines_of(text, tag);
            is_only = is_only_tags(text, &lines, tags);
        }
        let filler = if is_only { b' ' } else { b'x' };
        bytes[tag.clone()]
            .iter_mut()
            .filter(|byte| !matches!(**byte, b'\n' | b'\r'))
            .for_each(|byte| *byte = filler);
    }
    String::from_utf8(bytes).map_or_else(|_| Cow::Borrowed(text), Cow::Owned).into_owned()
}

/// The lines in which a tag stands.
fn lines_of(text: &str, tag: &Range<usize>) -> Range<usize> {
    let start = text[..tag.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[tag.end..].find('\n').map_or(text.len(), |at| tag.end + at);
    start..end
}

/// Whether lines hold nothing but tags.
fn is_only_tags(text: &str, lines: &Range<usize>, tags: &[Range<usize>]) -> bool {
    let (start, end) = (lines.start, lines.end);
    let first = tags.partition_point(|other| other.end <= start);
    let mut at = start;
    for other in tags[first..].iter().take_while(|other| other.start < end) {
        if !text.get(at..other.start).is_none_or(|between| between.trim().is_empty()) {
            return false;
        }
        at = other.end.max(at);
    }
    at >= end || text[at..end].trim().is_empty()
}
