//! Syntax errors that a grammar finds.

use std::collections::HashMap;

use tree_sitter::Node;

use super::source::Source;
use super::{MAX_PER_FILE, layout, tree};
use crate::diagnostic::{Diagnostic, Severity};

/// Pairs whose counts tell that something is left open, whatever a grammar thinks of the rest.
const PAIRS: [(&str, &str); 7] =
    [("(", ")"), ("[", "]"), ("{", "}"), ("if", "fi"), ("do", "done"), ("case", "esac"), ("[[", "]]")];

/// Syntax errors of a file in a language with a grammar; none for others and for sketches.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    if source.is_fragment() {
        return Vec::new();
    }
    let Some(tree) = tree::parse(source.language, &source.text) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if source.language == "python" {
        found.extend(layout::check(source, tree.root_node()));
    }
    if !found.iter().any(Diagnostic::is_error) && tree.root_node().has_error() {
        found.extend(faults(source, tree.root_node()));
    }
    found
}

fn faults(source: &Source, root: Node<'_>) -> Vec<Diagnostic> {
    let severity = if is_certain(source.language, root) { Severity::Error } else { Severity::Warning };
    let mut found = Vec::new();
    let mut end = 0;
    tree::walk(root, |visit| {
        let node = visit.node;
        if !(node.is_error() || node.is_missing()) || found.len() == MAX_PER_FILE || node.start_byte() < end {
            return;
        }
        end = node.end_byte();
        // Where only block words are doubtful, what the grammar waits for is certain.
        let is_shell = source.language == "bash" && node.is_missing();
        let severity = if is_shell { Severity::Error } else { severity };
        found.push(source.at(node.start_byte(), severity, sentence(node, &source.text)));
    });
    found
}

/// Grammars of languages with macros, dialects or free-form words report errors in valid files. There an error
/// is certain only if brackets or block words do not pair up.
fn is_certain(language: &str, root: Node<'_>) -> bool {
    if !matches!(language, "bash" | "c" | "cpp" | "sql" | "php" | "ruby") {
        return true;
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
    PAIRS.iter().any(|(open, close)| (is_bash || open.len() == 1) && count(open) != count(close))
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
