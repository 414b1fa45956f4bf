//! Prompt normalisation: prose without code, quotes, file names and identifiers, which say nothing about how hard a
//! task is.

use crate::answer::language::Language;

/// Characters of a prompt that are looked at: a task is said at its beginning or its end, the rest is material.
const HEAD: usize = 3_000;
const TAIL: usize = 1_000;

/// Words of a prompt that count for the tier.
pub(super) struct Prose {
    /// Lower case, single spaces between words and at both ends.
    pub(super) text: String,
    /// Parts of at least three words between punctuation: about one for each thing that is asked.
    pub(super) clauses: usize,
    /// Shorter parts: items of a list.
    pub(super) items: usize,
    /// Words; of scripts without spaces, characters halved.
    pub(super) words: usize,
    /// Lines of code pasted into the prompt.
    pub(super) pasted_lines: u32,
    /// The largest number of lines of code that the prompt names, such as "5,200 lines".
    pub(super) named_lines: u32,
    /// Whether a path of an HTTP API is named, such as "GET /orders".
    pub(super) names_route: bool,
}

/// Reads a prompt.
pub(super) fn prose(prompt: &str) -> Prose {
    let (plain, pasted_lines) = without_fences(&clipped(prompt));
    let unquoted = without_quotes(&plain);
    let parts: Vec<(&str, usize)> =
        unquoted.split(ends_clause).map(|part| (part, word_count(part))).collect();
    Prose {
        text: normalised(&without_names(&without_waived(&unquoted, &parts))),
        clauses: parts.iter().filter(|(_, words)| *words >= 3).count(),
        items: parts.iter().filter(|(_, words)| (1..3).contains(words)).count(),
        words: word_count(&unquoted),
        pasted_lines,
        named_lines: named_lines(&plain),
        names_route: names_route(&plain),
    }
}

/// The parts of a text without those that say what is not wanted. Most texts say nothing of the kind: that is found
/// out first, and at once.
fn without_waived(text: &str, parts: &[(&str, usize)]) -> String {
    let some_are = is_waived(text);
    let kept = parts.iter().map(|(part, _)| *part).filter(|part| !some_are || !is_waived(part));
    kept.collect::<Vec<_>>().join(" , ")
}

/// The beginning and the end of a long prompt.
fn clipped(prompt: &str) -> String {
    let count = prompt.chars().count();
    if count <= HEAD + TAIL {
        return prompt.to_owned();
    }
    prompt.chars().take(HEAD).chain("\n".chars()).chain(prompt.chars().skip(count - TAIL)).collect()
}

/// Cuts fenced blocks out and counts their lines.
fn without_fences(prompt: &str) -> (String, u32) {
    let (mut plain, mut lines, mut inside) = (String::with_capacity(prompt.len()), 0, false);
    for line in prompt.lines() {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        match (fence, inside) {
            (true, _) => inside = !inside,
            (false, true) => lines += 1,
            (false, false) => {
                plain.push_str(line);
                plain.push('\n');
            }
        }
    }
    (plain, lines)
}

/// Cuts what stands in quotes or backticks on one line, up to 80 characters: names and values, not the task.
fn without_quotes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let free = plain.chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        let close = match c {
            '`' | '"' => Some(c),
            '\'' if free => Some('\''),
            '“' | '„' => Some('”'),
            '«' => Some('»'),
            _ => None,
        };
        let end = close
            .and_then(|close| after.find(close))
            .filter(|end| *end <= 80 && !after[..*end].contains('\n'));
        match end {
            Some(end) => {
                plain.push_str(" x ");
                rest = after[end..].chars().next().map_or("", |close| &after[end + close.len_utf8()..]);
            }
            None => {
                plain.push(c);
                rest = after;
            }
        }
    }
    plain
}

/// Whether a part of a sentence says that something is not wanted: "no need to be thread safe".
fn is_waived(part: &str) -> bool {
    let part = part.to_lowercase().replace('’', "'");
    WAIVERS.iter().any(|waiver| part.contains(waiver))
}

/// Words for what is not wanted, in the languages that prompts mostly come in.
const WAIVERS: &[&str] = &[
    " is fine",
    " are fine",
    "is enough",
    "no need",
    "needn't",
    "not needed",
    "not necessary",
    "not required",
    "don't need",
    "doesn't need",
    "does not need",
    "don't worry",
    "doesn't have to",
    "does not have to",
    "nicht nötig",
    "muss nicht",
    "reicht",
    "no hace falta",
    "no es necesario",
    "pas besoin",
    "n'a pas besoin",
    "não precisa",
    "不需要",
    "不用",
    "必要ない",
    "不要です",
    "필요 없",
    "не нужн",
];

