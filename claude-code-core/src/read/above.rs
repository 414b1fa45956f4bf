//! A name in the line above a fence: a heading, bold, backticks, or the bare name.

use super::comment::without_label;
use super::cursor::is_blank;
use super::info;
use super::path::{fits, is_shown, is_spaced};
use crate::answer::language::Language;

/// Longer lines are prose; they are not kept.
const MAX_LINE: usize = 400;

/// Words of a sentence that shows a part of a file, a change to it or its use, rather than the whole.
const PARTS: &str = "
    modify change add edit fix method function class section part block snippet run command likely line
    lines test use open import within output example
";

/// How a sentence that hands over a whole file begins.
const HANDING_OVER: &[&str] = &[
    "here is",
    "here's",
    "and here is",
    "and here's",
    "create",
    "now create",
    "then create",
    "save",
    "this is",
    "contents of",
    "content of",
    "next,",
    "first,",
];

/// The last text lines before a fence.
#[derive(Clone, Debug, Default)]
pub(super) struct Above {
    line: String,
    before: String,
    blank_lines: usize,
}

impl Above {
    /// Takes a text line.
    pub fn push(&mut self, line: &str) {
        if is_blank(line) {
            self.blank_lines += 1;
            return;
        }
        std::mem::swap(&mut self.line, &mut self.before);
        self.line.clear();
        self.line.push_str(if line.len() <= MAX_LINE { line.trim() } else { "" });
        self.blank_lines = 0;
    }

    /// Takes so many blank lines.
    pub fn push_blank(&mut self, lines: usize) {
        self.blank_lines += lines;
    }

    /// Nothing stands above any more: a block ended.
    pub fn clear(&mut self) {
        self.line.clear();
        self.before.clear();
    }

    /// The name for a search/replace edit; a lone tag such as `<source>` may stand between.
    pub fn edit_name(&self) -> Option<String> {
        let line = if self.line.starts_with('<') { &self.before } else { &self.line };
        let spaced = || Some(unwrap(line)).filter(|name| is_spaced(name));
        name_of(line).or_else(|| instructed(line)).or_else(spaced).map(str::to_owned)
    }

    /// The name for a block of this language that begins on the next line.
    pub fn name(&self, language: Option<&Language>) -> Option<String> {
        if self.blank_lines > 1 || self.line.is_empty() {
            return None;
        }
        let (text, listed) = without_list_mark(&self.line);
        if listed && self.blank_lines > 0 && without_list_mark(&self.before).1 {
            return None;
        }
        let is_plain = listed && !text.starts_with(['*', '`', '_']) && !text.contains(' ');
        if is_plain && (self.blank_lines > 0 || without_list_mark(&self.before).1) {
            return None;
        }
        let whole = name_of(text).or_else(|| handed_over(text)).or_else(|| instructed(&self.line));
        let whole = whole.filter(|n| fits(language, n));
        let name = whole.or_else(|| in_parentheses(text).filter(|n| is_of(language, n)))?;
        Some(name.to_owned())
    }
}

/// The file that a line names, if naming it is all that the line does.
pub(super) fn name_of(line: &str) -> Option<&str> {
    let line = line.trim();
    let heading = line.trim_start_matches('#');
    let is_heading = heading.len() < line.len() && heading.starts_with([' ', '\t']);
    let text = if is_heading { heading.trim().trim_end_matches('#') } else { line };
    let text = without_list_mark(without_symbols(text)).0;
    let text = without_label(without_symbols(text));
    let is_marked = is_heading || text.starts_with(['*', '`']);
    let word = unwrap(text);
    if is_shown(word) || (is_span(text) && is_spaced(word)) {
        return Some(word);
    }
    if let Some(tag) = line.strip_prefix('<').and_then(|l| l.strip_suffix('>')) {
        return info::attribute(tag);
    }
    if !is_marked {
        return None;
    }
    let labelled = word.rsplit_once(": ").map(|(_, word)| unwrap(word));
    labelled.filter(|w| is_shown(w)).or_else(|| before_remark(text))
}

/// Whether bold or backticks stand around all of a text.
fn is_span(text: &str) -> bool {
    let text = text.trim().trim_end_matches(':');
    ["**", "`"].iter().any(|mark| {
        let inner = text.strip_prefix(mark).and_then(|text| text.strip_suffix(mark));
        inner.is_some_and(|inner| !inner.trim_matches(['`', ':']).contains(mark))
    })
}

