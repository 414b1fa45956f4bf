//! Seeded faults of syntax: two hundred in a file of each language. Each is an error near its line, or it is missed.

use claude_code_core::CodeFile;

use super::mutations::Seeded;
use super::{errors, file, golden};

const FILES: [&str; 13] = [
    "store.py",
    "store.ts",
    "store.tsx",
    "store.js",
    "store.rs",
    "Store.php",
    "schema.sql",
    "main.tf",
    "menu.json",
    "store.go",
    "Store.java",
    "Store.cs",
    "store.rb",
];

/// Faults of each file: two hundred in a campaign. CLAUDE_CODE_AWS_SEED chooses others.
fn count() -> usize {
    if std::env::var_os("CAMPAIGN").is_some() { 200 } else { 25 }
}

/// A changed text, and the line of the change, from 1.
struct Fault {
    text: String,
    line: usize,
    what: String,
}

/// Where code stands outside strings and comments: byte and character.
fn code(text: &str) -> Vec<(usize, char)> {
    let mut found = Vec::new();
    let mut quote: Option<char> = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let line = text[..at].rsplit('\n').next().unwrap();
        let is_comment = ["//", "# ", "-- ", "/*", "/**", "///", "//!"]
            .iter()
            .any(|mark| line.trim_start().starts_with(mark));
        match quote {
            Some(open)
                if c == open && before != '\\'
                    || quote.is_some() && c == '\n' && open_ends_at_line(quote) =>
            {
                quote = None
            }
            Some(_) => {}
            None if is_comment => {}
            None if c == '"' || c == '`' || c == '\'' && is_quote(text, at) => quote = Some(c),
            None => found.push((at, c)),
        }
        before = if before == '\\' && c == '\\' { ' ' } else { c };
    }
    found
}

fn open_ends_at_line(quote: Option<char>) -> bool {
    quote != Some('`')
}