/// Words after which a name stands, and with a capital letter only a name.
const NAMED: &[&str] =
    &["class", "struct", "enum", "interface", "type", "method", "klasse", "clase", "classe"];
const NAMED_ANYHOW: &[&str] =
    &["table", "column", "field", "constant", "variable", "named", "called", "tabelle", "spalte"];

/// Cuts out file names, names in code, and the name after "class" or "table".
fn without_names(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let within = |names: &[&str], word: &str| names.iter().any(|name| name.eq_ignore_ascii_case(word));
    let named = |at: usize| {
        let before = at.checked_sub(1).map_or("", |at| words[at]);
        let capital = words[at].starts_with(char::is_uppercase);
        within(NAMED_ANYHOW, before) || (capital && within(NAMED, before))
    };
    let kept = (0..words.len()).filter(|at| !is_identifier(words[*at]) && !named(*at)).map(|at| words[at]);
    kept.collect::<Vec<_>>().join(" ")
}

/// Whether a word is a file name, a call, or a name in code: `kalman.py`, `max(xs)`, `km_per_h`, `useCart`.
fn is_identifier(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != ')' && c != '}');
    let inner_upper = word.starts_with(|c: char| c.is_ascii_lowercase())
        && word
            .chars()
            .zip(word.chars().skip(1))
            .any(|(a, b)| a.is_ascii_lowercase() && b.is_ascii_uppercase());
    let file = word.rsplit_once('.').is_some_and(|(stem, extension)| {
        stem.len() > 1
            && !FRAMEWORKS.contains(&stem.to_lowercase().as_str())
            && Language::known(extension).is_some()
    });
    let name = word.contains('_') && !word.starts_with("no_") && !word.starts_with("io_");
    let call = word.find(['(', '{', '[']).is_some_and(|at| at > 0);
    inner_upper || file || name || call
}

/// Names that end like a JavaScript file.
const FRAMEWORKS: &[&str] =
    &["node", "next", "vue", "nuxt", "nest", "express", "react", "three", "d3", "chart", "alpine"];

/// Lower case; letters, digits and `+ # / '` stay, everything else is a space.
fn normalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '’' => out.push('\''),
            c if c.is_alphanumeric() || "+#/'".contains(c) => out.push(c),
            _ if !out.ends_with(' ') => out.push(' '),
            _ => {}
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// Punctuation that ends a part of a sentence, in any script. Points inside numbers and names are told apart by
/// the three-word rule.
fn ends_clause(c: char) -> bool {
    matches!(
        c,
        '.' | ',' | ';' | ':' | '!' | '?' | '\n' | '、' | '，' | '。' | '；' | '：' | '（' | '）' | '(' | ')'
    )
}

/// Scripts that write without spaces.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x2E80..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0xFF66..=0xFF9D)
}

fn word_count(text: &str) -> usize {
    let (mut spaced, mut unspaced, mut in_word) = (0, 0, false);
    for c in text.chars() {
        if is_unspaced(c) {
            (unspaced, in_word) = (unspaced + 1, false);
        } else if c.is_whitespace() {
            in_word = false;
        } else if !in_word && c.is_alphanumeric() {
            (spaced, in_word) = (spaced + 1, true);
        }
    }
    spaced + unspaced / 2
}

/// Words for a line of code.
const LINES: &[&str] =
    &["line", "loc", "zeilen", "línea", "linea", "ligne", "linha", "righe", "行", "строк", "줄"];

/// The largest number before a word for lines: 7500 in "7,500 lines of C#", 300000 in "300k LOC".
fn named_lines(text: &str) -> u32 {
    if !text.bytes().any(|b| b.is_ascii_digit()) {
        return 0;
    }
    let spaced = text.to_lowercase().replace('行', " 行");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let number = |word: &str| {
        let word = word.trim_start_matches(['(', '~']);
        let (digits, thousand) = word.strip_suffix('k').map_or((word, 1), |digits| (digits, 1_000));
        let plain: String = digits.chars().filter(|c| !matches!(c, ',' | '.' | '\'')).collect();
        plain.parse::<u32>().ok().and_then(|n| n.checked_mul(thousand))
    };
    let named = words.windows(2).filter(|pair| LINES.iter().any(|line| pair[1].starts_with(line)));
    named.filter_map(|pair| number(pair[0])).max().unwrap_or(0)
}

/// Whether a method stands before a path.
fn names_route(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let method = |word: &str| matches!(word, "GET" | "POST" | "PUT" | "PATCH" | "DELETE");
    words.windows(2).any(|pair| method(pair[0]) && pair[1].starts_with('/'))
}
