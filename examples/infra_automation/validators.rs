//! Validation: our own rules, and the validators that are installed. All of them speak in one round of repair.

use std::path::Path;

use applications::checks::{Commands, error};
use applications::terminal::note;
use async_trait::async_trait;
use claude_code_aws::request::SourceFile;
use claude_code_aws::{Check, CodeFile, Diagnostic};

use crate::stack::{Dialect, Stack};
use crate::{policy, rules, tools};

/// Rules of the deployment's template that every template should keep.
const KEPT: [&str; 9] = [
    "tables_are_encrypted",
    "tables_can_be_recovered",
    "buckets_are_encrypted",
    "buckets_are_versioned",
    "buckets_take_tls_only",
    "queues_are_encrypted",
    "queues_take_tls_only",
    "logs_expire",
    "no_action_is_a_star",
];
const GUARD: &str = include_str!("../../claude-code-aws/infra/guard/claude-code.guard");
pub(crate) const GUARD_FILE: &str = ".rules.guard";

/// What checks the files of a dialect.
pub(crate) struct Validators {
    kind: Dialect,
    commands: Commands,
    names: Vec<&'static str>,
}

impl Validators {
    /// Our rules, and what is installed of the dialect's tools; a warning names each that is not. `output` may have packages
    /// or plugins from a deployment before.
    pub(crate) fn find(kind: Dialect, no_tools: bool, check_unsafe: bool, output: &Path) -> Self {
        let tools = if no_tools { Vec::new() } else { tools::of(kind, output) };
        let (mut names, mut lines, mut readable) = (Vec::new(), Vec::new(), Vec::new());
        for tool in tools {
            match tool {
                Err(missing) => note(&format!("warning: {missing}")),
                Ok(tool) => {
                    names.push(tool.name);
                    lines.push(tool.line);
                    readable.extend(tool.reads);
                }
            }
        }
        Validators { kind, commands: Commands::new(&lines, check_unsafe).reading(readable), names }
    }

    /// What checks, for a person.
    pub(crate) fn names(&self) -> String {
        let mut names = vec!["own rules"];
        names.extend(&self.names);
        names.join(", ")
    }

    fn own(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let stack = Stack::of(self.kind, files);
        let mut found: Vec<Diagnostic> = stack
            .unread
            .iter()
            .map(|(file, line, why)| error(Some(file), *line, format!("[syntax] {why}")))
            .collect();
        if stack.resources.is_empty() && found.is_empty() {
            found.push(error(None, 0, format!("[no-resource] no {} resource is declared", self.kind.name())));
        }
        found.extend(rules::check(&stack));
        found.extend(policy::check(&stack));
        found
    }
}

#[async_trait]
impl Check for Validators {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let mut found = self.own(files);
        let beside = [SourceFile { path: GUARD_FILE.to_owned(), content: guard() }];
        for tool in self.commands.each(&beside) {
            found.extend(tool.check(files).await.into_iter().map(tools::softened));
        }
        found
    }
}

/// The definitions and the kept rules of the deployment's rule file.
fn guard() -> String {
    let mut text = String::new();
    let mut is_kept = true;
    for line in GUARD.lines() {
        if let Some(rule) = line.strip_prefix("rule ") {
            is_kept = KEPT.contains(&rule.split(' ').next().unwrap_or_default());
        }
        if is_kept {
            text.push_str(line);
            text.push('\n');
        }
        is_kept |= line == "}";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_rules_are_those_of_the_deployment() {
        let text = guard();
        assert_eq!(text.matches("\nrule ").count(), KEPT.len());
        assert!(text.contains("let buckets ="));
    }
}
