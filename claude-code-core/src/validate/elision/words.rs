//! The words by which a model says that it left something out.

use std::ops::Range;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sense {
    pub is_sure: bool,
    pub has_dots: bool,
}

/// Words that say so.
const KEYS: &str = "
    existing unchanged rest remaining remains remain omitted omit elided truncated snipped snip unmodified same brevity
    abbreviated skipped before previous original untouched identical
";

/// Keys that say so without dots, too.
const STRONG: &str = "unchanged omitted elided brevity unmodified snipped untouched";

/// Keys that say so without dots beside a word for code.
const WITH_CODE: &str = "existing rest remaining";
const CODE: &str = "
    code file implementation class classes function functions method methods script program component module body definitions
    imports handlers routes logic
";

/// Words that stand beside them.
const BESIDE: &str = "
    code of the your file files implementation implementations class classes function functions method methods script program
    component components module body definition definitions import imports handler handlers route routes logic is are as it
    they stays stay keep keeps kept leave left in this that these those here above below for and other others all any with
    from to be will goes go continues continue everything else no not changes change changed lines line content contents part
    parts section sections block blocks test tests case cases type types field fields property properties style styles rule
    rules config configuration setup stuff etc shown show see additional more endpoint endpoints service services model models
    helper helpers util utils state hooks props render jsx html css markup was were already my our its exactly remains
    constants variables statements document page text code's
";

fn is_in(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == word)
}

/// Whether some words of a comment, or a line alone, are such a mark.
fn sense(text: &str) -> Option<Sense> {
    let has_dots = text.contains("...") || text.contains('…');
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        return has_dots.then_some(Sense { is_sure: false, has_dots });
    }
    if words.len() > 14 || text.contains(['=', ';', '"']) {
        return None;
    }
    let is_key = |word: &&&str| is_in(KEYS, word);
    let known = words.iter().filter(|word| is_in(KEYS, word) || is_in(BESIDE, word)).count();
    let all_known = known == words.len();
    let has = |list: &str| words.iter().any(|word| is_in(list, word));
    if !words.iter().any(|word| is_key(&word)) {
        return None;
    }
    if has_dots {
        let trimmed = text.trim();
        let is_dots = |text: &str, at_start: bool| {
            let marks = ["...", "…"];
            marks.iter().any(|mark| if at_start { text.starts_with(mark) } else { text.ends_with(mark) })
        };
        let bare = trimmed.trim_matches(['(', ')', '[', ']', '<', '>', '{', '}', ' ', '*']);
        let (begins, ends) = (is_dots(bare, true), is_dots(bare, false));
        let is_sure = all_known || (begins && ends);
        return (is_sure || ((begins || ends) && known * 2 >= words.len()))
            .then_some(Sense { is_sure, has_dots });
    }
    let is_sure = all_known && words.len() > 1 && (has(STRONG) || (has(WITH_CODE) && has(CODE)));
    is_sure.then_some(Sense { is_sure, has_dots })
}

/// How comments begin, and how they end within their line.
const COMMENTS: [(&str, &str); 9] = [
    ("{/*", "*/}"),
    ("<!--", "-->"),
    ("/*", "*/"),
    ("//", ""),
    ("--", ""),
    ("#", ""),
    (";;", ""),
    ("%", ""),
    ("(*", "*)"),
];

/// The mark in a line, if there is one, and where its comment stands.
pub fn mark_in(line: &str, language: &str) -> Option<(Range<usize>, Sense)> {
    let text = line.trim();
    if text.is_empty() || text.len() > 200 {
        return None;
    }
    let start = line.len() - line.trim_start().len();
    if let Some(inner) = comment(text) {
        return Some((start..start + text.len(), sense(inner)?));
    }
    if let Some(sense) = without_sign(text, language) {
        return Some((start..start + text.len(), sense));
    }
    // `...  # unchanged`: a stand-in that says what it is.
    let stand_in = ["...", "…", "pass"].iter().find_map(|word| text.strip_prefix(word)).map(str::trim_start);
    if let Some(inner) = stand_in.and_then(comment) {
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
        if let Some(sense) =
            inner.filter(|_| is_apart && matches!(open, "{/*" | "<!--" | "/*" | "//" | "#")).and_then(sense)
        {
            return Some((start + at..start + at + end, sense));
        }
    }
    None
}

/// The text of a line that is a comment and nothing else.
fn comment(text: &str) -> Option<&str> {
    COMMENTS.iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(open)?;
        let inner = if close.is_empty() {
            inner.trim_start_matches(['/', '#', '-', ';', '!'])
        } else {
            inner.strip_suffix(close)?
        };
        Some(inner.trim())
    })
}

/// Dots alone on a line, or words between dots or brackets without a sign of a comment.
fn without_sign(text: &str, language: &str) -> Option<Sense> {
    if matches!(text, "..." | "…" | "[...]" | "[…]" | "(...)" | "(…)" | "<...>") {
        // In prose and in YAML dots alone are something else.
        let is_code = !matches!(language, "markdown" | "text" | "yaml" | "rst");
        return is_code.then_some(Sense { is_sure: false, has_dots: true });
    }
    let begins = ["...", "…", "[", "(", "<"].iter().any(|mark| text.starts_with(mark));
    let is_words = text.chars().all(|c| c.is_alphanumeric() || " .…[]()<>-'/".contains(c));
    let is_framed = text.starts_with(['[', '(', '<']) && text.ends_with([']', ')', '>']);
    let has_dots = text.contains("...") || text.contains('…');
    if !begins || !is_words || !(is_framed || has_dots) || text.split_whitespace().count() < 2 {
        return None;
    }
    sense(text).filter(|sense| sense.is_sure)
}

#[cfg(test)]
mod tests {
    use super::mark_in;

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
        ];
        for line in sure {
            assert!(mark_in(line, "javascript").is_some_and(|(_, sense)| sense.is_sure), "{line}");
        }
        for line in ["# ...", "// …", "/* ... */", "...", "function b() { /* ... */ }"] {
            assert!(mark_in(line, "javascript").is_some_and(|(_, sense)| !sense.is_sure), "{line}");
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
            "# previous value",
        ];
        for line in none {
            assert!(
                mark_in(line, "javascript").is_none_or(|(_, sense)| !sense.is_sure && line.contains("x = a")),
                "{line}"
            );
        }
    }
}
