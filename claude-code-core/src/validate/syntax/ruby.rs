//! Blocks of Ruby without their `end`. The grammar reports an error somewhere; the counts are certain.

use tree_sitter::Node;

use crate::validate::tree;

/// Words that open a block wherever they stand.
const OPEN: [&str; 5] = ["def", "class", "module", "case", "begin"];
/// Words that open one only at the start of a statement: after it they are conditions.
const CONDITIONS: [&str; 2] = ["if", "unless"];

/// The place of the first word whose block has no `end`.
pub fn unended(root: Node<'_>, text: &str) -> Option<(usize, &'static str)> {
    let mut open: Vec<usize> = Vec::new();
    let mut loop_line = None;
    tree::walk(root, |visit| {
        let node = visit.node;
        if node.child_count() > 0 || node.is_missing() || node.is_named() {
            return;
        }
        let (start, row) = (node.start_byte(), node.start_position().row);
        let is_first = begins_statement(text, start);
        match node.kind() {
            "end" => drop(open.pop()),
            "def" if is_endless(text, start) => {}
            "do" if loop_line != Some(row) => open.push(start),
            "for" | "while" | "until" if is_first => {
                loop_line = Some(row);
                open.push(start);
            }
            kind if OPEN.contains(&kind) || CONDITIONS.contains(&kind) && is_first => open.push(start),
            _ => {}
        }
    });
    open.first().map(|at| (*at, "the block that begins here, or one after it, has no `end`"))
}

/// Whether nothing but an assignment or a bracket stands before it on its line.
fn begins_statement(text: &str, start: usize) -> bool {
    let before = text[..start].rsplit('\n').next().unwrap_or("").trim_end();
    before.is_empty()
        || before.ends_with(['=', '(', ';', '{', '|', ',', '[', '>'])
        || before.ends_with("return")
}

/// `def f(x) = x + 1`
fn is_endless(text: &str, start: usize) -> bool {
    let line = text[start..].lines().next().unwrap_or("");
    let after = line.rfind(')').map_or(line, |at| &line[at + 1..]);
    let bare = line.split_whitespace().nth(2) == Some("=");
    after.trim_start().starts_with("= ") || bare
}
