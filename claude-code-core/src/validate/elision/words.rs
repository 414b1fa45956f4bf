//! The words by which a model says that it left something out.

use std::ops::Range;

/// What a mark says. Neither sure nor with dots: words that may mean something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sense {
    pub is_sure: bool,
    pub has_dots: bool,
}

/// Words that say so.
const KEYS: &str = "
    existing unchanged rest remaining remainder remains remain omitted omit elided truncated snip snipped unmodified same brevity
    abbreviated skipped before previous previously original untouched identical
";

/// Keys that say so without dots, too.
const STRONG: &str = "unchanged omitted elided brevity unmodified snipped untouched truncated";

/// Keys that say so without dots beside a word for code.
const WITH_CODE: &str = "existing rest remaining remainder";
const CODE: &str = "
    code file implementation class classes function functions method methods script program component module body definitions
    imports handlers routes logic content document page
";

/// Words that hint at it where code is missing.
const HINTS: &str = "etc else others changes changed keep kept continues continue elsewhere already";

/// Words that stand beside them.
const BESIDE: &str = "
    code of the your file files implementation implementations class classes function functions method methods script program
    component components module body definition definitions import imports handler handlers route routes logic is are as it
    they stays stay keep keeps kept leave left in this that these those here above below for and other others all any with
    from to be will goes go continues continue everything else no not changes change changed lines line content contents part
    parts section sections block blocks test tests case cases type types field fields property properties style styles rule
    rules config configuration setup stuff etc shown show see additional more endpoint endpoints service services model models
    helper helpers util utils state hooks props render jsx html css markup was were already my our its exactly remains
    constants variables statements document page text code's todo note so on on-going elements element attributes tags columns
    column tables table queries query targets target keys key values value entries entry items item resources resource settings
    selectors selector options option steps step jobs job stages stage
";

/// The same in other languages that people write comments in: a beginning of a word, or a part of a text without blanks.
const FOREIGN: [&str; 32] = [
    "unverändert",
    "bestehend",
    "vorhanden",
    "restlich",
    "bisherig",
    "übrig",
    "resto",
    "existente",
    "restante",
    "sin cambios",
    "igual que",
    "inchangé",
    "existant",
    "le reste",
    "inalterad",
    "invariat",
    "esistent",
    "rimanent",
    "ongewijzigd",
    "bestaand",
    "оставш",
    "остальн",
    "без изменений",
    "существующ",
    "其余",
    "不变",
    "省略",
    "现有",
    "保持",
    "既存",
    "残り",
    "変更なし",
];

fn is_in(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == word)
}

/// Whether some words of a comment, or a line alone, are such a mark.
fn sense(text: &str) -> Option<Sense> {
    let has_dots = text.contains("...") || text.contains('…');
    let bare = text.trim_matches(|c: char| " ()[]<>{}*=-#~_/|:".contains(c));
    let lower = bare.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() || matches!(words.as_slice(), ["snip" | "snipped"]) {
        return (has_dots || !words.is_empty()).then_some(Sense { is_sure: false, has_dots: true });
    }
    if words.len() > 14 || bare.contains(['=', ';', '"']) {
        return None;
    }
    let has = |list: &str| words.iter().any(|word| is_in(list, word));
    let is_number = |word: &&str| word.bytes().all(|b| b.is_ascii_digit());
    let is_known = |word: &&str| is_in(KEYS, word) || is_in(BESIDE, word) || is_number(word);
    let known = words.iter().filter(|word| is_known(word)).count();
    let all_known = known == words.len();
    let is_foreign = FOREIGN.iter().any(|word| lower.contains(word));
    if has_dots {
        return with_dots(bare, has(KEYS), is_foreign, known * 2 >= words.len(), all_known);
    }
    let is_sure = all_known && words.len() > 1 && (has(STRONG) || (has(WITH_CODE) && has(CODE)));
    let is_hint = is_foreign || (known * 3 >= words.len() * 2 && (has(KEYS) || has(HINTS)));
    (is_sure || is_hint).then_some(Sense { is_sure, has_dots })
}

