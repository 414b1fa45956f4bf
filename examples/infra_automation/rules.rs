//! Rules as data: what each kind of resource must say. `rules.json` has them; findings name the rule.

use std::sync::LazyLock;

use applications::checks::error;
use claude_code_aws::Diagnostic;
use serde::Deserialize;

use crate::node::Node;
use crate::stack::{Resource, Stack};

static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| serde_json::from_str(include_str!("rules.json")).unwrap_or_default());

#[derive(Deserialize)]
struct Rule {
    id: String,
    why: String,
    need: Vec<Need>,
}

/// What one kind of resource needs. A value that is decided elsewhere is taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Need {
    kind: String,
    /// Where its properties say it.
    path: Option<String>,
    /// Where the resource itself says it, beside its properties.
    whole: Option<String>,
    /// Another path that does as well.
    or: Option<String>,
    /// What it must be.
    is: Option<Vec<String>>,
    /// What it must not be.
    #[serde(default)]
    not: Vec<String>,
    /// Whether it must be there.
    #[serde(default)]
    has: bool,
    /// A resource of this kind must be about it.
    beside: Option<String>,
}

/// What the rules find in a stack.
pub(crate) fn check(stack: &Stack) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in RULES.iter() {
        for need in &rule.need {
            for resource in stack.of_kind(&need.kind) {
                if let Some((line, fault)) = need.fault(resource, stack) {
                    found.push(finding(&rule.id, resource, line, &format!("{fault}: {}", rule.why)));
                }
            }
        }
    }
    found
}

/// A finding of a rule, in the form in which a person and a model read it.
pub(crate) fn finding(rule: &str, resource: &Resource, line: u32, fault: &str) -> Diagnostic {
    let (file, kind, name) = (resource.file.as_str(), &resource.kind, &resource.name);
    error(Some(file), line, format!("[{rule}] {kind} `{name}`: {fault}"))
}

impl Need {
    /// The line and the words of what is wrong.
    fn fault(&self, resource: &Resource, stack: &Stack) -> Option<(u32, String)> {
        if let Some(kind) = &self.beside {
            let own = format!("{}.{}.", resource.kind, resource.name);
            let is_about = |other: &&Resource| {
                let bucket = other.properties.get("bucket").and_then(Node::as_text);
                bucket.is_some_and(|text| text.starts_with(&own))
            };
            let is_there = stack.of_kind(kind).any(|other| is_about(&other));
            return (!is_there).then(|| (resource.line, format!("no {kind} is about it")));
        }
        let (node, path) = match (&self.path, &self.whole) {
            (Some(path), _) => (&resource.properties, path),
            (None, Some(path)) => (&resource.whole, path),
            (None, None) => return None,
        };
        let values = node.at(path);
        if values.is_empty() {
            let is_other = self.or.as_ref().is_some_and(|other| !node.at(other).is_empty());
            let is_needed = (self.has || self.is.is_some()) && !is_other;
            let wanted =
                self.is.as_ref().map_or(String::new(), |is| format!(" (set it to {})", is.join(" or ")));
            return is_needed.then(|| (resource.line, format!("{path} is missing{wanted}")));
        }
        let wrong = values.into_iter().find(|value| !value.is_open() && self.is_wrong(value))?;
        let text = wrong.as_text().unwrap_or_default();
        Some((wrong.line, format!("{path} is {text}")))
    }

    fn is_wrong(&self, value: &Node) -> bool {
        let Some(text) = value.as_text() else { return false };
        self.not.iter().any(|not| not == text)
            || self.is.as_ref().is_some_and(|is| !is.iter().any(|is| is.eq_ignore_ascii_case(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_can_be_read() {
        assert!(RULES.len() >= 19, "{}", RULES.len());
        assert!(RULES.iter().all(|rule| !rule.need.is_empty() && !rule.why.is_empty()));
    }
}
