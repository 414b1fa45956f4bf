//! HCL, by hcl-edit and a second opinion: an error is what both parsers refuse.

use std::collections::HashMap;

use hcl_edit::structure::Body;
use tree_sitter::Node;

use super::nesting::{self, Ends, Need};
use super::{brackets, grammar};
use crate::answer::diagnostic::Diagnostic;
use crate::validate::source::Source;
use crate::validate::tree;

const NEED: Need = Need { ends: Ends::Line, frame: 3_000 };

/// Syntax errors.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let wrong = nesting::within(&source.text, NEED, || {
        let error = source.text.parse::<Body>().err()?;
        Some((error.location().line(), error.location().column(), error.message().to_owned()))
    });
    match wrong {
        None => grammar::check(source),
        Some(None) => Vec::new(),
        Some(Some((line, column, message))) => {
            let Some(tree) = source.tree() else { return Vec::new() };
            let root = tree.root_node();
            if !root.has_error() {
                let told = run_on(root).map(|at| source.error(at, "a new line is missing before this"));
                return told.into_iter().collect();
            }
            // What is no Terraform may be filled in by any tool.
            if source.name().ends_with(".hcl") && (source.text.contains("${") || source.text.contains("{{")) {
                return Vec::new();
            }
            let unpaired = brackets::places(source.language, &source.text, &brackets::of_tree(root));
            let mut found: Vec<Diagnostic> =
                unpaired.into_iter().map(|fault| source.error(fault.at, fault.message)).collect();
            let message = message.lines().next().unwrap_or("not valid HCL").to_owned();
            found.push(source.on(line, column, crate::answer::diagnostic::Severity::Error, message));
            found.extend(grammar::check(source));
            found
        }
    }
}

/// The first attribute or block that begins in the line in which another one ends: the grammar takes it, HCL does not.
fn run_on(root: Node<'_>) -> Option<usize> {
    let mut found = None;
    // The row in which the last part of each body ended.
    let mut ended: HashMap<usize, usize> = HashMap::new();
    tree::walk(root, |visit| {
        let (Some(body), "attribute" | "block") = (visit.above.last(), visit.kind) else { return };
        let before = ended.insert(body.id(), visit.node.end_position().row);
        if found.is_none() && before == Some(visit.node.start_position().row) {
            found = Some(visit.node.start_byte());
        }
    });
    found
}
