//! Words of the language where a name stands: a grammar that looks words up where they fit takes all others as names, so an
//! `end` too many is a variable to it.

use crate::validate::source::Source;
use crate::validate::tree::{self, Visit, text};

const RUBY: &[&str] = &["end", "else", "elsif", "when", "then", "ensure", "rescue"];

const BRANCHES: &[&str] = &[
    "if", "else", "for", "while", "do", "switch", "case", "return", "break", "continue", "try", "catch",
    "finally", "throw", "class",
];

const GO: &[&str] = &[
    "if",
    "else",
    "for",
    "switch",
    "case",
    "return",
    "break",
    "continue",
    "func",
    "defer",
    "go",
    "select",
    "type",
    "struct",
    "package",
    "import",
    "var",
    "const",
    "range",
    "map",
    "chan",
    "interface",
    "default",
    "fallthrough",
    "goto",
];

/// The place of the first reserved word that stands for a name, and the word.
pub fn misplaced<'s>(source: &'s Source) -> Option<(usize, &'s str)> {
    let words = match source.language {
        "ruby" => RUBY,
        "java" | "csharp" => BRANCHES,
        "go" => GO,
        _ => return None,
    };
    let tree = source.tree()?;
    let mut found = None;
    tree::walk(tree.root_node(), |visit| {
        if found.is_some() || visit.kind != "identifier" {
            return;
        }
        let word = text(visit.node, &source.text);
        if words.contains(&word) && !(source.language == "ruby" && is_name(visit, &source.text)) {
            found = Some((visit.node.start_byte(), word));
        }
    });
    found
}

/// Whether Ruby takes any word where this one stands: after a dot, as the name of a method, as a key.
fn is_name(visit: &Visit<'_, '_>, text: &str) -> bool {
    let before = text[..visit.node.start_byte()].trim_end();
    let after = &text[visit.node.end_byte()..];
    before.ends_with(['.', ':'])
        || after.starts_with(':')
        || matches!(visit.up(0), "method" | "singleton_method" | "alias" | "undef")
}
