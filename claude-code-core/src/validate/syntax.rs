//! Syntax errors that a grammar finds.

use std::collections::HashMap;

use tree_sitter::Node;

use super::source::Source;
use super::{MAX_PER_FILE, layout, ruby, shell, tags, tree};
use crate::answer::diagnostic::{Diagnostic, Severity};

/// Pairs whose counts tell that something is left open, whatever a grammar thinks of the rest.
const PAIRS: [(&str, &str); 7] =
    [("(", ")"), ("[", "]"), ("{", "}"), ("if", "fi"), ("do", "done"), ("case", "esac"), ("[[", "]]")];

/// Languages with macros, dialects, free-form words or forms newer than their grammar: there an error in the tree alone
/// is a warning.
const DOUBTFUL: [&str; 8] = ["bash", "c", "cpp", "csharp", "css", "html", "ruby", "sql"];

/// Syntax errors of a file in a language with a grammar; none for others and for sketches.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    if source.is_fragment() {
        return Vec::new();
    }
    let mut found: Vec<Diagnostic> =
        if source.language == "html" { tags::html(source).into_iter().collect() } else { Vec::new() };
    let Some(tree) = tree::parse(source.language, &source.text) else {
        return found;
    };
    let root = tree.root_node();
    match source.language {
        "python" => found.extend(layout::check(source, root)),
        "javascript" | "tsx" => found.extend(tags::jsx(source, root)),
        _ => {}
    }
    if !found.iter().any(Diagnostic::is_error) && root.has_error() {
        found.extend(certain(source, root));
        let severity = if found.is_empty() { severity(source.language, root) } else { Severity::Warning };
        found.extend(faults(source, root, severity));
    }
    found
}

/// What is certainly wrong where the tree has an error that may be the grammar's own.
fn certain(source: &Source, root: Node<'_>) -> Option<Diagnostic> {
    let (at, message) = match source.language {
        "bash" => (shell::open_quote(&source.text)?, "the quote here is never closed"),
        "ruby" => ruby::unended(root, &source.text)?,
        _ => return None,
    };
    Some(source.error(at, message))
}

fn faults(source: &Source, root: Node<'_>, severity: Severity) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut end = 0;
    let has_errors = has_errors(root);
    tree::walk(root, |visit| {
        let node = visit.node;
        if !(node.is_error() || node.is_missing()) || found.len() == MAX_PER_FILE || node.start_byte() < end {
            return;
        }
        end = node.end_byte();
        let is_certain = is_missing_for_sure(visit, source, has_errors) || lacks_semicolon(visit);
        let severity = if is_certain { Severity::Error } else { severity };
        let sentence = match lacks_semicolon(visit) {
            true => "missing `;` before this".to_owned(),
            false => sentence(node, &source.text),
        };
        found.push(source.at(node.start_byte(), severity, sentence));
    });
    found
}

fn has_errors(root: Node<'_>) -> bool {
    let mut found = false;
    tree::walk(root, |visit| found |= visit.node.is_error());
    found
}

/// Whether what the grammar misses is missing in the text: not where a macro or a dialect may have confused it.
fn is_missing_for_sure(visit: &tree::Visit<'_, '_>, source: &Source, has_errors: bool) -> bool {
    if !visit.node.is_missing() {
        return false;
    }
    match source.language {
        "bash" => !visit.node.is_named(),
        "c" | "cpp" => visit.node.kind() == ";" && !has_errors && !may_be_macro(visit, source),
        "sql" => false,
        language => !has_errors || !DOUBTFUL.contains(&language),
    }
}

/// Whether a macro of C may stand before a semicolon that is missing: a call alone needs none then.
fn may_be_macro(visit: &tree::Visit<'_, '_>, source: &Source) -> bool {
    let Some(parent) = visit.above.last() else { return true };
    let written = tree::text(*parent, &source.text);
    let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let words = written.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let has_macro = words.filter(|word| word.len() > 1).any(|word| word.chars().all(is_capital));
    let next = source.text.get(visit.node.end_byte()..).unwrap_or("").trim_start();
    let is_odd = match parent.kind() {
        "expression_statement" => visit.above.len() < 3 || next.starts_with('{'),
        "declaration" | "field_declaration" => parent.named_child_count() < 2,
        "return_statement" | "break_statement" | "continue_statement" | "goto_statement" => false,
        _ => true,
    };
    has_macro || is_odd || next.starts_with("__")
}

/// `struct A { … } int f() {`: a type whose end is missing became the return type of what follows.
fn lacks_semicolon(visit: &tree::Visit<'_, '_>) -> bool {
    let Some(parent) = visit.above.last().filter(|parent| parent.kind() == "function_definition") else {
        return false;
    };
    let made =
        parent.child_by_field_name("type").and_then(|made| Some((made, made.child_by_field_name("body")?)));
    visit.node.is_error() && made.is_some_and(|(made, _)| visit.node.start_byte() >= made.end_byte())
}

/// In doubtful languages an error is certain only if brackets or block words do not pair up.
fn severity(language: &str, root: Node<'_>) -> Severity {
    if !DOUBTFUL.contains(&language) {
        return Severity::Error;
    }
    let mut counts: HashMap<&str, i64> = HashMap::new();
    tree::walk(root, |visit| {
        // A pattern of `case` in bash closes a bracket that nothing opened.
        let is_leaf = visit.node.child_count() == 0 && !visit.node.is_missing();
        if is_leaf && visit.up(0) != "case_item" {
            *counts.entry(visit.node.kind()).or_default() += 1;
        }
    });
    let count = |kind: &str| counts.get(kind).copied().unwrap_or(0);
    let is_bash = language == "bash";
    let is_uneven = |(open, close): &(&str, &str)| {
        let is_open = matches!(*open, "(" | "[" | "{");
        (is_bash || is_open) && count(open) != count(close)
    };
    if PAIRS.iter().any(is_uneven) { Severity::Error } else { Severity::Warning }
}

fn sentence(node: Node<'_>, text: &str) -> String {
    if node.is_missing() {
        return match node.kind() {
            kind if kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                format!("something is missing here: {}", kind.replace('_', " "))
            }
            kind => format!("missing `{kind}`"),
        };
    }
    match unclosed(node) {
        Some(open) => format!("the `{open}` here, or one after it, is never closed"),
        None => format!("unexpected {} here", excerpt(tree::text(node, text))),
    }
}

/// The first bracket that an error node opens and does not close.
fn unclosed<'t>(node: Node<'t>) -> Option<&'t str> {
    let mut open: Vec<&str> = Vec::new();
    // By cursor: children by number cost their number each, and an error node may hold the whole file.
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        match child.kind() {
            kind @ ("(" | "[" | "{") => open.push(kind),
            ")" | "]" | "}" => drop(open.pop()),
            _ => {}
        }
    }
    open.first().copied()
}

/// The first line of a text, shortened, in back quotes: it goes into a message, which is one line.
fn excerpt(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or("").trim_end();
    let short: String = line.chars().filter(|c| !c.is_control()).take(24).collect();
    match (short.is_empty(), short.len() < line.len()) {
        (true, _) => "end of the file".to_owned(),
        (false, false) => format!("`{short}`"),
        (false, true) => format!("`{short}…`"),
    }
}
