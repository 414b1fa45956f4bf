//! Rust, by syn and a second opinion: an error is what both parsers refuse.

use super::nesting::{self, Ends, Need};
use super::{Fault, brackets, grammar};
use crate::answer::diagnostic::Diagnostic;
use crate::validate::source::Source;

const NEED: Need = Need { ends: Ends::Mark, frame: 1_500 };

/// Syntax errors. The grammar reads editions and fragments that syn does not, syn what is newer than the grammar.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let judged = || nesting::within(&source.text, NEED, || judge(&source.text));
    match if nesting::has_open_angles(&source.text) { None } else { judged() } {
        None => grammar::check(source),
        Some(None) => Vec::new(),
        Some(Some(fault)) => {
            let Some(tree) = source.tree() else { return Vec::new() };
            let root = tree.root_node();
            let unpaired = brackets::unpaired(&source.text, &brackets::of_tree(root));
            if !root.has_error() && unpaired.is_empty() {
                return Vec::new();
            }
            let places = brackets::places(source.language, &source.text, &brackets::of_tree(root));
            let mut found: Vec<Diagnostic> =
                places.into_iter().map(|fault| source.error(fault.at, fault.message)).collect();
            found.push(source.error(fault.at, fault.message));
            found.extend(grammar::check(source));
            found
        }
    }
}

fn judge(text: &str) -> Option<Fault> {
    let body = text.strip_prefix("#!").filter(|rest| !rest.trim_start().starts_with('['));
    let error = match body {
        Some(_) => syn::parse_file(text).err()?,
        None => syn::parse_str::<syn::File>(text).err()?,
    };
    let place = error.span().start();
    let start: usize = text.split_inclusive('\n').take(place.line.saturating_sub(1)).map(str::len).sum();
    let line = text.get(start..).unwrap_or("");
    let at = start + line.char_indices().nth(place.column).map_or(0, |(at, _)| at);
    Some(Fault { at, message: error.to_string() })
}
