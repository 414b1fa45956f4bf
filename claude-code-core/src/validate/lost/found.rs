//! Where a definition that is gone is found again: under another name, in new ones, or where it was used.

use std::collections::HashSet;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::super::definitions::Definition;
use super::{last, names};
use crate::request::SourceFile;

/// Tokens of a definition that are compared: a longer one is compared by its beginning.
const MAX_TOKENS: usize = 3_000;
/// The share of tokens from which on two definitions are one under two names.
const SIMILAR: f64 = 0.75;

/// Whether a line imports or passes on a name from elsewhere.
pub(super) fn brings_in(line: &str, name: &str) -> bool {
    let begins =
        ["from ", "import ", "export ", "use ", "pub use ", "const {", "require", "#include", "using "];
    let is_import =
        begins.iter().any(|begin| line.starts_with(begin)) && !line.starts_with("export function");
    is_import
        && names(line, name)
        && (line.contains(" from ")
            || line.contains("import ")
            || line.contains("use ")
            || line.contains("require"))
}

/// Whether code calls a function of this name.
pub(super) fn is_called(code: &str, name: &str) -> bool {
    let tokens: Vec<&str> = code.lines().filter(|line| !is_comment(line)).flat_map(tokens).collect();
    tokens.windows(3).any(|three| {
        three[1] == name && three[2] == "(" && !matches!(three[0], "." | "def" | "fn" | "func" | "function")
    })
}

/// Whether code uses a name, in whatever way.
pub(super) fn is_used(code: &str, name: &str) -> bool {
    code.lines().filter(|line| !is_comment(line)).any(|line| tokens(line).contains(&name))
}

/// Whether code gives a name a value, wherever.
pub(super) fn is_assigned(code: &str, name: &str) -> bool {
    let is_value = |line: &str| {
        let line = ["let ", "const ", "var ", "let mut ", "global "]
            .iter()
            .find_map(|word| line.trim().strip_prefix(word))
            .unwrap_or_else(|| line.trim());
        let rest = line.strip_prefix(name).map(str::trim_start);
        rest.is_some_and(|rest| {
            rest.starts_with(['=', ':', ',']) && rest.contains('=') && !rest.starts_with("==")
        })
    };
    code.lines().any(is_value)
}

/// Whether the code derives the trait of an implementation that is gone.
pub(super) fn is_derived(code: &str, own: &str) -> bool {
    let of = own.strip_prefix("impl ").and_then(|own| own.split_once(" for ")).map(|(of, _)| last(of));
    of.is_some_and(|of| code.lines().any(|line| line.contains("derive(") && names(line, of)))
}

/// Whether most of what a definition did stands in new ones.
pub(super) fn is_merged(text: &str, elsewhere: &[(Definition, String)]) -> bool {
    let known: HashSet<&str> = elsewhere.iter().flat_map(|(_, text)| text.lines()).map(str::trim).collect();
    let says = |line: &&str| tokens(line).len() > 3;
    let own: Vec<&str> = text.lines().skip(1).map(str::trim).filter(says).collect();
    let found = own.iter().filter(|line| known.contains(*line)).count();
    own.len() > 1 && found * 5 >= own.len() * 3
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["#", "//", "*", "/*", "--"].iter().any(|mark| line.starts_with(mark))
}

/// The words, numbers and signs of a line or text.
fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let length = if is_word(first) {
            rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            found.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    found
}

/// Whether two definitions are the same but for their own name, or nearly so.
pub fn is_similar(one: &str, name: &str, other: &str, other_name: &str) -> bool {
    let form = |text, own: &str| -> Vec<String> {
        let own = own.rsplit('.').next().unwrap_or(own).to_owned();
        let same = |token: &str| if token == own { "_".to_owned() } else { token.to_owned() };
        tokens(text).into_iter().take(MAX_TOKENS).map(same).collect()
    };
    let (one, other) = (form(one, name), form(other, other_name));
    if one.len().min(other.len()) < 4 {
        return one == other;
    }
    let equal: usize = capture_diff_slices(Algorithm::Myers, &one, &other)
        .into_iter()
        .map(|op| if let DiffOp::Equal { len, .. } = op { len } else { 0 })
        .sum();
    let (equal, all) = (equal as f64 * 2.0, (one.len() + other.len()) as f64);
    equal / all >= SIMILAR
}

