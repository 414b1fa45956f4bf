//! Parsing with tree-sitter, and one way to walk a tree.

use tree_sitter::{Language, Node, Parser, Tree};

use super::tags;

/// Deepest nesting of brackets or tags that is parsed. Real code has under 50, generated data seldom 100.
pub const MAX_DEPTH: usize = 300;

/// How far up a walk looks: chains of operators nest as deep as they are long.
const MAX_ABOVE: usize = 500;

/// The grammar of a language in this build.
pub fn grammar(language: &str) -> Option<Language> {
    Some(match language {
        "python" => tree_sitter_python::LANGUAGE.into(),
        "javascript" => tree_sitter_javascript::LANGUAGE.into(),
        "typescript" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        "tsx" => tree_sitter_typescript::LANGUAGE_TSX.into(),
        "go" => tree_sitter_go::LANGUAGE.into(),
        "java" => tree_sitter_java::LANGUAGE.into(),
        "rust" => tree_sitter_rust::LANGUAGE.into(),
        "c" => tree_sitter_c::LANGUAGE.into(),
        "bash" => tree_sitter_bash::LANGUAGE.into(),
        "html" => tree_sitter_html::LANGUAGE.into(),
        "css" => tree_sitter_css::LANGUAGE.into(),
        "terraform" => tree_sitter_hcl::LANGUAGE.into(),
        #[cfg(feature = "syntax-all")]
        "csharp" => tree_sitter_c_sharp::LANGUAGE.into(),
        #[cfg(feature = "syntax-all")]
        "cpp" => tree_sitter_cpp::LANGUAGE.into(),
        #[cfg(feature = "syntax-all")]
        "php" => tree_sitter_php::LANGUAGE_PHP.into(),
        #[cfg(feature = "syntax-all")]
        "php-part" => tree_sitter_php::LANGUAGE_PHP_ONLY.into(),
        #[cfg(feature = "syntax-all")]
        "ruby" => tree_sitter_ruby::LANGUAGE.into(),
        #[cfg(feature = "syntax-all")]
        "sql" => tree_sitter_sequel::LANGUAGE.into(),
        _ => return None,
    })
}

/// The tree of a text; none without a grammar, or if brackets are nested so deep that a parser's recovery, which
/// is quadratic in depth, would take seconds.
pub fn parse(language: &str, text: &str) -> Option<Tree> {
    if depth(text) > MAX_DEPTH || language == "html" && tags::depth(text) > MAX_DEPTH {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&grammar(language)?).ok()?;
    parser.parse(text, None)
}

/// Deepest nesting of each kind of bracket, strings and comments included: it only has to bound.
fn depth(text: &str) -> usize {
    let deepest = |open: u8, close: u8| {
        let (mut depth, mut deepest) = (0_usize, 0);
        for byte in text.bytes() {
            if byte == open {
                depth += 1;
                deepest = deepest.max(depth);
            } else if byte == close {
                depth = depth.saturating_sub(1);
            }
        }
        deepest
    };
    [(b'(', b')'), (b'[', b']'), (b'{', b'}')]
        .iter()
        .map(|(open, close)| deepest(*open, *close))
        .max()
        .unwrap_or(0)
}

/// A node on a walk, with what it is to its parent.
pub struct Visit<'v, 't> {
    pub node: Node<'t>,
    /// Its kind, read once: the grammar's table is text that is checked at every look.
    pub kind: &'t str,
    /// The nodes above it, the root first.
    pub above: &'v [Node<'t>],
    kinds: &'v [&'t str],
}

impl<'t> Visit<'_, 't> {
    /// Kind of the node n levels up: 0 is the parent. Empty above the root.
    pub fn up(&self, n: usize) -> &'t str {
        self.kinds.len().checked_sub(n + 1).map_or("", |at| self.kinds[at])
    }

    /// The nearest nodes above, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Node<'t>> {
        self.above.iter().rev().take(MAX_ABOVE).copied()
    }

    /// The nearest node above of one of these kinds.
    pub fn enclosing(&self, kinds: &[&str]) -> Option<Node<'t>> {
        let mut above = self.kinds.iter().rev().zip(self.ancestors());
        above.find(|(kind, _)| kinds.contains(kind)).map(|(_, node)| node)
    }
}

/// Visits every node, parents first, without recursion: depth is in the model's hand.
pub fn walk<'t>(root: Node<'t>, mut visit: impl FnMut(&Visit<'_, 't>)) {
    let mut cursor = root.walk();
    let mut above: Vec<Node<'t>> = Vec::new();
    let mut kinds: Vec<&'t str> = Vec::new();
    loop {
        let node = cursor.node();
        let kind = node.kind();
        visit(&Visit { node, kind, above: &above, kinds: &kinds });
        if cursor.goto_first_child() {
            above.push(node);
            kinds.push(kind);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            above.pop();
            kinds.pop();
        }
    }
}

/// The children of a node that grammars name.
pub fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// The text of a node.
pub fn text<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    source.get(node.byte_range()).unwrap_or("")
}
