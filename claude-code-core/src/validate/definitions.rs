//! The definitions of a file: what its functions, types and constants are called and where they stand, by its tree; in
//! languages without a grammar by how their lines begin.

use std::ops::Range;

#[cfg(feature = "syntax")]
use tree_sitter::Node;

use super::by_lines;
#[cfg(feature = "syntax")]
use super::tree;

/// Something at one level of a file: a definition, another statement, or a comment that stands alone.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// What it defines; empty for anything else.
    pub names: Vec<String>,
    /// Where it stands, with the comments and attributes right above it.
    pub range: Range<usize>,
    /// The same without them.
    pub core: Range<usize>,
    /// The inside of its body, without braces.
    pub body: Option<Range<usize>>,
    /// What stands in it, of a type or module.
    pub items: Vec<Item>,
    pub is_comment: bool,
    /// A value that only this file knows: gone, it is missed only where it is used.
    pub is_local_value: bool,
    /// It holds items of its own.
    pub is_container: bool,
}

/// A definition of a file.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name with those of the types and modules around it.
    pub name: String,
    /// Its own name.
    pub own: String,
    pub is_local_value: bool,
    /// It can hold items of its own.
    pub is_container: bool,
    pub core: Range<usize>,
}

/// Every definition of a text, outer ones before inner ones.
pub fn definitions(language: &str, text: &str) -> Vec<Definition> {
    let mut found = Vec::new();
    flatten(&items(language, text).unwrap_or_else(|| by_lines::items(language, text)), "", &mut found);
    found
}

fn flatten(items: &[Item], above: &str, found: &mut Vec<Definition>) {
    for item in items {
        for own in &item.names {
            let name = if above.is_empty() { own.clone() } else { format!("{above}.{own}") };
            let Item { is_local_value, is_container, .. } = *item;
            let core = item.core.clone();
            found.push(Definition { name, own: own.clone(), is_local_value, is_container, core });
        }
        let inner = match item.names.first() {
            Some(own) if above.is_empty() => own.clone(),
            Some(own) => format!("{above}.{own}"),
            None => above.to_owned(),
        };
        flatten(&item.items, &inner, found);
    }
}

/// The items of a text's first level; none without a grammar for its language in this build.
#[cfg(not(feature = "syntax"))]
pub fn items(_: &str, _: &str) -> Option<Vec<Item>> {
    None
}

/// The items of a text's first level; none without a grammar for its language in this build.
#[cfg(feature = "syntax")]
pub fn items(language: &str, text: &str) -> Option<Vec<Item>> {
    if matches!(language, "html" | "css" | "sql") {
        return None;
    }
    // A part of PHP has no tag around it.
    let is_part = language == "php" && !text.contains("<?");
    let tree = tree::parse(if is_part { "php-part" } else { language }, text)?;
    let root = tree.root_node();
    if is_part && root.has_error() {
        return None;
    }
    // Terraform's files have one body around all blocks.
    let only = tree::children(root).into_iter().find(|child| child.kind() == "body");
    Some(of_level(only.unwrap_or(root), text, MAX_LEVELS))
}

/// Levels of types and modules that are looked into.
#[cfg(feature = "syntax")]
const MAX_LEVELS: usize = 8;

/// Nodes that define what their field `name` says.
#[cfg(feature = "syntax")]
const NAMED: &str = "
    function_definition class_definition function_declaration generator_function_declaration class_declaration
    abstract_class_declaration method_definition interface_declaration type_alias_declaration enum_declaration
    function_signature internal_module module function_item struct_item enum_item union_item trait_item mod_item const_item
    static_item type_item macro_definition function_signature_item record_declaration annotation_type_declaration
    method_declaration constructor_declaration struct_specifier union_specifier enum_specifier class_specifier
    struct_declaration property_declaration namespace_declaration delegate_declaration trait_declaration method
    singleton_method class namespace_definition type_alias_statement alias_declaration concept_definition preproc_def
    preproc_function_def
";

/// Nodes whose members are items.
#[cfg(feature = "syntax")]
const CONTAINERS: &str = "
    class_definition class_declaration abstract_class_declaration interface_declaration enum_declaration trait_item impl_item
    mod_item record_declaration struct_declaration class_specifier struct_specifier namespace_definition
    namespace_declaration trait_declaration class module internal_module singleton_class