/// `1. Create `app.py``, `### Step 2: Update `app.py``: a numbered item or heading that says what becomes of a file.
fn instructed(line: &str) -> Option<&str> {
    let heading = line.trim_start_matches('#');
    let (text, is_listed) = without_list_mark(heading.trim_start());
    if heading.len() == line.len() && !is_listed && !line.starts_with("**") {
        return None;
    }
    let text = text.trim_matches(|c| c == '*' || c == ':' || c == ' ');
    let mut spans = text.split('`');
    let (before, word, after) = (spans.next()?, spans.next()?, spans.next()?);
    let before = before.rsplit([':', '.', ')', '–', '—', '-']).next().unwrap_or(before).trim();
    let words: Vec<&str> = before.split(' ').filter(|word| !word.is_empty()).collect();
    let acts_on_it = words.len() <= 2 && words.iter().all(|word| !is_beside(word));
    let ends = matches!(after.trim(), "" | ":" | "file" | "file:") || after.trim_start().starts_with('(');
    let is_name = is_shown(word) || is_spaced(word);
    (spans.next().is_none() && acts_on_it && ends && is_name).then_some(word)
}

/// Words before a name after which it is not the file itself that follows.
fn is_beside(word: &str) -> bool {
    const BESIDE: &str = "
        in to into of from with for on at by via using run running execute start test open see view call import
        install use line lines function method class section part snippet command output example usage
    ";
    let word = word.to_ascii_lowercase();
    BESIDE.split_ascii_whitespace().any(|beside| beside == word)
}

/// `` `app.py` - the service `` and `` `app.py` (new) ``.
fn before_remark(text: &str) -> Option<&str> {
    let (first, rest) = text.split_once(char::is_whitespace)?;
    let is_remark = rest.trim_start().starts_with(['-', '–', '—', '(', ':', '←']);
    let word = unwrap(first);
    (is_remark && is_shown(word)).then_some(word)
}

/// A heading or bold line such as `` ## Usage (`main.go`) ``.
fn in_parentheses(line: &str) -> Option<&str> {
    let text = line.trim_end_matches([':', '*', ' ']);
    let word = text.strip_prefix(['#', '*']).and(text.strip_suffix(')'))?.rsplit('(').next()?;
    let word = word.trim_matches('`');
    is_shown(word).then_some(word)
}

/// Whether a fence of this language can be that very file; one without a language holds data rather than
/// code.
fn is_of(language: Option<&Language>, path: &str) -> bool {
    let file = Language::from_path(path);
    let is_data =
        file.as_ref().is_none_or(|f| matches!(f.as_str(), "text" | "ini" | "yaml" | "toml" | "json"));
    match language.filter(|l| l.as_str() != "text") {
        Some(_) => file.as_ref() == language,
        None => is_data,
    }
}

/// `Here is `app.py`:`, where the name ends the sentence and nothing speaks of a part.
fn handed_over(line: &str) -> Option<&str> {
    let text = line.strip_suffix(':')?;
    let lower = text.to_ascii_lowercase();
    if !HANDING_OVER.iter().any(|start| lower.starts_with(start)) {
        return None;
    }
    let mut spans = text.split('`');
    let (before, word, after) = (spans.next()?, spans.next()?, spans.next()?);
    let speaks_of_part = before
        .to_ascii_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| PARTS.split_ascii_whitespace().any(|part| part == word));
    let after = after.trim();
    let ends = matches!(after, "" | "file" | "now" | "again") || before.trim_end().ends_with("version of");
    (spans.next().is_none() && ends && !speaks_of_part && is_shown(word)).then_some(word)
}

/// Takes off bold, backticks, quotes and colons, in any order.
fn unwrap(mut text: &str) -> &str {
    for _ in 0..4 {
        text = text.trim().trim_end_matches(':');
        for mark in ["**", "__", "`", "*", "\"", "'"] {
            if let Some(inner) = text.strip_prefix(mark).and_then(|t| t.strip_suffix(mark)) {
                text = inner;
            }
        }
        text = without_label(text);
    }
    text
}

/// The text after `1. `, `2) `, `- ` or `* `, and whether there was such a mark.
fn without_list_mark(text: &str) -> (&str, bool) {
    let digits = text.bytes().take(3).take_while(u8::is_ascii_digit).count();
    let rest = match text.as_bytes().get(digits) {
        Some(b'.' | b')') if digits > 0 => &text[digits + 1..],
        Some(b'-' | b'*' | b'+') if digits == 0 => &text[1..],
        _ => return (text, false),
    };
    if rest.starts_with(' ') { (rest.trim_start(), true) } else { (text, false) }
}

/// Takes off emoji before the text; not the lines of a drawn tree.
fn without_symbols(text: &str) -> &str {
    let is_emoji = |c: char| {
        let code = u32::from(c);
        matches!(code, 0x200D | 0xFE0F | 0x2190..0x2200 | 0x2600..0x27C0 | 0x2B00..0x2C00 | 0x1F000..0x1FB00)
    };
    text.trim_start_matches(is_emoji).trim_start()
}
