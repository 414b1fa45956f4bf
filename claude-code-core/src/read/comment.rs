//! A name in the first comment of a block.

use super::path::{fits, is_shown};
use crate::answer::language::Language;

/// What may stand before a name.
pub(super) const LABELS: &[&str] =
    &["file path:", "file name:", "filename:", "filepath:", "file:", "path:", "new file:", "code:"];

/// The file that a comment line names: the whole comment must be the name, but for a remark after a dash.
pub(super) fn name(line: &str, language: Option<&Language>) -> Option<String> {
    let kind = language.map_or("", Language::as_str);
    if matches!(kind, "diff" | "patch") {
        return None;
    }
    let line = line.trim();
    let enclosed = |open, close| line.strip_prefix(open).and_then(|l: &str| l.strip_suffix(close));
    let is_markdown = kind == "markdown";
    let text = enclosed("<!--", "-->").or_else(|| {
        let text = enclosed("/*", "*/")
            .or_else(|| line.strip_prefix("//"))
            .or_else(|| line.strip_prefix("--"))
            .or_else(|| line.strip_prefix(';'))
            .or_else(|| line.strip_prefix('#').map(|l| l.trim_start_matches('#')));
        text.filter(|_| !is_markdown)
    })?;
    let text = without_label(text.trim()).trim_matches('`');
    let (word, is_of_language) = match text.split_once(" - ").or_else(|| text.split_once(" — ")) {
        Some((word, _)) => (word, language.is_some() && Language::from_path(word).as_ref() == language),
        None => (text, fits(language, text)),
    };
    (is_of_language && is_shown(word)).then(|| word.to_owned())
}

/// The text after a label such as `File:`.
pub(super) fn without_label(text: &str) -> &str {
    let label =
        LABELS.iter().find(|l| text.get(..l.len()).is_some_and(|start| start.eq_ignore_ascii_case(l)));
    label.map_or(text, |l| text[l.len()..].trim_start())
}