";

/// Nodes that stand around definitions and are none.
#[cfg(feature = "syntax")]
const AROUND: &str = "
    if_statement try_statement else_clause except_clause finally_clause preproc_if preproc_ifdef preproc_else preproc_elif
    linkage_specification declaration_list enum_body_declarations block
";

/// Bodies where no field names them.
#[cfg(feature = "syntax")]
const BODIES: &str = "
    block class_body declaration_list interface_body enum_body field_declaration_list body_statement body statement_block
    compound_statement
";

#[cfg(feature = "syntax")]
fn is_one_of(list: &str, kind: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == kind)
}

#[cfg(feature = "syntax")]
fn of_level(parent: Node<'_>, text: &str, levels: usize) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    // Comments and attributes that may belong to what follows.
    let mut above: Vec<Range<usize>> = Vec::new();
    for node in tree::children(parent) {
        let range = node.byte_range();
        let kind = node.kind();
        let is_comment = kind.contains("comment");
        if is_comment || matches!(kind, "attribute_item" | "decorator" | "attribute_list") {
            let same_line = items.last_mut().filter(|last| !text[last.range.end..range.start].contains('\n'));
            match same_line.filter(|_| above.is_empty()) {
                Some(last) => last.range.end = range.end,
                None => {
                    settle_comments(&mut items, &mut above, text, range.start);
                    above.push(range);
                }
            }
            continue;
        }
        settle_comments(&mut items, &mut above, text, range.start);
        let start = above.first().map_or(range.start, |first| first.start);
        above.clear();
        items.push(item(node, text, levels, start..range.end));
    }
    items.extend(above.into_iter().map(alone));
    items
}

/// Makes items of comments that a blank line parts from what begins here.
#[cfg(feature = "syntax")]
fn settle_comments(items: &mut Vec<Item>, above: &mut Vec<Range<usize>>, text: &str, next: usize) {
    let last = above.last().map(|last| last.end);
    if last.is_some_and(|end| text.get(end..next).unwrap_or("").matches('\n').count() > 1) {
        items.extend(above.drain(..).map(alone));
    }
}

#[cfg(feature = "syntax")]
fn alone(range: Range<usize>) -> Item {
    Item { core: range.clone(), range, is_comment: true, ..Item::default() }
}

#[cfg(feature = "syntax")]
fn item(outer: Node<'_>, text: &str, levels: usize, range: Range<usize>) -> Item {
    let node = unwrapped(outer);
    let body = node
        .child_by_field_name("body")
        .or_else(|| tree::children(node).into_iter().find(|child| is_one_of(BODIES, child.kind())));
    let is_container = is_one_of(CONTAINERS, node.kind());
    let is_around = is_one_of(AROUND, node.kind());
    let items = match body.filter(|_| is_container && levels > 0) {
        Some(body) => of_level(body, text, levels - 1),
        None if is_around && levels > 0 => of_level(node, text, levels - 1),
        None => Vec::new(),
    };
    Item {
        names: names(node, text),
        range,
        core: outer.byte_range(),
        body: body.map(|body| inside(body.byte_range(), text)),
        items,
        is_comment: false,
        is_local_value: is_local_value(outer, node, text),
        is_container,
    }
}

/// Whether it is a value that no other file asks for: not exported, no function, no constant by its name.
#[cfg(feature = "syntax")]
fn is_local_value(outer: Node<'_>, node: Node<'_>, text: &str) -> bool {
    let is_capital =
        |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    match node.kind() {
        "lexical_declaration" | "variable_declaration" => {
            let values =
                tree::children(node).into_iter().filter_map(|child| child.child_by_field_name("value"));
            let is_code = |value: Node<'_>| {
                ["function", "class", "arrow"].iter().any(|part| value.kind().contains(part))
            };
            outer.kind() != "export_statement" && !values.into_iter().any(is_code)
        }
        "expression_statement" | "assignment" => assigned(node, text).is_some_and(|name| !is_capital(&name)),
        _ => false,
    }
}

