//! Preface of a continuation: what a model says before it goes on.

/// Longer lines are text of the answer.
const MAX_WORDS: usize = 25;

/// What stands in code and hardly ever in such a sentence.
const CODE: [char; 10] = ['=', ';', '{', '}', '<', '>', '|', '[', ']', '\t'];

/// How an announcement begins, in lower case.
const OPENINGS: [&str; 32] = [
    "sure",
    "certainly",
    "of course",
    "ok",
    "okay",
    "absolutely",
    "understood",
    "got it",
    "right",
    "yes",
    "no problem",
    "great",
    "apologies",
    "sorry",
    "i apologi",
    "continu",
    "resuming",
    "picking up",
    "here",
    "the rest",
    "the remain",
    "rest of",
    "let me",
    "i'll",
    "i will",
    "my previous",
    "i cannot",
    "i can't",
    "i'm ",
    "i am ",
    "unfortunately",
    "as requested",
];

/// Openings that announce something all alone.
const INTERJECTIONS: usize = 14;

/// What an announcement is about, in lower case.
const SUBJECTS: [&str; 8] =
    ["continu", "remain", "resum", "left off", "cut off", "picking up", "the rest of", "stopped"];

/// A line that may stand between the start of a continuation and the line that it goes on from: blank, a fence, a rule,
/// a heading, a sentence. It is dropped only where that line follows.
pub(super) fn is_preface(line: &str) -> bool {
    let text = line.trim();
    if text.is_empty() || is_fence(line) || is_rule(text) || is_announcement(line) {
        return true;
    }
    let is_open = text.starts_with(|c: char| c.is_uppercase() || "#*_>`(".contains(c));
    let ends = text.ends_with([':', '.', '!', '…', '*', ')', '`', '?']) || text.starts_with('#');
    is_open && ends && is_prose(line)
}

/// A preface that cannot be text of a file: nothing, a fence, an announcement.
pub(super) fn is_sure(line: &str) -> bool {
    line.trim().is_empty() || is_fence(line) || is_announcement(line)
}

/// A line that only announces the continuation.
pub(super) fn is_announcement(line: &str) -> bool {
    if line.contains("(continued)") {
        return is_prose(line);
    }
    let text = line.trim().trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace('’', "'");
    let Some(opening) = OPENINGS.iter().position(|opening| text.starts_with(opening)) else { return false };
    let ends_alike = |subject: &str| text.ends_with(subject.trim_end_matches(" of"));
    let has_subject = SUBJECTS.iter().any(|subject| text.contains(subject) || ends_alike(subject));
    let is_alone = opening < INTERJECTIONS && text == OPENINGS[opening];
    is_prose(line) && (has_subject || is_alone)
}

/// A fence line, opening or closing.
pub(super) fn is_fence(line: &str) -> bool {
    let text = line.trim_start();
    text.starts_with("```") || text.starts_with("~~~")
}

/// A fence that opens a block: something stands behind its marks.
pub(super) fn opens(line: &str) -> bool {
    is_fence(line) && line.contains(char::is_alphanumeric)
}

/// One of our own lines around a file.
pub(super) fn is_sentinel(line: &str) -> bool {
    let starts = line.starts_with("=== file ") || line.starts_with("=== end ");
    starts && line.trim_end().ends_with(" ===") && line.contains(": ")
}

/// The marker that begins this file, whatever nonce the model gives it.
pub(super) fn is_marker_of(line: &str, path: &str) -> bool {
    let inner = line.trim_end().strip_prefix("=== file ").and_then(|rest| rest.strip_suffix(" ==="));
    let named = inner.and_then(|inner| inner.split_once(": ")).map(|(_, named)| named.trim());
    named.is_some_and(|named| named == path || named.strip_prefix(path).is_some_and(is_continued))
}

/// A heading or fence that names this file and says nothing else: `### a.py (continued)`, `` `src/a.py`: ``.
pub(super) fn names(line: &str, path: &str) -> bool {
    let text = line.trim();
    let is_marked = text.starts_with(['#', '*', '`', '~', '_'])
        || text.ends_with(':')
        || text.split_once(':').is_some_and(|(label, _)| is_label(label));
    let bare = text.trim_matches(|c: char| "#*`~_: ".contains(c));
    let own = path.rsplit('/').next().unwrap_or(path);
    let words = |name: &str| {
        let at = bare.find(name)?;
        Some((bare[..at].trim(), bare[at + name.len()..].trim_matches(|c: char| "#*`~_: ".contains(c))))
    };
    let Some((before, after)) = words(path).or_else(|| words(own)) else { return false };
    let language =
        !before.contains(' ') && before.chars().all(|c| c.is_alphanumeric() || "+#:=\"".contains(c));
    let before_fits = before.is_empty() || (is_fence(line) && language) || is_label(before);
    is_marked && before_fits && (after.is_empty() || is_continued(after))
}

fn is_label(text: &str) -> bool {
    let text = text.trim_matches(|c: char| "#*`~_: ".contains(c)).to_ascii_lowercase();
    matches!(
        text.as_str(),
        "file"
            | "path"
            | "filename"
            | "continuing"
            | "continued"
            | "continuation of"
            | "rest of"
            | "the rest of"
    )
}

fn is_continued(text: &str) -> bool {
    let text = text.trim_matches(|c: char| "()[] -–—,.".contains(c)).to_ascii_lowercase();
    ["continu", "cont", "part ", "rest", "resum"].iter().any(|word| text.starts_with(word)) && text.len() < 40
}

fn is_rule(text: &str) -> bool {
    text.len() >= 3 && ["-", "*", "_"].iter().any(|mark| text.replace(mark, "").trim().is_empty())
}

fn is_prose(line: &str) -> bool {
    !line.starts_with([' ', '\t']) && !line.contains(CODE) && line.split_whitespace().count() <= MAX_WORDS
}
