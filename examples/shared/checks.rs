//! Checks of a stage: commands in a sandbox, rules of our own, one after the other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use claude_code_aws::answer::diagnostic::Severity;
use claude_code_aws::checks::{Check as Command, Isolation, preset};
use claude_code_aws::request::SourceFile;
use claude_code_aws::{Check, CodeFile, Diagnostic};

use crate::terminal::note;

/// The errors among findings.
pub fn errors(found: &[Diagnostic]) -> Vec<&Diagnostic> {
    found.iter().filter(|found| found.is_error()).collect()
}

/// An error about a file or, without one, about all.
pub fn error(path: Option<&str>, line: u32, message: impl Into<String>) -> Diagnostic {
    let path = path.map(str::to_owned);
    Diagnostic { path, line, column: 0, severity: Severity::Error, message: message.into() }
}

/// Files as a request takes them.
pub fn sources(files: &[CodeFile]) -> Vec<SourceFile> {
    let source =
        |file: &CodeFile| Some(SourceFile { path: file.path.clone()?, content: file.content.clone() });
    files.iter().filter_map(source).collect()
}

/// Several checks: the first one that finds an error is the last one.
#[derive(Default)]
pub struct InOrder(Vec<Arc<dyn Check>>);

impl InOrder {
    /// With one more check behind the others.
    #[must_use]
    pub fn then(mut self, check: impl Check + 'static) -> Self {
        self.0.push(Arc::new(check));
        self
    }
}

#[async_trait]
impl Check for InOrder {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let mut all = Vec::new();
        for check in &self.0 {
            all.extend(check.check(files).await);
            if !errors(&all).is_empty() {
                break;
            }
        }
        all
    }
}

/// Commands by preset or line, to be run beside given files.
#[derive(Clone, Debug)]
pub struct Commands {
    lines: Vec<String>,
    readable: Vec<PathBuf>,
    isolation: Isolation,
}

impl Commands {
    /// These presets and lines. A preset whose program is not installed is left out with a warning.
    pub fn new(lines: &[String], check_unsafe: bool) -> Self {
        let isolation = if check_unsafe { Isolation::None } else { Isolation::Sandbox };
        let mut kept = Vec::new();
        for line in lines {
            match preset(line) {
                Some(Err(missing)) => note(&format!("warning: {missing}")),
                _ => kept.push(line.clone()),
            }
        }
        Commands { lines: kept, readable: Vec::new(), isolation }
    }

    /// The presets for what a project is written in.
    pub fn for_files<'a>(paths: impl Iterator<Item = &'a str> + Clone, check_unsafe: bool) -> Self {
        let has = |end: &str| paths.clone().any(|path| path.ends_with(end));
        let known =
            [(".py", "python"), ("package.json", "node"), ("Cargo.toml", "rust"), (".tf", "terraform")];
        let lines: Vec<String> =
            known.iter().filter(|(end, _)| has(end)).map(|(_, name)| (*name).to_owned()).collect();
        Commands::new(&lines, check_unsafe)
    }

    /// With folders that stay readable in the sandbox.
    #[must_use]
    pub fn reading(mut self, folders: Vec<PathBuf>) -> Self {
        self.readable = folders;
        self
    }

    /// The names of what runs.
    pub fn names(&self) -> String {
        if self.lines.is_empty() { "none".to_owned() } else { self.lines.join(", ") }
    }

    /// The check, with these files beside those of an answer.
    pub fn beside(&self, given: &[SourceFile]) -> InOrder {
        self.each(given).into_iter().fold(InOrder::default(), InOrder::then)
    }

    /// The commands one by one, with these files beside those of an answer.
    pub fn each(&self, given: &[SourceFile]) -> Vec<Command> {
        let command = |line: &String| {
            let command = match preset(line) {
                Some(Ok(command)) => command,
                _ => Command::shell(line),
            };
            let command = command.with_isolation(self.isolation).with_files(given.to_vec());
            let command = self.readable.iter().cloned().fold(command, Command::with_readable);
            match helper() {
                Some(helper) => command.with_helper(helper),
                None => command,
            }
        };
        self.lines.iter().map(command).collect()
    }
}

/// The program that makes the sandbox: `claude-code-aws` beside this one or one folder up, as Cargo lays them out.
fn helper() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let folders = own.ancestors().skip(1).take(2);
    folders.map(|folder: &Path| folder.join("claude-code-aws")).find(|program| program.is_file())
}

/// The file of a program on the path.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
