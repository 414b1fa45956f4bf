//! The plan: which files a project has, and why.

use applications::checks::{InOrder, error, errors};
use async_trait::async_trait;
use claude_code_aws::answer::path::refusal;
use claude_code_aws::{Check, CodeFile, Diagnostic};
use serde::Deserialize;

/// The most files of a small project.
const MAX_FILES: usize = 24;

/// What asks for a plan.
pub(crate) const INSTRUCTIONS: &str = "Plan only. Write one file, plan.json, and nothing else: {\"files\": [{\"path\": \
    \"…\", \"why\": \"…\"}]} with every file that the project needs, in the order in which they are best written: at most \
    24, with relative paths, without tests. The reason is one short sentence.";

/// The files of a project, in the order in which they are written.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Plan {
    files: Vec<Planned>,
}

#[derive(Clone, Debug, Deserialize)]
struct Planned {
    path: String,
    why: String,
}

impl Plan {
    /// The plan in an answer; none if it has none.
    pub(crate) fn of(files: &[CodeFile]) -> Option<Self> {
        let [file] = files else { return None };
        serde_json::from_str(&file.content).ok()
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> + Clone {
        self.files.iter().map(|file| file.path.as_str())
    }

    /// A line for each file.
    pub(crate) fn text(&self) -> String {
        let width = self.paths().map(|path| path.chars().count()).max().unwrap_or(0);
        let line = |file: &Planned| format!("  {:width$}  {}\n", file.path, file.why);
        format!("plan\n{}", self.files.iter().map(line).collect::<String>())
    }

    /// What asks for the files.
    pub(crate) fn instructions(&self) -> String {
        let lines: String =
            self.files.iter().map(|file| format!("- {}: {}\n", file.path, file.why)).collect();
        format!("Write the whole project: exactly the files of this plan, without tests.\n{lines}")
    }
}

/// A plan can be read, and every path can be written.
pub(crate) struct PlanCheck;

#[async_trait]
impl Check for PlanCheck {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let Some(plan) = Plan::of(files) else {
            let told = "the plan is one file of the form {\"files\": [{\"path\": …, \"why\": …}]}";
            return vec![error(files.first().and_then(|file| file.path.as_deref()), 0, told)];
        };
        let path = files[0].path.as_deref();
        let refused = plan.paths().filter_map(|name| refusal(name).map(|why| format!("{name:?}: {why}")));
        let mut found: Vec<Diagnostic> = refused.map(|told| error(path, 0, told)).collect();
        if plan.files.is_empty() || plan.files.len() > MAX_FILES {
            found.push(error(
                path,
                0,
                format!("the plan has {} files: 1 to {MAX_FILES} fit", plan.files.len()),
            ));
        }
        found
    }
}

/// Every planned file is there; then the other checks.
pub(crate) struct PlannedFiles {
    pub(crate) plan: Plan,
    pub(crate) then: Box<InOrder>,
}

#[async_trait]
impl Check for PlannedFiles {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let is_there = |path: &&str| files.iter().any(|file| file.path.as_deref() == Some(path));
        let absent = self.plan.paths().filter(|path| !is_there(path));
        let found: Vec<Diagnostic> = absent
            .map(|path| error(Some(path), 0, "the plan has this file and the answer does not"))
            .collect();
        if errors(&found).is_empty() { self.then.check(files).await } else { found }
    }
}
