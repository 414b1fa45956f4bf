//! Atomic writes of an answer's files below a directory: all of them or none, and nothing outside it.
//!
//! Every step goes through one open handle of the root, so that no path is resolved again by name and no
//! symbolic link is followed: who swaps a directory for a link meanwhile gets an error, not our files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cap_fs_ext::DirExt;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use claude_code_core::answer::file::CodeFile;
use claude_code_core::{Error, ErrorKind, Result};

pub use super::refusal::refused;
use super::refusal::{checked, refuse_existing, refuse_shrinking};
use super::write_journal::WriteJournal;

/// How the names of our directories in the root begin. No file of an answer may stand in one: it goes when we are done.
pub(super) const STAGE: &str = ".claude-code-aws-";

/// Names of our directories that crashed runs of this process id may have left.
const MAX_STAGES: usize = 1000;

/// What may be written. By default nothing is overwritten, no file that runs by itself is written, one refused name refuses
/// all, and a file does not lose most of what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Replace files that exist.
    pub overwrite: bool,
    /// Write files that run by themselves: editor tasks, hooks, CI files.
    pub allow_auto_exec: bool,
    /// Leave out files whose names were refused, instead of refusing all.
    pub skip_refused: bool,
    /// Let a file lose more than half of its lines, or all that it defines.
    pub allow_shrink: bool,
    /// The words that asked for the change: what they name may go.
    pub asked: String,
    /// Where what is replaced is kept, so that the write can be taken back and undone. None: nowhere.
    pub journal: Option<WriteJournal>,
}

/// Files for one directory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// The directory, made if it is missing.
    pub dir: PathBuf,
    /// Its files; their names are relative to it.
    pub files: Vec<CodeFile>,
    /// Replace files that exist; else one that exists is a conflict.
    pub overwrite: bool,
    /// They were named by the user, not by the model: that they run by themselves is known.
    pub are_given: bool,
}

/// Writes files below a directory, which is made if it is missing, and gives their paths in order. First every
/// name is checked, then every file is written to a fresh directory in the root, then all are moved to their
/// places; a failure puts back what was there. New files get the mode 0644, others keep mode and owner. Fails with
/// InvalidRequest for a refused or incomplete file, Conflict for one that exists or would lose most of what it holds, and
/// Storage if the disk fails.
pub fn write_to(files: &[CodeFile], dir: &Path, options: WriteOptions) -> Result<Vec<PathBuf>> {
    let (dir, overwrite) = (dir.to_owned(), options.overwrite);
    write_batches(&[Batch { dir, files: files.to_vec(), overwrite, are_given: false }], &options)
}

/// As [`write_to`] for several directories: all files or none.
pub fn write_batches(batches: &[Batch], options: &WriteOptions) -> Result<Vec<PathBuf>> {
    let mut checked_batches = Vec::new();
    let mut planned: Vec<(PathBuf, &str)> = Vec::new();
    for batch in batches {
        let wanted = checked(&batch.files, options, batch.are_given)?;
        if batch.overwrite && !options.allow_shrink {
            refuse_shrinking(&batch.dir, &wanted, &options.asked)?;
        }
        planned.extend(wanted.iter().map(|(path, file)| (batch.dir.join(path), file.content.as_str())));
        checked_batches.push((batch, wanted));
    }
    let roots = batches.iter().map(|batch| batch.dir.clone()).collect();
    let journal = match options.journal.as_ref().map(|journal| journal.begin(&planned, roots)).transpose() {
        Ok(journal) => journal,
        // Where nothing is replaced there is nothing to keep.
        Err(_) if planned.iter().all(|(path, _)| !path.exists()) => None,
        Err(error) => return Err(error),
    };
    for (batch, wanted) in &checked_batches {
        if let Err(error) = write_batch(wanted, &batch.dir, batch.overwrite) {
            let (kept, left) = match journal {
                Some(journal) => (journal.dir().to_owned(), journal.take_back()),
                None => (PathBuf::new(), Vec::new()),
            };
            return Err(match left.first() {
                Some((path, why)) => Error::new(
                    ErrorKind::Storage,
                    format!(
                        "{}; {} could not be put back ({why}): it is kept in {}",
                        error.message(),
                        path.display(),
                        kept.display()
                    ),
                ),
                None => error,
            });
        }
    }
    if let Some(journal) = journal {
        journal.done();
    }
    Ok(planned.into_iter().map(|(path, _)| path).collect())
}

