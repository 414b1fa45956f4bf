//! Other views of a text that a grammar stumbles over: with one branch of each preprocessor condition, or with forms that
//! are newer than the grammar in older words. Byte for byte in place.

use std::collections::HashSet;

/// The views of a text in a language; a text that is sound in one of them is sound.
pub fn of(language: &str, text: &str) -> Vec<String> {
    match language {
        "c" | "cpp" | "csharp" if text.contains("#if") => {
            let view = |branch| branches(text, branch, language == "c");
            let views = [Branch::First, Branch::Last].map(view);
            if language == "csharp" { views.map(|view| csharp(&view)).to_vec() } else { views.to_vec() }
        }
        "csharp" => vec![csharp(text)],
        "java" => vec![java(text)],
        "bash" => vec![bash(text)],
        _ => Vec::new(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Branch {
    First,
    Last,
}

/// The text with one branch of each `#if`; the others and the directives are blank. `#if 0` has no first branch, and in
/// C what is for C++ alone has none.
fn branches(text: &str, wanted: Branch, is_c: bool) -> String {
    let others = others(text);
    let mut view = String::with_capacity(text.len());
    // Of each open condition: whether the present branch stays, and whether one that can was seen.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut continued = false;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let word = directive(line);
        let is_directive = continued || word.is_some();
        let is_last = wanted == Branch::First || !others.contains(&number);
        match word.filter(|_| !continued) {
            Some("if" | "ifdef" | "ifndef") => {
                let is_off = is_off(line, is_c);
                open.push((!is_off && is_last, !is_off));
            }
            Some("elif" | "else" | "elifdef" | "elifndef") => {
                if let Some((stays, was_seen)) = open.last_mut() {
                    *stays = if wanted == Branch::First { !*was_seen } else { is_last };
                    *was_seen = true;
                }
            }
            Some("endif") => drop(open.pop()),
            _ => {}
        }
        continued = is_directive && line.trim_end().ends_with('\\');
        if is_directive || open.iter().any(|(stays, _)| !stays) {
            view.extend(
                line.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' }),
            );
        } else {
            view.push_str(line);
        }
    }
    view
}

/// Whether a condition never holds.
fn is_off(line: &str, is_c: bool) -> bool {
    let rest = line.trim().trim_start_matches('#').trim();
    let never = rest.strip_prefix("if").is_some_and(|condition| condition.trim() == "0");
    never || is_c && rest.contains("__cplusplus") && !rest.starts_with("ifndef") && !rest.contains('!')
}

/// The lines on which a branch begins that another one follows.
fn others(text: &str) -> HashSet<usize> {
    let (mut others, mut open) = (HashSet::new(), Vec::new());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match directive(line) {
            Some("if" | "ifdef" | "ifndef") => open.push(number),
            Some("else" | "elif" | "elifdef" | "elifndef") => {
                if let Some(begun) = open.last_mut() {
                    others.insert(*begun);
                    *begun = number;
                }
            }
            Some("endif") => drop(open.pop()),
            _ => {}
        }
    }
    others
}

/// The word of a directive.
fn directive(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// `final` is optional wherever Java takes it; the grammar does not take it in patterns. `import module` is an import.
fn java(text: &str) -> String {
    // Since Java 25 statements may come before the call of another constructor: to the grammar that is a method then.
    let text = text.replace("super(", "supe_(").replace("this(", "thi_(");
    let view = without_word(&text, "final", |_| true);
    without_word(&view, "module", |before| before.trim_end().ends_with("import"))
}

/// A range in a list, `[1, .. rest]` or `[first, ..]`, as a plain element, and newer constraints as older ones.
fn csharp(text: &str) -> String {
    // Of C# 13, as a constraint that the grammar knows.
    let text = text.replace("allows ref struct", "notnull          ");
    let mut view = text.clone();
    for (at, _) in text.match_indices("..") {
        let (before, after) = (text[..at].trim_end(), text[at + 2..].trim_start());
        if before.ends_with(['[', ',']) {
            let is_alone = after.starts_with([']', ',']);
            view.replace_range(at..at + 2, if is_alone { "_ " } else { "  " });
        }
    }
    view
}

/// The text with a word blanked where it stands alone and what is before it agrees.
fn without_word(text: &str, word: &str, agrees: impl Fn(&str) -> bool) -> String {
    let mut view = text.to_owned();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in text.match_indices(word) {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        if !before.ends_with(is_part) && !after.starts_with(is_part) && agrees(before) {
            view.replace_range(at..at + word.len(), &" ".repeat(word.len()));
        }
    }
    view
}

/// Escaped operators are plain words to a shell.
fn bash(text: &str) -> String {
    let mut view = text.to_owned();
    for operator in ["\\(", "\\)", "\\<", "\\>", "\\!", "\\&", "\\|", "\\;"] {
        view = view.replace(operator, "xx");
    }
    view
}
