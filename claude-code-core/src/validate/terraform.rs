//! Terraform basics over all .tf files of a directory: addresses once, references that lead somewhere.

use std::collections::{BTreeMap, HashMap};

use tree_sitter::Node;

use super::hint::Hints;
use super::source::Source;
use super::tree::{self, children, text};
use crate::answer::diagnostic::{Diagnostic, Severity};

/// First parts of references that lead to no resource.
const OWN: [&str; 10] =
    ["var", "local", "module", "data", "each", "count", "self", "path", "terraform", "ephemeral"];

/// What a directory of Terraform declares.
#[derive(Default)]
struct Declared {
    /// `var.x`, `local.x`, `module.x`, `data.t.x` and `t.x`, with the file of the first one.
    addresses: HashMap<String, usize>,
    hints: Hints,
}

/// A reference with its file and place.
struct Reference {
    address: String,
    file: usize,
    offset: usize,
}

/// Faults of each directory's files, with the index of the file.
pub fn check(sources: &[Source], sound: &[bool]) -> Vec<(usize, Diagnostic)> {
    let mut directories: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        let path = source.path.filter(|path| path.ends_with(".tf") && source.language == "terraform");
        if let Some(path) = path {
            directories
                .entry(path.rsplit_once('/').map_or("", |(directory, _)| directory))
                .or_default()
                .push(index);
        }
    }
    let mut found = Vec::new();
    for files in directories.values() {
        if files.iter().all(|file| sound[*file] && !sources[*file].is_fragment()) {
            found.extend(directory(sources, files));
        }
    }
    found
}

fn directory(sources: &[Source], files: &[usize]) -> Vec<(usize, Diagnostic)> {
    let mut declared = Declared::default();
    let mut references = Vec::new();
    let mut found = Vec::new();
    for file in files {
        let source = &sources[*file];
        let Some(tree) = source.tree() else { return found };
        for (address, offset) in declarations(tree.root_node(), &source.text) {
            let first = declared.addresses.insert(address.clone(), *file);
            // Terraform merges what an override file declares again.
            if let Some(first) = first.filter(|_| !source.name().ends_with("override.tf")) {
                let path = sources[first].path.unwrap_or("");
                found.push((
                    *file,
                    source.error(offset, format!("`{address}` is declared twice; first in {path}")),
                ));
            }
        }
        references.extend(self::references(tree.root_node(), source, *file));
    }
    for reference in references {
        if let Some((severity, message)) = missing(&declared, &reference.address) {
            found.push((reference.file, sources[reference.file].at(reference.offset, severity, message)));
        }
    }
    found
}

/// A module's other files lie in the same directory: only an address that is nearly one of those here is a slip.
fn missing(declared: &Declared, address: &str) -> Option<(Severity, String)> {
    if declared.addresses.contains_key(address) {
        return None;
    }
    let kind = |address: &str| address.rsplit_once('.').map(|(kind, _)| kind.to_owned());
    let same = declared.addresses.keys().map(String::as_str).filter(|other| kind(other) == kind(address));
    let same: Vec<&str> = same.collect();
    let near = declared.hints.of(address, same.iter().copied());
    // What is before the name is the same in all of them.
    let own = |address: &str| address.rsplit('.').next().unwrap_or("").len();
    let names = same.iter().map(|other| &other[other.len() - own(other)..]);
    let severity = declared.hints.of(&address[address.len() - own(address)..], names).severity();
    Some((severity, format!("`{address}` is not declared{near}")))
}

/// The blocks at the top of a file as addresses, with their places.
fn declarations(root: Node<'_>, source: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let bodies = children(root).into_iter().filter(|node| node.kind() == "body");
    for block in bodies.flat_map(children).filter(|node| node.kind() == "block") {
        let parts = children(block);
        let labels: Vec<&str> = parts
            .iter()
            .filter(|part| matches!(part.kind(), "identifier" | "string_lit"))
            .map(|part| text(*part, source).trim_matches('"'))
            .collect();
        let address = match labels.as_slice() {
            ["variable", name] => format!("var.{name}"),
            ["module", name] => format!("module.{name}"),
            ["resource", kind, name] => format!("{kind}.{name}"),
            ["data" | "ephemeral", kind, name] => format!("{}.{kind}.{name}", labels[0]),
            ["locals"] => {
                let body = parts.into_iter().filter(|part| part.kind() == "body");
                let attributes = body.flat_map(children).filter(|node| node.kind() == "attribute");
                found.extend(attributes.filter_map(|attribute| {
                    let name = attribute.named_child(0)?;
                    Some((format!("local.{}", text(name, source)), attribute.start_byte()))
                }));
                continue;
            }
            _ => continue,
        };
        found.push((address, block.start_byte()));
    }
    found
}

/// Every `a.b` in expressions that means a declaration.
fn references(root: Node<'_>, source: &Source, file: usize) -> Vec<Reference> {
    let mut found = Vec::new();
    tree::walk(root, |visit| {
        let node = visit.node;
        let Some(first) = node.named_child(0).filter(|_| node.kind() == "expression") else { return };
        if first.kind() != "variable_expr" || is_meta(visit, &source.text) {
            return;
        }
        let written = children(node);
        let mut parts = vec![text(first, &source.text)];
        for part in written.iter().skip(1).take_while(|part| part.kind() == "get_attr") {
            parts.push(text(*part, &source.text).trim_start_matches('.').trim());
        }
        let address = match parts.as_slice() {
            ["var" | "local" | "module", name, ..] => format!("{}.{name}", parts[0]),
            ["data" | "ephemeral", kind, name, ..] => format!("{}.{kind}.{name}", parts[0]),
            // Names of resources have an underscore; names of `for` loops are free.
            [kind, name, ..] if !OWN.contains(kind) && kind.starts_with("aws_") => format!("{kind}.{name}"),
            _ => return,
        };
        found.push(Reference { address, file, offset: node.start_byte() });
    });
    found
}

/// `provider = aws.west` and type constraints are no references, `providers` neither; `from` in a `moved` or `removed`
/// block names what is no longer there.
fn is_meta(visit: &tree::Visit<'_, '_>, source: &str) -> bool {
    let attribute = visit.enclosing(&["attribute"]).and_then(|node| node.named_child(0));
    let block = visit.enclosing(&["block"]).and_then(|node| node.named_child(0));
    attribute.is_some_and(|name| match text(name, source) {
        "provider" | "providers" | "type" => true,
        "from" => block.is_some_and(|block| matches!(text(block, source), "moved" | "removed")),
        _ => false,
    })
}
