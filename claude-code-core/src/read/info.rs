//! Language and name in the info string of a fence.

use super::path::{fits, is_shown, is_spaced, is_told};
use crate::answer::language::Language;

/// Attributes that give a name.
const ATTRIBUTES: &[&str] = &["title", "filename", "file_name", "file", "path", "name"];

/// Words of an info string that say nothing of a language.
const PATCH_WORDS: &[&str] = &["diff", "patch", "udiff"];

/// Info string of a fence: language and file name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Info {
    /// The language, if a word of it names one.
    pub language: Option<Language>,
    /// The name that it gives.
    pub name: Option<String>,
    /// The block is a change to the named file, not the file.
    pub is_patch: bool,
}

/// Reads an info string.
pub(super) fn read(info: &str) -> Info {
    let inner = info.strip_prefix('{').and_then(|i| i.strip_suffix('}')).unwrap_or(info).trim();
    let words: Vec<&str> = inner.split_whitespace().take(4).collect();
    let first = words.first().map_or("", |w| w.trim_start_matches('.'));
    let (word, told) = split_word(words.first().copied().unwrap_or(""), first);
    let language = told
        .and_then(Language::from_path)
        .or_else(|| Language::new(word).ok().filter(|_| told != Some(word)));
    let name = attribute(inner).or(told).or_else(|| later_word(&words, language.as_ref()));
    let name = name.or_else(|| later_words(inner, language.as_ref()));
    let is_patch = PATCH_WORDS.contains(&word.to_ascii_lowercase().as_str());
    Info { language, name: name.map(str::to_owned), is_patch }
}

/// The language word and the name in `python:app.py`, `src/app.py` or `python`.
fn split_word<'a>(whole: &'a str, word: &'a str) -> (&'a str, Option<&'a str>) {
    if let Some((language, path)) = word.split_once(':') {
        let is_drive = language.len() == 1 && path.starts_with(['/', '\\']);
        if is_drive {
            return (word, Some(word));
        }
        if language.starts_with(|c: char| c.is_ascii_alphabetic()) && is_told(path) {
            return (language, Some(path));
        }
    }
    let is_path = whole.contains(['.', '/']) && is_shown(whole) && Language::known(whole).is_none();
    (word, is_path.then_some(whole))
}

/// Whether a word that was given as a name can be one.
pub(super) fn is_name(word: &str) -> bool {
    is_told(word) && !word.contains(' ')
}

/// The name in `title="app.py"` and the like.
pub(super) fn attribute(info: &str) -> Option<&str> {
    if !info.contains('=') {
        return None;
    }
    ATTRIBUTES.iter().find_map(|key| {
        let (at, _) = info.match_indices(key).find(|(at, _)| {
            let before = info[..*at].chars().next_back();
            before.is_none_or(|c| c.is_whitespace() || ",{".contains(c))
                && info[at + key.len()..].starts_with('=')
        })?;
        let value = &info[at + key.len() + 1..];
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = match quote {
            Some(quote) => value[1..].split(quote).next()?,
            None => value.split([' ', '\t', ',', '}']).next()?,
        };
        is_told(value).then_some(value)
    })
}

/// `python app.py` and `js // src/x.js`; more words are prose or a command.
fn later_word<'a>(words: &[&'a str], language: Option<&Language>) -> Option<&'a str> {
    let word = match words {
        [_, word] | [_, "#" | "//" | "-" | "--" | "|", word] => word.trim_matches(['(', ')', '`']),
        _ => return None,
    };
    (is_shown(word) && fits(language, word)).then_some(word)
}

/// `markdown user guide.md`: a name with blanks, of that language.
fn later_words<'a>(info: &'a str, language: Option<&Language>) -> Option<&'a str> {
    let name = info.split_once(' ')?.1.trim();
    let is_command = language.is_some_and(|language| language.as_str() == "bash");
    (!is_command && language.is_some() && Language::from_path(name).as_ref() == language && is_spaced(name))
        .then_some(name)
}
