//! Writing a result: a diff before anything is replaced, then all files or none.

use std::path::{Path, PathBuf};

use claude_code_aws::answer::file::names;
use claude_code_aws::edit::diff;
use claude_code_aws::files::write::{WriteOptions, write_to};
use claude_code_aws::files::write_journal::WriteJournal;
use claude_code_aws::{CodeFile, Config, Error, ErrorKind, Result};

use crate::terminal::{confirm, note, out, plain};

/// A result beside what the directory holds.
#[derive(Debug, Default)]
pub struct Changes {
    files: Vec<CodeFile>,
    changed: usize,
    same: usize,
    diff: String,
}

impl Changes {
    /// Compares files with a directory.
    pub fn new(files: &[CodeFile], dir: &Path) -> Self {
        let mut changes = Changes::default();
        for (name, file) in names(files).iter().zip(files) {
            match std::fs::read_to_string(dir.join(name)) {
                Ok(before) if before == file.content => changes.same += 1,
                Ok(before) => {
                    changes.changed += 1;
                    changes.diff.push_str(&diff(name, &before, &file.content));
                    changes.files.push(file.clone());
                }
                Err(_) => changes.files.push(file.clone()),
            }
        }
        changes
    }

    /// Shows the diff of what would be replaced.
    pub fn show(&self) {
        out(&plain(&self.diff));
    }

    /// Asks where files would be replaced, and writes. Gives how many files were written.
    pub fn write(self, dir: &Path, yes: bool, asked: &str) -> Result<usize> {
        if self.files.is_empty() {
            note(&format!("nothing to write: {} files are already so", self.same));
            return Ok(0);
        }
        if self.changed > 0 && !yes {
            confirm(&format!("{} files in {} would be replaced.", self.changed, dir.display()))?;
        }
        if is_empty(dir) {
            whole(&self.files, dir)?
        } else {
            beside(&self.files, dir, yes, asked)?
        }
        let new = self.files.len() - self.changed;
        note(&format!(
            "written: {new} new, {} changed, {} as before, in {}",
            self.changed,
            self.same,
            dir.display()
        ));
        Ok(self.files.len())
    }
}

/// Takes back what a run that was killed left half written.
pub fn recover(dir: &Path) -> Result<()> {
    for line in WriteJournal::new(&Config::from_env()?.local_dir()?, None).recover() {
        note(&line);
    }
    let (parent, name) = place(dir)?;
    let Ok(entries) = parent.read_dir() else { return Ok(()) };
    for entry in entries.flatten() {
        let left = entry.file_name();
        let pid = left.to_str().and_then(|left| left.strip_prefix(&stage(&name))?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// Into a directory that holds nothing yet: written beside it, then put in its place in one step.
fn whole(files: &[CodeFile], dir: &Path) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::Storage,
            format!("cannot write {}: {error}; nothing was written", dir.display()),
        )
    };
    let (parent, name) = place(dir)?;
    std::fs::create_dir_all(&parent).map_err(failed)?;
    let fresh = parent.join(format!("{}{}", stage(&name), std::process::id()));
    let written = write_to(files, &fresh, WriteOptions::default())
        .and_then(|_| std::fs::rename(&fresh, parent.join(&name)).map_err(failed));
    if written.is_err() {
        let _ = std::fs::remove_dir_all(&fresh);
    }
    written
}

/// Beside what is there: what is replaced is kept in the local directory, for `undo` and for a run after a kill.
fn beside(files: &[CodeFile], dir: &Path, yes: bool, asked: &str) -> Result<()> {
    let journal = Some(WriteJournal::new(&Config::from_env()?.local_dir()?, None));
    let asked = asked.to_owned();
    let options =
        WriteOptions { overwrite: true, allow_shrink: yes, asked, journal, ..WriteOptions::default() };
    write_to(files, dir, options).map(drop)
}

fn is_empty(dir: &Path) -> bool {
    match dir.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// The directory's parent and its own name.
fn place(dir: &Path) -> Result<(PathBuf, String)> {
    let whole = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let name = whole.file_name().and_then(|name| name.to_str());
    match (whole.parent(), name) {
        (Some(parent), Some(name)) => Ok((parent.to_owned(), name.to_owned())),
        _ => Err(Error::invalid(format!("{} cannot be a directory for files: name one", dir.display()))),
    }
}

fn stage(name: &str) -> String {
    format!(".{name}.claude-code-aws-")
}