/// The same with dots: what begins and ends with them is a mark whatever its words are, if not for sure.
fn with_dots(
    bare: &str,
    has_key: bool,
    is_foreign: bool,
    half_known: bool,
    all_known: bool,
) -> Option<Sense> {
    let marks = ["...", "…"];
    let begins = marks.iter().any(|mark| bare.starts_with(mark));
    let ends = marks.iter().any(|mark| bare.ends_with(mark));
    let is_sure = has_key && (all_known || (begins && ends));
    let is_mark =
        is_sure || (begins && ends) || ((begins || ends) && (is_foreign || (has_key && half_known)));
    is_mark.then_some(Sense { is_sure, has_dots: true })
}

/// Whether the words of a comment over several lines are a mark.
pub fn of_comment(words: &str) -> Option<Sense> {
    if words.len() > MAX_LENGTH { None } else { sense(words) }
}

/// Longer lines are no marks.
const MAX_LENGTH: usize = 200;

/// How comments begin, and how they end within their line.
const COMMENTS: [(&str, &str); 16] = [
    ("{/*", "*/}"),
    ("<!--", "-->"),
    ("/*", "*/"),
    ("//", ""),
    ("--", ""),
    ("#", ""),
    (";;", ""),
    ("%", ""),
    ("(*", "*)"),
    ("{{!--", "--}}"),
    ("<%--", "--%>"),
    ("<%#", "%>"),
    ("{#", "#}"),
    ("@*", "*@"),
    (";", ""),
    ("'", ""),
];

/// The mark in a line, if there is one, and where its comment stands.
pub fn mark_in(line: &str, language: &str) -> Option<(Range<usize>, Sense)> {
    let text = line.trim();
    if text.is_empty() || text.len() > MAX_LENGTH {
        return None;
    }
    let start = line.len() - line.trim_start().len();
    if let Some(inner) = comment(text, language) {
        // In prose most signs of comments are something else.
        let is_plain = is_in(PROSE, language) && !text.starts_with("<!--");
        let sense = sense(inner).filter(|sense| !is_plain || (sense.is_sure && sense.has_dots))?;
        return Some((start..start + text.len(), sense));
    }
    if let Some(sense) = without_sign(text, language) {
        return Some((start..start + text.len(), sense));
    }
    // `...  # unchanged`: a stand-in that says what it is.
    let stand_in = ["...", "…", "pass"].iter().find_map(|word| text.strip_prefix(word)).map(str::trim_start);
    if let Some(inner) = stand_in.and_then(|text| comment(text, language)) {
        let says = inner.split(|c: char| !c.is_alphanumeric()).any(|word| is_in(KEYS, &word.to_lowercase()));
        return says.then_some((start..start + text.len(), Sense { is_sure: true, has_dots: true }));
    }
    // A comment behind code.
    for (open, close) in COMMENTS {
        let Some(at) = text.find(open).filter(|at| *at > 0) else { continue };
        let (before, rest) = text.split_at(at);
        let is_apart = before.ends_with([' ', '{', '(', '[', '\t']) || open.len() > 2 || open == "/*";
        let end =
            if close.is_empty() { rest.len() } else { rest.find(close).map_or(0, |end| end + close.len()) };
        let inner = rest.get(open.len()..end.saturating_sub(close.len()));
        let counts = is_apart && matches!(open, "{/*" | "<!--" | "/*" | "//" | "#");
        let is_mark = |sense: &Sense| sense.is_sure || sense.has_dots;
        if let Some(sense) = inner.filter(|_| counts).and_then(sense).filter(is_mark) {
            return Some((start + at..start + at + end, sense));
        }
    }
    None
}

/// Languages in which `#` begins no comment.
const WITHOUT_HASH: &str = "
    javascript typescript tsx java go rust c cpp csharp kotlin swift scala dart css scss sass less html xml vue svelte json
    haskell lua sql
";
/// Text that is no code.
const PROSE: &str = "markdown text rst adoc";

