//! CloudFormation basics: resources with types, references that lead somewhere.

use std::collections::HashSet;

use super::hint::Hints;
use super::source::Source;
use super::syntax::yaml::{self, Node, Value};
use crate::answer::diagnostic::{Diagnostic, Severity};

/// Parameters that every template has.
const PSEUDO: &str = "AWS::";

/// Faults of each template among the files, with the index of its file.
pub fn check(sources: &[Source], sound: &[bool]) -> Vec<(usize, Diagnostic)> {
    let mut found = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let is_data = matches!(source.language, "yaml" | "json") && sound[index] && !source.is_fragment();
        let may_be =
            source.text.contains("AWS::") && source.text.contains("Resources") && !source.text.contains("{{");
        if !is_data || !may_be {
            continue;
        }
        // JSON is YAML for our purpose, and so has places.
        let documents = yaml::documents(&source.text);
        if let Some(root) = documents.first().filter(|root| is_template(root)) {
            found.extend(template(source, root).into_iter().map(|diagnostic| (index, diagnostic)));
        }
    }
    found
}

fn is_template(root: &Node) -> bool {
    let declared = ["AWSTemplateFormatVersion", "Transform"].iter().any(|key| root.get(key).is_some());
    declared
        || root
            .get("Resources")
            .is_some_and(|resources| resources.entries().iter().any(|(_, r)| r.get("Type").is_some()))
}

fn template(source: &Source, root: &Node) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some(resources) = root.get("Resources") else {
        return vec![source.on(root.line, root.column, Severity::Error, "the template has no Resources")];
    };
    for (name, resource) in resources.entries() {
        let is_loop = name.text().is_some_and(|n| n.starts_with("Fn::"));
        if resource.get("Type").is_none() && !is_loop {
            let message = format!("the resource `{}` has no Type", name.text().unwrap_or(""));
            found.push(source.on(name.line, name.column, Severity::Error, message));
        }
    }
    // Macros and loops make names that cannot be seen; SAM makes resources beside those written.
    if source.text.contains("Fn::ForEach")
        || source.text.contains("Fn::Transform")
        || source.text.contains("AWS::Include")
    {
        return found;
    }
    // So do modules, which bring resources that begin with their name.
    let is_sam = source.text.contains("AWS::Serverless") || source.text.contains("::MODULE");
    let names = |section: &str| {
        let section = root.get(section).map(Node::entries).unwrap_or_default();
        section.iter().filter_map(|(key, _)| key.text()).collect::<Vec<&str>>()
    };
    let mut known: HashSet<&str> = names("Resources").into_iter().collect();
    known.extend(names("Parameters"));
    let mut look = Look {
        source,
        known: &known,
        conditions: names("Conditions"),
        is_sam,
        hints: Hints::default(),
        found: &mut found,
    };
    look.at(root);
    found
}

/// Looks through a template for references.
struct Look<'l> {
    source: &'l Source<'l>,
    known: &'l HashSet<&'l str>,
    conditions: Vec<&'l str>,
    is_sam: bool,
    hints: Hints,
    found: &'l mut Vec<Diagnostic>,
}

impl Look<'_> {
    fn at(&mut self, node: &Node) {
        match node.tag.as_deref() {
            Some("!Ref") => self.reference(node, node.text().unwrap_or("")),
            Some("!GetAtt") => self.attribute(node),
            Some("!Sub") => self.substitution(node),
            Some("!Condition") => self.condition(node),
            _ => {}
        }
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.at(item)),
            Value::Map(entries) => entries.iter().for_each(|(key, value)| {
                match key.text() {
                    Some("Ref") if entries.len() == 1 => self.reference(value, value.text().unwrap_or("")),
                    Some("Fn::GetAtt") if entries.len() == 1 => self.attribute(value),
                    Some("Fn::Sub") if entries.len() == 1 => self.substitution(value),
                    Some("DependsOn") => self.depends(value),
                    _ => {}
                }
                self.at(value);
            }),
            _ => {}
        }
    }

    fn reference(&mut self, node: &Node, name: &str) {
        let is_made = self.is_sam && self.known.iter().any(|known| name.starts_with(known));
        if name.is_empty()
            || name.starts_with(PSEUDO)
            || self.known.contains(name)
            || is_made
            || self.is_sam && name == "ServerlessRestApi"
        {
            return;
        }
        let near = self.hints.of(name, self.known.iter().copied());
        let severity = if self.is_sam && near.is_empty() { Severity::Warning } else { Severity::Error };
        let message = format!("`{name}` is neither a resource nor a parameter{near}");
        self.found.push(self.source.on(node.line, node.column, severity, message));
    }

    fn attribute(&mut self, node: &Node) {
        let name = match &node.value {
            Value::Scalar(text) => text.split('.').next().unwrap_or("").to_owned(),
            Value::List(items) => items.first().and_then(Node::text).unwrap_or("").to_owned(),
            _ => return,
        };
        self.reference(node, &name);
    }

    fn condition(&mut self, node: &Node) {
        let name = node.text().unwrap_or("");
        if !self.conditions.contains(&name) {
            let message = format!(
                "there is no condition `{name}`{}",
                self.hints.of(name, self.conditions.iter().copied())
            );
            self.found.push(self.source.on(node.line, node.column, Severity::Error, message));
        }
    }

    fn depends(&mut self, node: &Node) {
        match &node.value {
            Value::Scalar(name) => self.reference(node, &name.clone()),
            Value::List(items) => {
                items.iter().for_each(|item| self.reference(item, item.text().unwrap_or("")))
            }
            _ => {}
        }
    }

    /// `${Name}` and `${Name.Attribute}`; `${!Name}` is text, and a list brings variables of its own.
    fn substitution(&mut self, node: &Node) {
        let (text, own) = match &node.value {
            Value::Scalar(text) => (text.as_str(), Vec::new()),
            Value::List(items) => {
                let own = items.get(1).map(Node::entries).unwrap_or_default();
                let names = own.iter().filter_map(|(key, _)| key.text()).collect();
                (items.first().and_then(Node::text).unwrap_or(""), names)
            }
            _ => return,
        };
        for part in text.split("${").skip(1) {
            let inner = part.split('}').next().unwrap_or("").trim();
            let name = inner.split('.').next().unwrap_or("");
            if !inner.starts_with('!') && !own.contains(&inner) && !own.contains(&name) {
                self.reference(node, name);
            }
        }
    }
}