/// A body's range without its braces.
#[cfg(feature = "syntax")]
fn inside(range: Range<usize>, text: &str) -> Range<usize> {
    let body = text.get(range.clone()).unwrap_or("");
    if body.starts_with('{') && body.ends_with('}') && body.len() > 1 {
        range.start + 1..range.end - 1
    } else {
        range
    }
}

/// The definition within what marks it as exported, decorated or generic.
#[cfg(feature = "syntax")]
fn unwrapped(mut node: Node<'_>) -> Node<'_> {
    for _ in 0..4 {
        let inner = match node.kind() {
            "export_statement" => node.child_by_field_name("declaration"),
            "decorated_definition" => node.child_by_field_name("definition"),
            "ambient_declaration" | "template_declaration" => tree::children(node).into_iter().next_back(),
            _ => None,
        };
        let Some(inner) = inner else { break };
        node = inner;
    }
    node
}

#[cfg(feature = "syntax")]
fn names(node: Node<'_>, text: &str) -> Vec<String> {
    let field =
        |node: Node<'_>, name: &str| node.child_by_field_name(name).map(|n| tree::text(n, text).to_owned());
    let of_children = |kinds: &[&str], name: &str| -> Vec<String> {
        let children = tree::children(node).into_iter().filter(|child| kinds.contains(&child.kind()));
        children.filter_map(|child| field(child, name)).collect()
    };
    match node.kind() {
        "lexical_declaration" | "variable_declaration" => of_children(&["variable_declarator"], "name"),
        "const_declaration" => of_children(&["const_spec", "const_element"], "name"),
        "var_declaration" => of_children(&["var_spec"], "name"),
        "type_declaration" => of_children(&["type_spec", "type_alias"], "name"),
        "expression_statement" | "assignment" => assigned(node, text).into_iter().collect(),
        "impl_item" => {
            let own = field(node, "type").unwrap_or_default();
            vec![
                field(node, "trait")
                    .map_or_else(|| format!("impl {own}"), |of| format!("impl {of} for {own}")),
            ]
        }
        "method_declaration" if node.child_by_field_name("receiver").is_some() => {
            let receiver = field(node, "receiver").unwrap_or_default();
            let of = receiver.trim_matches(['(', ')']).rsplit([' ', '*']).next().unwrap_or("").to_owned();
            field(node, "name").map(|name| format!("{of}.{name}")).into_iter().collect()
        }
        "block" => labelled(node, text).into_iter().collect(),
        "function_definition" | "type_definition" | "declaration" => {
            field(node, "name").or_else(|| declared(node, text)).into_iter().collect()
        }
        kind if is_one_of(NAMED, kind) => field(node, "name").into_iter().collect(),
        _ => Vec::new(),
    }
}

/// `NAME = …`, `exports.name = …`.
#[cfg(feature = "syntax")]
fn assigned(node: Node<'_>, text: &str) -> Option<String> {
    let inner = if node.kind() == "assignment" { node } else { tree::children(node).into_iter().next()? };
    if !matches!(inner.kind(), "assignment" | "assignment_expression") {
        return None;
    }
    let left = inner.child_by_field_name("left")?;
    matches!(left.kind(), "identifier" | "constant" | "member_expression")
        .then(|| tree::text(left, text).to_owned())
}

/// `resource "aws_s3_bucket" "data"`: a block of Terraform. Blocks of code have no labels.
#[cfg(feature = "syntax")]
fn labelled(node: Node<'_>, text: &str) -> Option<String> {
    let parts = tree::children(node)
        .into_iter()
        .take_while(|child| matches!(child.kind(), "identifier" | "string_lit"));
    let parts: Vec<&str> = parts.map(|part| tree::text(part, text).trim_matches('"')).collect();
    (!parts.is_empty()).then(|| parts.join("."))
}

/// What a declarator of C or C++ declares: functions with a body, types, and variables with a value.
#[cfg(feature = "syntax")]
fn declared(node: Node<'_>, text: &str) -> Option<String> {
    let mut at = node.child_by_field_name("declarator")?;
    if node.kind() == "declaration" && at.kind() != "init_declarator" {
        return None;
    }
    for _ in 0..8 {
        match at.child_by_field_name("declarator") {
            Some(inner) => at = inner,
            None => break,
        }
    }
    Some(tree::text(at, text).to_owned()).filter(|name| !name.is_empty() && !name.contains(['(', '\n']))
}
