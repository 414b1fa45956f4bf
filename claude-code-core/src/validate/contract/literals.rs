//! Strings in JavaScript, TypeScript and Go, where they are plain enough to be read as SQL.

use crate::validate::source::Source;
use crate::validate::tree::{self, text};

/// Words with which SQL in a string begins.
const VERBS: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE", "CREATE", "ALTER"];

/// The content of each string with the place where it begins.
pub fn of<'s>(source: &'s Source) -> Vec<(usize, &'s str)> {
    let kinds: &[&str] = match source.language {
        "javascript" | "typescript" | "tsx" => &["string", "template_string"],
        "go" => &["interpreted_string_literal", "raw_string_literal"],
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    // Parsing is what costs here.
    if !VERBS.iter().any(|verb| memchr::memmem::find(source.text.as_bytes(), verb.as_bytes()).is_some()) {
        return found;
    }
    let Some(tree) = source.tree() else { return found };
    tree::walk(tree.root_node(), |visit| {
        // A part of a longer text is no statement.
        let is_part = matches!(visit.up(0), "binary_expression" | "import_statement" | "import_spec");
        if is_part || !kinds.contains(&visit.kind) {
            return;
        }
        let written = text(visit.node, &source.text);
        let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or("");
        // An escaped quote would read as another piece of SQL.
        if !inner.contains("\\\"") && !inner.contains("\\'") && !inner.contains("\\`") {
            found.push((visit.node.start_byte() + 1, inner));
        }
    });
    found
}
