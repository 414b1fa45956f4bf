//! Writes the files of an answer below a directory: all of them or none, and nothing outside it.
//!
//! Every step goes through one open handle of the root, so that no path is resolved again by name and no
//! symbolic link is followed: who swaps a directory for a link meanwhile gets an error, not our files.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use claude_code_core::file::{CodeFile, auto_executed, names, refuse_set};
use claude_code_core::{Error, Kind, Result};
use uuid::Uuid;

/// What may be written. By default nothing is overwritten, no file that runs by being opened is written, and one
/// refused name refuses all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Replace files that exist.
    pub overwrite: bool,
    /// Write files that run by being opened: `.envrc`, `conftest.py`, `.github/workflows/`.
    pub allow_auto_exec: bool,
    /// Leave out files whose names were refused, instead of refusing all.
    pub skip_rejected: bool,
}

/// Writes files below a directory, which is made if it is missing, and gives their paths in order. First every
/// name is checked, then every file is written to a fresh directory beside its place, then all are moved; a
/// failure puts back what was there. Fails with InvalidRequest for a refused or incomplete file, Conflict for one
/// that exists, and Storage if the disk fails.
pub fn write_to(files: &[CodeFile], dir: &Path, options: WriteOptions) -> Result<Vec<PathBuf>> {
    let wanted = checked(files, options)?;
    std::fs::create_dir_all(dir).map_err(|e| storage("make", dir, &e))?;
    let root = Dir::open_ambient_dir(dir, ambient_authority()).map_err(|e| storage("open", dir, &e))?;
    if !options.overwrite {
        refuse_existing(&root, &wanted)?;
    }
    let stage = format!(".claude-code-aws-{}", Uuid::new_v4().simple());
    root.create_dir(&stage).map_err(|e| storage("make", &dir.join(&stage), &e))?;
    let mut moves = Moves { root: &root, stage: &stage, done: Vec::new(), made: Vec::new() };
    let result = moves.all(&wanted, options.overwrite);
    if result.is_err() {
        moves.undo();
    }
    // What is left there is ours: staged files, and on success those that were replaced.
    let _ = root.remove_dir_all(&stage);
    result.map(|()| wanted.iter().map(|(path, _)| dir.join(path)).collect())
}

/// The files that are to be written with their names, or why none is.
fn checked(files: &[CodeFile], options: WriteOptions) -> Result<Vec<(String, &CodeFile)>> {
    let kept: Vec<CodeFile> = files.iter().filter(|f| f.rejected.is_none()).cloned().collect();
    let rejected = files.iter().find_map(|file| file.rejected.as_ref());
    if let Some(reason) = rejected.filter(|_| !options.skip_rejected) {
        return Err(Error::invalid(format!("a file's name was refused: {reason}; nothing was written")));
    }
    let originals = files.iter().filter(|f| f.rejected.is_none());
    let wanted: Vec<(String, &CodeFile)> = names(&kept).into_iter().zip(originals).collect();
    if let Some(reason) = refuse_set(wanted.iter().map(|(path, file)| (path.as_str(), file.size()))) {
        return Err(Error::invalid(format!("{reason}; nothing was written")));
    }
    for (path, file) in &wanted {
        if !file.complete {
            return Err(Error::invalid(format!("{path:?} is not complete; resume the answer, then write it")));
        }
        if auto_executed(path) && !options.allow_auto_exec {
            return Err(Error::invalid(format!("{path:?} runs by being opened; pass allow_auto_exec to write it")));
        }
    }
    Ok(wanted)
}

fn refuse_existing(root: &Dir, wanted: &[(String, &CodeFile)]) -> Result<()> {
    let existing = wanted.iter().find(|(path, _)| root.symlink_metadata(path).is_ok());
    existing.map_or(Ok(()), |(path, _)| Err(exists(path)))
}

/// Files on their way from the stage to their places.
struct Moves<'r> {
    root: &'r Dir,
    stage: &'r str,
    /// Places that were taken, in order, and whether a file that was there is kept in the stage.
    done: Vec<(usize, String, bool)>,
    /// Directories that were made, in order.
    made: Vec<String>,
}