/// Lifetimes of Rust are no strings.
fn is_quote(text: &str, at: usize) -> bool {
    !text[..at].ends_with(['&', '<']) && !text[at..].starts_with("'_")
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn without(text: &str, at: usize, what: &str) -> Fault {
    let mut changed = text.to_owned();
    changed.remove(at);
    Fault {
        line: line_of(text, at),
        text: changed,
        what: format!("{what} {:?}", text.lines().nth(line_of(text, at) - 1).unwrap()),
    }
}

fn unclosed_bracket(text: &str, seeded: &mut Seeded) -> Fault {
    let closers: Vec<usize> =
        code(text).into_iter().filter(|(_, c)| ")]}".contains(*c)).map(|(at, _)| at).collect();
    without(text, closers[seeded.below(closers.len())], "without a closing bracket")
}

fn bad_string(text: &str, seeded: &mut Seeded) -> Fault {
    // The quote that ends a string on its own line.
    let ends: Vec<usize> = text
        .match_indices('"')
        .filter(|(at, _)| {
            let before = text[..*at].rsplit('\n').next().unwrap();
            before.matches('"').count() % 2 == 1
                && !before.contains("\"\"")
                && !before.contains('`')
                && !before.trim_start().starts_with(['#', '/', '*'])
        })
        .map(|(at, _)| at)
        .chain(
            text.match_indices('\'')
                .filter(|(at, _)| {
                    text[..*at].rsplit('\n').next().unwrap().matches('\'').count() % 2 == 1 && is_sql(text)
                })
                .map(|(at, _)| at),
        )
        .collect();
    without(text, ends[seeded.below(ends.len())], "without a quote")
}

fn is_sql(text: &str) -> bool {
    text.contains("CREATE TABLE")
}

fn stray_token(text: &str, seeded: &mut Seeded) -> Fault {
    // A bracket in the text of an element is text.
    let is_text = |at: usize| text.lines().nth(line_of(text, at) - 1).unwrap().contains("</");
    let places: Vec<usize> = code(text)
        .windows(2)
        .filter(|pair| pair[0].1 == ' ' && pair[1].1.is_alphanumeric())
        .map(|pair| pair[1].0)
        .filter(|at| !is_text(*at))
        .collect();
    let at = places[seeded.below(places.len())];
    let token = [")", "]", "}", "= )", ", ]"][seeded.below(5)];
    let mut changed = text.to_owned();
    changed.insert_str(at, &format!("{token} "));
    Fault {
        line: line_of(text, at),
        text: changed,
        what: format!("with a stray {token}: {:?}", text.lines().nth(line_of(text, at) - 1).unwrap()),
    }
}

fn cut_file(text: &str, seeded: &mut Seeded) -> Fault {
    let mut depth = 0_i64;
    let mut places: Vec<usize> = Vec::new();
    for (at, c) in code(text) {
        if depth > 0 {
            places.push(at);
        }
        depth += i64::from("([{".contains(c)) - i64::from(")]}".contains(c));
    }
    let at = places[seeded.below(places.len())];
    // The last line that has something.
    let line = line_of(text, text[..at].trim_end().len());
    Fault { line, text: text[..at].to_owned(), what: format!("cut at byte {at}") }
}

fn missing_colon(text: &str, seeded: &mut Seeded) -> Fault {
    let ends: Vec<usize> = text.match_indices(":\n").map(|(at, _)| at).collect();
    without(text, ends[seeded.below(ends.len())], "without a colon")
}

fn bad_indent(text: &str, seeded: &mut Seeded) -> Fault {
    let lines: Vec<&str> = text.lines().collect();
    // A line after another of the same depth, so that more indentation is no new block.
    let depth = |line: &str| line.len() - line.trim_start().len();
    let is_plain = |at: &usize| {
        let (before, line) = (lines[at - 1], lines[*at]);
        depth(line) > 0
            && depth(before) == depth(line)
            && !before.ends_with([':', '(', '[', '{'])
            && !line.trim().is_empty()
    };
    let places: Vec<usize> = (1..lines.len()).filter(is_plain).collect();
    let at = places[seeded.below(places.len())];
    let mut changed = lines.clone();
    let moved = format!("  {}", lines[at]);
    changed[at] = &moved;
    Fault { line: at + 1, text: changed.join("\n") + "\n", what: format!("indented {:?}", lines[at]) }
}

fn is_found(path: &str, fault: &Fault) -> bool {
    let files: Vec<CodeFile> = vec![file(path, &fault.text)];
    let near = |line: u32| usize::try_from(line).unwrap().abs_diff(fault.line) <= 1;
    errors(&files).iter().any(|told| near(told.line))
}

/// Writes the faults into the folder CLAUDE_CODE_AWS_FAULTS, to be shown to the language's own tool: each is one only if
/// that refuses it.
fn keep(path: &str, faults: &[Fault]) {
    let Some(folder) = std::env::var_os("CLAUDE_CODE_AWS_FAULTS").map(std::path::PathBuf::from) else {
        return;
    };
    for (number, fault) in faults.iter().enumerate() {
        let mark = if is_found(path, fault) { "found" } else { "missed" };
        let name = format!("{mark}-{number:03}-line-{}-{path}", fault.line);
        std::fs::write(folder.join(name), &fault.text).unwrap();
    }
}

#[test]
fn nearly_all_faults_of_syntax_are_errors_near_their_line() {
    let seed = std::env::var("CLAUDE_CODE_AWS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2026);
    let (mut poor, count) = (Vec::new(), count());
    for path in FILES {
        let text = golden(&format!("faults/{path}"));
        assert_eq!(errors(&[file(path, &text)]), [], "{path}");
        let mut seeded = Seeded(seed);
        let mut kinds: Vec<fn(&str, &mut Seeded) -> Fault> =
            vec![unclosed_bracket, bad_string, stray_token, cut_file];
        if path == "store.py" {
            kinds.extend([missing_colon as fn(&str, &mut Seeded) -> Fault, bad_indent]);
        }
        let faults: Vec<Fault> = (0..count).map(|n| kinds[n % kinds.len()](&text, &mut seeded)).collect();
        let missed: Vec<String> = faults
            .iter()
            .filter(|fault| !is_found(path, fault))
            .map(|fault| format!("line {} {}", fault.line, fault.what))
            .collect();
        keep(path, &faults);
        println!("{path}: {} of {count} faults are errors near their line", count - missed.len());
        if missed.len() * 100 > count * 3 && missed.len() > 1 {
            poor.push((path, missed));
        }
    }
    assert!(poor.is_empty(), "{poor:#?}");
}