/// Whether what a definition did stands where it was used: most of its lines are among those that the answer added, with
/// anything in the place of its parameters.
pub(super) fn is_inlined(one: &Definition, text: &str, given: &SourceFile, added: &[String]) -> bool {
    let own = one.own.rsplit('.').next().unwrap_or(&one.own);
    let outside = [given.content.get(..one.core.start), given.content.get(one.core.end..)];
    let outside: String = outside.into_iter().flatten().collect();
    if !names(&outside, own) {
        return false;
    }
    // An arrow function has its parameters before the arrow, others before what opens the body, or in the first line.
    let first = text.lines().next().unwrap_or_default();
    let opens = || if first.len() < text.len() { None } else { first.find([':', '{', '=']) };
    let head_end = first.find("=>").or_else(opens).unwrap_or(first.len());
    let parameters: HashSet<&str> =
        text.get(..head_end).map(tokens).unwrap_or_default().into_iter().collect();
    let own_lines: Vec<Vec<&str>> = body_lines(text)
        .into_iter()
        .map(|line| tokens(line))
        .filter(|line| line.len() > 1 || line.iter().any(|t| t.len() > 1))
        .collect();
    if own_lines.is_empty() {
        return false;
    }
    let added: Vec<Vec<&str>> = added.iter().map(|line| tokens(line)).collect();
    let is_found = |line: &&Vec<&str>| added.iter().any(|candidate| contains(candidate, line, &parameters));
    let found = own_lines.iter().filter(is_found).count();
    found * 5 >= own_lines.len() * 3
}

/// The statements of a definition: its lines without its head, `return` and what only closes it.
fn body_lines(text: &str) -> Vec<&str> {
    let one_line = text.lines().count() == 1;
    let lines: Vec<&str> = match one_line {
        true => text
            .split_once("=>")
            .or_else(|| text.split_once(['{', '=', ':']))
            .map(|(_, body)| body.trim_end_matches(['}', ';', ' ']))
            .into_iter()
            .collect(),
        false => text.lines().skip(1).collect(),
    };
    let bare = |line: &str| {
        let line = line.trim().trim_end_matches([';', ',']);
        line.strip_prefix("return ").or_else(|| line.strip_prefix("=> ")).unwrap_or(line).trim().len()
    };
    lines
        .into_iter()
        .map(str::trim)
        .filter(|line| bare(line) > 1 && !is_comment(line) && !line.starts_with("\"\"\""))
        .map(|line| {
            let line = line.trim_end_matches([';', ',']);
            line.strip_prefix("return ").unwrap_or(line).trim()
        })
        .filter(|line| !line.is_empty() && !matches!(*line, "{" | "}" | "end"))
        .collect()
}

/// Whether tokens stand in a line in this order and without a break, with one to twelve others in the place of each
/// parameter.
fn contains(line: &[&str], wanted: &[&str], parameters: &HashSet<&str>) -> bool {
    (0..line.len()).any(|at| matches_at(&line[at..], wanted, parameters, 0))
}

fn matches_at(line: &[&str], wanted: &[&str], parameters: &HashSet<&str>, depth: usize) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return true };
    let is_wild =
        parameters.contains(first) && first.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    if line.first() == Some(first) && matches_at(&line[1..], rest, parameters, depth) {
        return true;
    }
    // Bounded: few parameters stand in one line.
    is_wild
        && depth < 6
        && (1..=12.min(line.len())).any(|taken| matches_at(&line[taken..], rest, parameters, depth + 1))
}