fn write_batch(wanted: &[(String, &CodeFile)], dir: &Path, overwrite: bool) -> Result<()> {
    let is_new = !dir.exists();
    std::fs::create_dir_all(dir).map_err(|e| storage("make", dir, &e))?;
    let written = write_all(wanted, dir, overwrite);
    if written.is_err() && is_new {
        // Fails if somebody else put something there, and then it should stay.
        let _ = std::fs::remove_dir(dir);
    }
    written
}

fn write_all(wanted: &[(String, &CodeFile)], dir: &Path, overwrite: bool) -> Result<()> {
    let root = Dir::open_ambient_dir(dir, ambient_authority()).map_err(|e| storage("open", dir, &e))?;
    if !overwrite {
        refuse_existing(&root, wanted)?;
    }
    let (name, stage) = stage(&root).map_err(|e| storage("write in", dir, &e))?;
    let mut moves = Moves { root: &root, stage: &stage, done: Vec::new(), made: Vec::new() };
    let result = moves.all(wanted, overwrite);
    let lost = if result.is_err() { moves.undo() } else { Vec::new() };
    if let (Err(error), [first, ..]) = (&result, lost.as_slice()) {
        return Err(not_put_back(error, first, &dir.join(name)));
    }
    // What is left there is ours: staged files, and on success those that were replaced.
    let _ = root.remove_dir_all(&name);
    result
}

/// The first error, and where the files are that could not be put back.
fn not_put_back(error: &Error, (number, path): &(usize, String), stage: &Path) -> Error {
    let why = error.message().trim_end_matches("; nothing was written");
    let kept = stage.join(replaced(*number));
    Error::new(
        ErrorKind::Storage,
        format!("{why}; {path:?} could not be put back as it was: it is kept as {}", kept.display()),
    )
}

/// A fresh directory in the root, by name and handle.
fn stage(root: &Dir) -> std::io::Result<(String, Dir)> {
    let mut number = 0;
    loop {
        let name = format!("{STAGE}{}-{number}", std::process::id());
        match root.create_dir(&name) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && number < MAX_STAGES => number += 1,
            made => return made.and_then(|()| Ok((name.clone(), root.open_dir_nofollow(&name)?))),
        }
    }
}

/// Files on their way from the stage to their places.
struct Moves<'r> {
    root: &'r Dir,
    stage: &'r Dir,
    /// Places that were taken, in order, and whether the file that was there is kept in the stage.
    done: Vec<(usize, String, bool)>,
    /// Directories that were made, in order.
    made: Vec<String>,
}

