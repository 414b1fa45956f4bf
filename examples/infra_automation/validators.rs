//! Validation: our own rules, and the validators that are installed. All of them speak in one round of repair.

use std::path::Path;

use applications::checks::{Commands, error};
use async_trait::async_trait;
use claude_code_aws::request::SourceFile;
use claude_code_aws::{Check, CodeFile, Diagnostic};

use crate::stack::{Dialect, Stack};
use crate::{policy, rules};

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
const GUARD_FILE: &str = ".rules.guard";

/// What checks the files of a dialect.
pub(crate) struct Validators {
    kind: Dialect,
    commands: Commands,
    names: Vec<String>,
}

impl Validators {
    /// Our rules, and what is installed of the dialect's tools.
    pub(crate) fn find(kind: Dialect, no_tools: bool, check_unsafe: bool) -> Self {
        let tools: &[(&str, &str)] = match kind {
            _ if no_tools => &[],
            Dialect::Cloudformation => &[
                (
                    "cfn-lint",
                    "cfn-lint --non-zero-exit-code error --format parseable $(grep -rl 'Resources' --include='*.y*ml' --include='*.json' .)",
                ),
                (
                    "cfn-guard",
                    "cfn-guard validate -r .rules.guard $(grep -rl 'Resources' --include='*.y*ml' --include='*.json' . | sed 's/^/-d /')",
                ),
            ],
            Dialect::Terraform => &[("terraform", "terraform fmt -check -diff -recursive")],
            Dialect::Cdk => &[],
        };
        let installed: Vec<&(&str, &str)> = tools.iter().filter(|(name, _)| is_installed(name)).collect();
        let lines: Vec<String> = installed.iter().map(|(_, line)| (*line).to_owned()).collect();
        let names = installed.iter().map(|(name, _)| (*name).to_owned()).collect();
        Validators { kind, commands: Commands::new(&lines, check_unsafe), names }
    }

    /// What checks, for a person.
    pub(crate) fn names(&self) -> String {
        let mut names = vec!["own rules".to_owned()];
        names.extend(self.names.iter().cloned());
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
            found.extend(tool.check(files).await);
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

fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder: std::path::PathBuf| Path::new(&folder).join(name).is_file())
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
