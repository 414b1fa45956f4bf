//! References between resources, and the cycles that they must not make.

use std::collections::HashMap;

use claude_code_aws::Diagnostic;

use crate::node::Node;
use crate::rules::finding;
use crate::stack::{Resource, Stack};

/// The first cycle of references, told with its way round.
pub(crate) fn cycle(stack: &Stack) -> Option<Diagnostic> {
    let index: HashMap<String, usize> =
        stack.resources.iter().enumerate().map(|(at, resource)| (address(resource), at)).collect();
    let edges: Vec<Vec<usize>> =
        stack.resources.iter().map(|resource| references(resource, &index)).collect();
    let mut done = vec![false; edges.len()];
    for start in 0..edges.len() {
        let mut way = Vec::new();
        if let Some(round) = walk(start, &edges, &mut done, &mut way) {
            let names: Vec<&str> = round.iter().map(|at| stack.resources[*at].name.as_str()).collect();
            let resource = &stack.resources[round[0]];
            let told = format!("it needs itself: {} → {}", names.join(" → "), names[0]);
            return Some(finding("cycle", resource, resource.line, &told));
        }
    }
    None
}

fn walk(at: usize, edges: &[Vec<usize>], done: &mut [bool], way: &mut Vec<usize>) -> Option<Vec<usize>> {
    if let Some(from) = way.iter().position(|seen| *seen == at) {
        return Some(way[from..].to_vec());
    }
    if done[at] {
        return None;
    }
    way.push(at);
    let found = edges[at].iter().find_map(|next| walk(*next, edges, done, way));
    way.pop();
    done[at] = found.is_none();
    found
}

/// How a resource is referred to.
fn address(resource: &Resource) -> String {
    if resource.kind.contains("::") {
        resource.name.clone()
    } else {
        format!("{}.{}", resource.kind, resource.name)
    }
}

fn references(resource: &Resource, index: &HashMap<String, usize>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut add = |name: &str| found.extend(index.get(name).copied());
    resource.whole.walk("", &mut |key, node: &Node| {
        let Some(text) = node.as_text() else { return };
        match key {
            "Ref" | "DependsOn" => add(text),
            "Fn::GetAtt" => add(text.split('.').next().unwrap_or_default()),
            "Fn::Sub" => text
                .split("${")
                .skip(1)
                .for_each(|rest| add(rest.split(['}', '.']).next().unwrap_or_default())),
            _ if resource.kind.contains("::") => {}
            _ => {
                for word in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))) {
                    let mut parts = word.split('.');
                    if let (Some(kind), Some(name)) = (parts.next(), parts.next()) {
                        add(&format!("{kind}.{name}"));
                    }
                }
            }
        }
    });
    found
}