/// The text of a line that is a comment and nothing else.
pub fn comment<'t>(text: &'t str, language: &str) -> Option<&'t str> {
    COMMENTS.iter().filter(|(open, _)| *open != "#" || !is_in(WITHOUT_HASH, language)).find_map(
        |(open, close)| {
            // A quote of VBScript and the like has words behind it; one of a string ends.
            let inner = text.strip_prefix(open).filter(|inner| *open != "'" || !inner.contains('\''))?;
            let inner = if close.is_empty() {
                inner.trim_start_matches(['/', '#', '-', ';', '!'])
            } else {
                inner.strip_suffix(close)?
            };
            Some(inner.trim())
        },
    )
}

/// Dots alone on a line, or words between dots or brackets without a sign of a comment.
fn without_sign(text: &str, language: &str) -> Option<Sense> {
    if matches!(text, "..." | "…" | "[...]" | "[…]" | "(...)" | "(…)" | "<...>") {
        // In prose and in YAML dots alone may be something else.
        let has_dots = !is_in(PROSE, language) && language != "yaml";
        return Some(Sense { is_sure: false, has_dots });
    }
    let begins = ["...", "…", "[", "(", "<"].iter().any(|mark| text.starts_with(mark));
    let is_words = text.chars().all(|c| c.is_alphanumeric() || " .…[]()<>-'/".contains(c));
    let is_framed = text.starts_with(['[', '(', '<']) && text.ends_with([']', ')', '>']);
    let has_dots = text.contains("...") || text.contains('…');
    // `...[truncated]`: one word counts only if it can mean nothing else.
    let is_one = text.split_whitespace().count() < 2;
    let is_strong =
        || text.split(|c: char| !c.is_alphanumeric()).any(|word| is_in(STRONG, &word.to_lowercase()));
    if !begins || !is_words || !(is_framed || has_dots) || (is_one && !(has_dots && is_strong())) {
        return None;
    }
    sense(text).filter(|sense| sense.is_sure)
}

#[cfg(test)]
mod tests {
    use super::mark_in;

    fn language_of(line: &str) -> &'static str {
        if line.contains('#') { "python" } else { "javascript" }
    }

    #[test]
    fn words_that_leave_out_are_marks_and_other_words_are_none() {
        let sure = [
            "# ... existing code ...",
            "// rest unchanged",
            "/* ... rest of the code ... */",
            "<!-- rest of the page unchanged -->",
            "    // ... (other methods remain unchanged)",
            "# [rest of the file unchanged]",
            "... existing code ...",
            "-- remaining code",
            "// ... existing perimeter helper ...",
            "{/* ... existing markup ... */}",
            "# (rest of the file stays the same ...)",
            "[... rest of file unchanged ...]",
            "function b() { /* unchanged code omitted */ }",
            "  // ... keep the existing code as is",
            "# ... same as before ...",
            "    ...  # unchanged",
            "    pass  # existing code",
            "# rest of the code remains the same",
            "...[truncated]",
            "// ... rest of the class ...",
            "/* All other rules unchanged */",
            "<!-- The rest of the code -->",
        ];
        for line in sure {
            assert!(mark_in(line, language_of(line)).is_some_and(|(_, sense)| sense.is_sure), "{line}");
        }
        for line in ["# ...", "// …", "/* ... */", "...", "function b() { /* ... */ }"] {
            assert!(mark_in(line, language_of(line)).is_some_and(|(_, sense)| !sense.is_sure), "{line}");
        }
        let none = [
            "# ...so that shapes can stand in a row",
            "...rest,",
            "  ...existing",
            "return [...rest, x];",
            "# The rest of the arguments",
            "// same as above",
            "const existing = 1; // existing users first",
            "throw new Error(`existing code ${code}`);",
            "# existing users keep their plan",
            "# Remaining seconds",
            "print('...')",
            "x = a[...]",
            "// unchanged",
            "...[existing]",
            "// Currently visible content",
            "# see the original paper",
            "# previous value",
        ];
        for line in none {
            let sense = mark_in(line, language_of(line)).map(|(_, sense)| sense);
            assert!(sense.is_none_or(|sense| !sense.is_sure), "{line}");
            assert!(sense.is_none_or(|sense| !sense.has_dots) || line.contains("x = a"), "{line}");
        }
    }
}
