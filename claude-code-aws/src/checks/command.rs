//! Command check: its exit code accepts an answer or feeds the repair.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use claude_code_core::answer::diagnostic::Severity;
use claude_code_core::request::{self, SourceFile};
use claude_code_core::{CodeFile, Diagnostic};

use super::environment;
use super::layout::Layout;
use super::output::Tail;

/// How often a running command is looked at.
const TICK: Duration = Duration::from_millis(20);

/// What the sandbox answers where it cannot be made: the command did not run.
const NO_SANDBOX: i32 = 125;

/// Where a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// In user, mount, process and network namespaces of its own; where these are not to be had, not at all.
    Sandbox,
    /// As any program of the user's: with all that it can read and reach.
    None,
}

/// What a command may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From start to end.
    pub time: Duration,
    /// Megabytes of memory of all its processes together.
    pub memory_mb: u64,
    /// Processes at the same time.
    pub processes: u64,
    /// Megabytes of all files together.
    pub disk_mb: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { time: Duration::from_secs(120), memory_mb: 2_048, processes: 256, disk_mb: 512 }
    }
}

/// Runs a command where the files of an answer are laid out; a code other than 0 is an error with the last lines of what
/// it wrote.
#[derive(Clone, Debug)]
pub struct Check {
    words: Vec<String>,
    shown: String,
    given: Vec<SourceFile>,
    readable: Vec<PathBuf>,
    isolation: Isolation,
    limits: Limits,
    helper: Option<PathBuf>,
}

impl Check {
    /// The program and its arguments, without a shell: `Check::command(["pytest", "-q"])`.
    pub fn command(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        let shown = words.join(" ");
        let (isolation, limits) = (Isolation::Sandbox, Limits::default());
        Check { words, shown, given: Vec::new(), readable: Vec::new(), isolation, limits, helper: None }
    }

    /// A line for the shell, such as `pytest -q`.
    pub fn shell(line: &str) -> Self {
        Check { shown: line.to_owned(), ..Check::command(["sh", "-c", line]) }
    }

    /// With the files that lie beside the answer's, such as those that were given to the model.
    #[must_use]
    pub fn with_files(mut self, given: Vec<SourceFile>) -> Self {
        self.given = given;
        self
    }

    /// With a folder that the sandbox leaves readable at its place: packages or plugins that the command needs.
    #[must_use]
    pub fn with_readable(mut self, folder: PathBuf) -> Self {
        self.readable.push(folder);
        self
    }

    /// Other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where it runs.
    #[must_use]
    pub fn with_isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// The program `claude-code-aws`, which makes the sandbox; none: this program, or the one on the path.
    #[must_use]
    pub fn with_helper(mut self, helper: PathBuf) -> Self {
        self.helper = Some(helper);
        self
    }

    /// Runs it here and now; `stop` ends it.
    pub fn run(&self, files: &[CodeFile], stop: &AtomicBool) -> Vec<Diagnostic> {
        let told = self.outcome(files, stop).unwrap_or_else(|problem| Some(problem.to_string()));
        told.into_iter().map(|told| self.error(&told)).collect()
    }

    fn error(&self, told: &str) -> Diagnostic {
        let message = format!("check failed: `{}` {told}", self.shown);
        Diagnostic { path: None, line: 0, column: 0, severity: Severity::Error, message }
    }

    /// Why it failed; none if it ended well.
    fn outcome(&self, files: &[CodeFile], stop: &AtomicBool) -> std::io::Result<Option<String>> {
        let layout = Layout::new(&self.given, files)?;
        let mut command = self.prepared(&layout)?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let tail = Tail::of(&mut child);
        let ended = wait(&mut child, self.limits.time + Duration::from_secs(2), stop, &tail)?;
        let written = tail.end(&layout);
        Ok(match ended {
            Some(0) => None,
            Some(NO_SANDBOX) => Some(format!("did not run: {written}")),
            Some(code) => Some(format!("ended with {code}:\n{written}")),
            None => Some(format!("was ended after {} s:\n{written}", self.limits.time.as_secs())),
        })
    }

    fn prepared(&self, layout: &Layout) -> std::io::Result<Command> {
        let mut command = match self.isolation {
            Isolation::None => {
                let mut command = Command::new(&self.words[0]);
                command.args(&self.words[1..]).current_dir(layout.path());
                environment::clean(&mut command, layout.path());
                command
            }
            Isolation::Sandbox => {
                let helper = self.helper()?;
                let mut command = Command::new(&helper);
                environment::clean(&mut command, layout.path());
                command.env("CLAUDE_CODE_AWS_HELPER", helper);
                if let Some(home) = std::env::var_os("HOME") {
                    command.env("CLAUDE_CODE_AWS_REAL_HOME", home);
                }
                if let Ok(folders) = std::env::join_paths(&self.readable) {
                    command.env("CLAUDE_CODE_AWS_READABLE", folders);
                }
                let limits = [
                    self.limits.time.as_secs().max(1),
                    self.limits.memory_mb,
                    self.limits.processes,
                    self.limits.disk_mb,
                ];
                command.arg("__sandbox").arg(layout.path()).args(limits.map(|limit| limit.to_string()));
                command.arg("--").args(&self.words);
                command
            }
        };
        own_group(&mut command);
        Ok(command)
    }

    fn helper(&self) -> std::io::Result<PathBuf> {
        const NAME: &str = "claude-code-aws";
        if !cfg!(target_os = "linux") {
            let told = "a sandbox needs Linux; --check-unsafe runs it as any program of yours";
            return Err(std::io::Error::other(told));
        }
        let is_ours = |path: &PathBuf| path.file_stem().is_some_and(|name| name == NAME);
        let found =
            self.helper.clone().or_else(|| std::env::current_exe().ok().filter(is_ours)).or_else(|| {
                let path = std::env::var_os("PATH")?;
                std::env::split_paths(&path).map(|folder| folder.join(NAME)).find(|program| program.is_file())
            });
        found.ok_or_else(|| {
            std::io::Error::other(format!("{NAME}, which makes the sandbox, is not on the path"))
        })
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

/// The exit code, or none if it had to be ended.
fn wait(child: &mut Child, time: Duration, stop: &AtomicBool, tail: &Tail) -> std::io::Result<Option<i32>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.code().unwrap_or(-1)));
        }
        if start.elapsed() > time || stop.load(Ordering::Relaxed) || tail.is_flooded() {
            let _ = child.kill();
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(TICK);
    }
}

/// Tells the thread that nobody waits any more.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl request::Check for Check {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let stop = Stop(Arc::new(AtomicBool::new(false)));
        let (own, files, stopped) = (self.clone(), files.to_vec(), Arc::clone(&stop.0));
        let ran = tokio::task::spawn_blocking(move || own.run(&files, &stopped)).await;
        drop(stop);
        ran.unwrap_or_else(|_| vec![self.error("did not run: its thread was lost")])
    }
}