impl Moves<'_> {
    fn all(&mut self, wanted: &[(String, &CodeFile)], overwrite: bool) -> Result<()> {
        for (number, (path, file)) in wanted.iter().enumerate() {
            self.stage_one(number, path, &file.content)?;
        }
        for (number, (path, _)) in wanted.iter().enumerate() {
            self.place_one(number, path, overwrite)?;
        }
        Ok(())
    }

    fn stage_one(&self, number: usize, path: &str, content: &str) -> Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::mode(&mut options, 0o644);
        let write = || -> std::io::Result<()> {
            let mut file = self.root.open_with(self.staged(number), &options)?;
            file.write_all(content.as_bytes())?;
            // The mode is not ours to narrow or widen by the process's umask.
            #[cfg(unix)]
            file.set_permissions(cap_std::fs::PermissionsExt::from_mode(0o644))?;
            Ok(())
        };
        write().map_err(|e| storage("write", Path::new(path), &e))
    }

    /// Moves one file to its place. The parent is opened a component at a time, so that a link in between fails.
    fn place_one(&mut self, number: usize, path: &str, overwrite: bool) -> Result<()> {
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.parent(path, parents)?;
        let there = parent.symlink_metadata(name).ok();
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            let message = format!("{path:?} exists and is no plain file; move it away or choose another directory");
            return Err(Error::new(Kind::Conflict, message));
        }
        if there.is_some() && !overwrite {
            return Err(exists(path));
        }
        if there.is_some() {
            parent.rename(name, self.root, self.replaced(number)).map_err(|e| storage("move", Path::new(path), &e))?;
        }
        self.done.push((number, path.to_owned(), there.is_some()));
        // A hard link never replaces what came there meanwhile; a rename would.
        let staged = self.staged(number);
        let placed = self.root.hard_link(&staged, &parent, name);
        let placed = match placed {
            Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {
                self.root.rename(&staged, &parent, name)
            }
            other => other,
        };
        placed.map_err(|e| {
            if !matches!(self.done.last(), Some((_, _, true))) {
                self.done.pop();
            }
            if e.kind() == ErrorKind::AlreadyExists { exists(path) } else { storage("write", Path::new(path), &e) }
        })
    }

    fn parent(&mut self, path: &str, parents: &str) -> Result<Dir> {
        let fail = |e: std::io::Error| storage("open the directory of", Path::new(path), &e);
        let mut dir = self.root.try_clone().map_err(fail)?;
        let mut walked = String::new();
        for part in parents.split('/').filter(|part| !part.is_empty()) {
            walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}/{part}") };
            match dir.create_dir(part) {
                Ok(()) => self.made.push(walked.clone()),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(fail(e)),
            }
            dir = open_plain(&dir, part).map_err(fail)?;
        }
        Ok(dir)
    }

    /// Takes back what was placed and made, the last first. What was replaced returns; failures here leave no
    /// way to go on, and the first error is the one to tell.
    fn undo(&mut self) {
        for (number, path, had_before) in self.done.drain(..).rev() {
            let (parents, name) = path.rsplit_once('/').unwrap_or(("", &path));
            let mut parent = self.root.try_clone();
            for part in parents.split('/').filter(|part| !part.is_empty()) {
                parent = parent.and_then(|dir| open_plain(&dir, part));
            }
            let Ok(parent) = parent else { continue };
            if had_before {
                let _ = self.root.rename(format!("{}/old-{number}", self.stage), &parent, name);
            } else {
                let _ = parent.remove_file(name);
            }
        }
        for directory in self.made.drain(..).rev() {
            let _ = self.root.remove_dir(directory);
        }
    }

    fn staged(&self, number: usize) -> String {
        format!("{}/new-{number}", self.stage)
    }

    fn replaced(&self, number: usize) -> String {
        format!("{}/old-{number}", self.stage)
    }
}

/// A directory that is none by way of a link.
fn open_plain(dir: &Dir, name: &str) -> std::io::Result<Dir> {
    use cap_fs_ext::DirExt;
    dir.open_dir_nofollow(name)
}

fn exists(path: &str) -> Error {
    Error::new(Kind::Conflict, format!("{path:?} exists; pass overwrite or choose another directory"))
}

fn storage(action: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(Kind::Storage, format!("could not {action} {}: {error}; nothing was written", path.display()))
}
