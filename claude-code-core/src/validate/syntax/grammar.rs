//! Tree-sitter's judgement. Its grammars are made for editors: where the measured rate of false errors is above one file
//! in 1,000, an error in the tree is a warning unless a second sign agrees.

use tree_sitter::{Node, Tree};

use super::{brackets, reserved, ruby, shell, views};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::source::Source;
use crate::validate::{MAX_PER_FILE, tags, tree};

/// Languages with macros, dialects, free-form words or forms newer than their grammar: there an error in the tree alone
/// is a warning. In the others it was wrong in at most one of 1,000 real files.
const DOUBTFUL: [&str; 6] = ["bash", "c", "cpp", "css", "html", "sql"];

/// Syntax errors of a file in a language with a grammar; none for others.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> =
        if source.language == "html" { tags::html(source).into_iter().collect() } else { Vec::new() };
    let Some((text, tree)) = faulty(source) else {
        let misplaced = reserved::misplaced(source);
        found.extend(misplaced.map(|(at, word)| source.error(at, format!("unexpected `{word}` here"))));
        return found;
    };
    if found.iter().any(Diagnostic::is_error) {
        return found;
    }
    let root = tree.root_node();
    found.extend(certain(source, &text, root).into_iter().map(|(at, message)| source.error(at, message)));
    // A lost quote shows where brackets pair, too.
    if found.is_empty() && severity(source.language) == Severity::Error {
        found.extend(
            brackets::places(source.language, &text, &[])
                .into_iter()
                .map(|fault| source.error(fault.at, fault.message)),
        );
    }
    let severity = severity(source.language);
    found.extend(faults(source, root, severity));
    found
}

/// The tree of the first view of a text, if every view has an error. A header's name does not tell its language.
fn faulty(source: &Source) -> Option<(String, Tree)> {
    let is_header = source.language == "c" && source.name().ends_with(".h");
    if is_header && OBJECTIVE_C.iter().any(|word| source.text.contains(word)) {
        return None;
    }
    let found = faulty_as(source, source.language)?;
    match is_header {
        true => faulty_as(source, "cpp").and(Some(found)),
        false => Some(found),
    }
}

/// Words of Objective-C, which no grammar here reads.
const OBJECTIVE_C: [&str; 5] = ["@interface", "@protocol", "@class", "@property", "#import"];

fn faulty_as(source: &Source, language: &str) -> Option<(String, Tree)> {
    let tree = match source.language == language {
        true => source.tree()?.clone(),
        false => tree::parse(language, &source.text)?,
    };
    if !tree.root_node().has_error() {
        return None;
    }
    let mut first = None;
    for view in views::of(language, &source.text) {
        let tree = tree::parse(language, &view)?;
        if !tree.root_node().has_error() {
            return None;
        }
        first.get_or_insert((view, tree));
    }
    Some(first.unwrap_or_else(|| (source.text.to_string(), tree)))
}

/// What is certainly wrong where the tree has an error that may be the grammar's own.
fn certain(source: &Source, text: &str, root: Node<'_>) -> Vec<(usize, String)> {
    let told = |found: Option<(usize, &str)>| found.map(|(at, message)| (at, message.to_owned()));
    // Macros that stand for brackets: only a preprocessor can count.
    if matches!(source.language, "c" | "cpp") && has_bracket_macros(&source.text) {
        return Vec::new();
    }
    let brackets = match source.language {
        language @ ("c" | "cpp" | "csharp" | "java" | "go" | "css") => brackets::of_text(language, text),
        _ => brackets::of_tree(root),
    };
    let unpaired = || match brackets::unpaired(text, &brackets).is_empty() {
        true => Vec::new(),
        false => {
            let places = brackets::places(source.language, text, &brackets);
            places.into_iter().map(|fault| (fault.at, fault.message)).collect()
        }
    };
    match source.language {
        "bash" => told(
            shell::open_quote(text)
                .map(|at| (at, "the quote here is never closed"))
                .or_else(|| shell::unended(text)),
        )
        .into_iter()
        .collect(),
        "ruby" => {
            // Where a quote is lost the words after it are text, and no block pairs.
            let places = brackets::places(source.language, text, &brackets);
            let places = places.into_iter().map(|fault| (fault.at, fault.message));
            told(ruby::unended(root, text)).into_iter().chain(places).collect()
        }
        "html" => Vec::new(),
        _ => unpaired(),
    }
}

fn has_bracket_macros(text: &str) -> bool {
    let count =
        |line: &str, open: char, close: char| line.matches(open).count() != line.matches(close).count();
    let defined = text.split("#define ").skip(1).map(|rest| rest.replace("\\\n", " "));
    defined
        .map(|rest| rest.lines().next().unwrap_or("").to_owned())
        .any(|line| count(&line, '{', '}') || count(&line, '(', ')'))
}

fn severity(language: &str) -> Severity {
    if DOUBTFUL.contains(&language) { Severity::Warning } else { Severity::Error }
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
        "bash" | "css" | "html" => false,
        "c" | "cpp" => visit.kind == ";" && !has_errors && !may_be_macro(visit, source),
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