impl Moves<'_> {
    fn all(&mut self, wanted: &[(String, &CodeFile)], overwrite: bool) -> Result<()> {
        for (number, (path, file)) in wanted.iter().enumerate() {
            self.stage_one(number, &file.content).map_err(|e| storage("write", Path::new(path), &e))?;
        }
        for (number, (path, _)) in wanted.iter().enumerate() {
            self.place_one(number, path, overwrite)?;
        }
        Ok(())
    }

    fn stage_one(&self, number: usize, content: &str) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = self.stage.open_with(staged(number), options.write(true).create_new(true))?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        // The process's umask does not decide.
        #[cfg(unix)]
        file.set_permissions(cap_std::fs::PermissionsExt::from_mode(0o644))?;
        Ok(())
    }

    fn place_one(&mut self, number: usize, path: &str, overwrite: bool) -> Result<()> {
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent =
            self.make_parents(parents).map_err(|e| storage("open the directory of", Path::new(path), &e))?;
        let there = parent.symlink_metadata(name).ok();
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            let message =
                format!("{path:?} exists and is no plain file; move it away or choose another directory");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let placed = match (there.is_some(), overwrite) {
            (true, false) => return Err(exists(path)),
            (true, true) => self.replace(number, &parent, name),
            (false, _) => link(self.stage, &staged(number), &parent, name),
        };
        // Where a file could not take the place of another one, that may be in the stage already.
        if placed.is_ok() || there.is_some() {
            self.done.push((number, path.to_owned(), there.is_some()));
        }
        match placed {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(exists(path)),
            Err(e) => return Err(storage("write", Path::new(path), &e)),
        }
        Ok(())
    }

    /// Keeps the file that is there, then takes its place in one step, with its mode and owner.
    fn replace(&self, number: usize, parent: &Dir, name: &str) -> std::io::Result<()> {
        #[cfg(unix)]
        self.take_after(number, parent, name)?;
        link(parent, name, self.stage, &replaced(number))?;
        self.stage.rename(staged(number), parent, name)
    }

    /// Gives the staged file the owner and mode of the one whose place it takes. Only root gives files away; where that
    /// fails the file is the writer's, as with every editor.
    #[cfg(unix)]
    fn take_after(&self, number: usize, parent: &Dir, name: &str) -> std::io::Result<()> {
        use cap_std::fs::{MetadataExt, PermissionsExt};
        let there = parent.symlink_metadata(name)?;
        let mut options = OpenOptions::new();
        let file = self.stage.open_with(staged(number), options.write(true))?.into_std();
        let _ = std::os::unix::fs::fchown(&file, Some(there.uid()), Some(there.gid()));
        let mode = there.permissions().mode() & 0o7777;
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
    }

    /// The directory of a file, made where it is missing: a component at a time, so that a link in between fails.
    fn make_parents(&mut self, parents: &str) -> std::io::Result<Dir> {
        let mut dir = self.root.try_clone()?;
        let mut walked = String::new();
        for part in parents.split('/').filter(|part| !part.is_empty()) {
            walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}/{part}") };
            match dir.create_dir(part) {
                Ok(()) => self.made.push(walked.clone()),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
            dir = dir.open_dir_nofollow(part)?;
        }
        Ok(dir)
    }

    /// Takes back what was placed and made, the last first. What fails here stays as it is: the first error is
    /// the one to tell. Gives the files that were replaced and could not be put back: they are in the stage.
    fn undo(&mut self) -> Vec<(usize, String)> {
        let mut lost = Vec::new();
        for (number, path, had_before) in std::mem::take(&mut self.done).into_iter().rev() {
            if had_before && self.stage.symlink_metadata(replaced(number)).is_err() {
                continue;
            }
            let undone = self.undo_one(number, &path, had_before);
            if had_before && undone.is_err() {
                lost.push((number, path));
            }
        }
        for directory in self.made.drain(..).rev() {
            let _ = self.root.remove_dir(directory);
        }
        lost
    }

    fn undo_one(&self, number: usize, path: &str, had_before: bool) -> std::io::Result<()> {
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parts = parents.split('/').filter(|part| !part.is_empty());
        let parent = parts.fold(self.root.try_clone(), |dir, part| dir?.open_dir_nofollow(part))?;
        if had_before { self.stage.rename(replaced(number), &parent, name) } else { parent.remove_file(name) }
    }
}

/// Puts a file to a place where nothing is. A hard link never replaces what came there meanwhile, as a rename
/// would; file systems without links get the rename.
fn link(from: &Dir, old: &str, to: &Dir, new: &str) -> std::io::Result<()> {
    match from.hard_link(old, to, new) {
        Err(e) if matches!(e.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            from.rename(old, to, new)
        }
        linked => linked,
    }
}

fn staged(number: usize) -> String {
    format!("new-{number}")
}

fn replaced(number: usize) -> String {
    format!("old-{number}")
}

pub(super) fn exists(path: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("{path:?} exists; pass overwrite or choose another directory"))
}

fn storage(action: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Storage,
        format!("could not {action} {}: {error}; nothing was written", path.display()),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_put_back_stays_in_the_stage_and_the_error_says_where() {
        let root = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(root.path().join("src")).unwrap();
        std::fs::write(root.path().join("src/a.py"), "old").unwrap();
        let dir = Dir::open_ambient_dir(root.path(), ambient_authority()).unwrap();
        let (name, stage) = stage(&dir).unwrap();
        let mut moves = Moves { root: &dir, stage: &stage, done: Vec::new(), made: Vec::new() };
        moves.stage_one(0, "new").unwrap();
        moves.place_one(0, "src/a.py", true).unwrap();
        // Somebody takes the directory away meanwhile.
        std::fs::rename(root.path().join("src"), root.path().join("gone")).unwrap();
        let lost = moves.undo();
        assert_eq!(lost, [(0, "src/a.py".to_owned())]);
        let first = storage("write", Path::new("b.py"), &std::io::Error::other("disk full"));
        let told = not_put_back(&first, &lost[0], &root.path().join(&name)).message().to_owned();
        let kept = root.path().join(&name).join("old-0");
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "old");
        assert!(told.contains(kept.to_str().unwrap()) && !told.contains("nothing was written"), "{told}");
    }
}
