//! Values with their lines: what a template holds, whatever language it is written in.

/// A value and the line on which it begins, from 1.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A scalar.
    Text(String),
    /// A name or an expression, as it is written.
    Expression(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn text(line: u32, text: impl Into<String>) -> Self {
        Node { line, value: Value::Text(text.into()) }
    }

    pub(crate) fn map(line: u32, entries: Vec<(String, Node)>) -> Self {
        Node { line, value: Value::Map(entries) }
    }

    /// The text of a scalar, or of an expression.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Expression(text) => Some(text),
            _ => None,
        }
    }

    /// Whether its value is decided elsewhere: a variable, a parameter, a function.
    pub(crate) fn is_open(&self) -> bool {
        const ELSEWHERE: [&str; 7] = ["var.", "local.", "data.", "each.", "props.", "this.", "config."];
        match &self.value {
            Value::Map(_) => true,
            Value::Expression(text) => {
                text.ends_with('…') || ELSEWHERE.iter().any(|begin| text.starts_with(begin))
            }
            _ => false,
        }
    }

    /// The entries of a mapping; none for others.
    pub(crate) fn entries(&self) -> &[(String, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; a single value is a list of one.
    pub(crate) fn items(&self) -> Vec<&Node> {
        match &self.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![self],
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The values at a path of keys; lists on the way are gone through.
    pub(crate) fn at(&self, path: &str) -> Vec<&Node> {
        let mut found = vec![self];
        for key in path.split('.') {
            found = found.iter().flat_map(|node| node.items()).filter_map(|node| node.get(key)).collect();
        }
        found.into_iter().flat_map(Node::items).collect()
    }

    /// This value and all that are in it, with the key that each stands under.
    pub(crate) fn walk<'n>(&'n self, key: &'n str, see: &mut impl FnMut(&'n str, &'n Node)) {
        see(key, self);
        match &self.value {
            Value::Text(_) | Value::Expression(_) => {}
            Value::List(items) => items.iter().for_each(|item| item.walk(key, see)),
            Value::Map(entries) => entries.iter().for_each(|(key, value)| value.walk(key, see)),
        }
    }
}
