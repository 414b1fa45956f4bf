//! Write journal: what a write replaces is kept in the state directory before anything is changed. A write that was killed
//! is taken back by the next command; one that is done can be undone, where a file still is what was written.
//!
//! A write is a directory `writes/{time}-{pid}-{n}` with `record.json` and the contents that were replaced, mode 0600. It is
//! kept for 7 days, all of them together up to 200 MB, the newest in any case.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use claude_code_core::answer::file::sha256_hex;
use claude_code_core::{Clock, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::write::STAGE;
use crate::clock::SystemClock;

/// How long a write can be undone.
const KEPT_MS: i64 = 7 * 24 * 3600 * 1000;
/// Bytes of all kept writes.
const KEPT_BYTES: u64 = 200_000_000;
const RECORD: &str = "record.json";
const LOCK: &str = "lock";

/// Where writes are recorded, and for which result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteJournal {
    dir: PathBuf,
    result: Option<String>,
}

/// How far a write came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Begun,
    Done,
    Undone,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    state: State,
    result: Option<String>,
    at_ms: i64,
    pid: u32,
    /// Directories in which files were staged.
    roots: Vec<PathBuf>,
    entries: Vec<Entry>,
}

/// A file that a write changes or makes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    /// The kept content, of a file that was there.
    kept: Option<String>,
    mode: Option<u32>,
    before: Option<String>,
    after: String,
}

/// What became of an undo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undone {
    /// The result that was written, if it is known.
    pub result: Option<String>,
    /// Files that are again what they were; those that were new are gone.
    pub restored: Vec<PathBuf>,
    /// Files that were left alone, and why.
    pub left: Vec<(PathBuf, String)>,
}

/// A write under way: it holds a lock, so that no other process takes it for dead.
#[derive(Debug)]
pub(crate) struct OpenWrite {
    dir: PathBuf,
    record: Record,
    _lock: File,
}

impl WriteJournal {
    /// The journal in this state directory, for writes of this result.
    pub fn new(local_dir: &Path, result: Option<&str>) -> Self {
        WriteJournal { dir: local_dir.join("writes"), result: result.map(str::to_owned) }
    }

    /// Keeps what these files are now; `after` is what they will be. Nothing is changed before this is done.
    pub(crate) fn begin(&self, files: &[(PathBuf, &str)], roots: Vec<PathBuf>) -> Result<OpenWrite> {
        let (at_ms, pid) = (SystemClock.now().0, std::process::id());
        let failed = |error: std::io::Error| {
            let message = format!(
                "what is replaced cannot be kept in {}: {error}; nothing was written: free space there, or set \
                 CLAUDE_CODE_AWS_LOCAL_DIR",
                self.dir.display()
            );
            Error::new(ErrorKind::Storage, message)
        };
        let (dir, lock) = self.fresh(at_ms, pid).map_err(failed)?;
        let mut entries = Vec::new();
        for (number, (path, after)) in files.iter().enumerate() {
            entries.push(entry(&dir, number, path, after).map_err(failed)?);
        }
        let record = Record { state: State::Begun, result: self.result.clone(), at_ms, pid, roots, entries };
        let open = OpenWrite { dir, record, _lock: lock };
        open.save().map_err(failed)?;
        Ok(open)
    }

    fn fresh(&self, at_ms: i64, pid: u32) -> std::io::Result<(PathBuf, File)> {
        make_private(&self.dir)?;
        for number in 0..1000 {
            let dir = self.dir.join(format!("{at_ms:013}-{pid}-{number:03}"));
            match make_one_private(&dir) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    let lock = create(&dir.join(LOCK))?;
                    lock.lock()?;
                    return Ok((dir, lock));
                }
            }
        }
        Err(std::io::Error::other("there are too many writes of this moment"))
    }

    /// Takes back the writes that were killed; one line for each. Writes of living processes are left alone.
    pub fn recover(&self) -> Vec<String> {
        let mut told = Vec::new();
        for (dir, mut record) in self.records() {
            let Some(_lock) = (record.state == State::Begun).then(|| abandoned(&dir)).flatten() else {
                continue;
            };
            let undone = restore(&dir, &record);
            remove_stages(&record);
            if undone.left.is_empty() {
                let _ = fs::remove_dir_all(&dir);
            } else {
                record.state = State::Undone;
                let _ = save(&dir, &record);
            }
            let left = undone
                .left
                .iter()
                .map(|(path, why)| format!("; {} was left as it is: {why}", path.display()));
            told.push(format!(
                "a write that was broken off is taken back: {} of {} files are as they were{}",
                undone.restored.len(),
                record.entries.len(),
                left.collect::<String>()
            ));
        }
        told
    }

    /// Undoes the newest write that is done: of this journal's result, or of any where it has none. NotFound if there is
    /// none.
    pub fn undo(&self) -> Result<Undone> {
        let is_meant = |record: &Record| {
            record.state == State::Done && (self.result.is_none() || record.result == self.result)
        };
        let found = self.records().into_iter().rev().find(|(_, record)| is_meant(record));
        let Some((dir, mut record)) = found else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "there is no write to undo: writes are kept for 7 days, 200 MB together",
            ));
        };
        let undone = restore(&dir, &record);
        record.state = State::Undone;
        save(&dir, &record).map_err(|error| {
            Error::new(
                ErrorKind::Storage,
                format!("{} cannot be written: {error}", dir.join(RECORD).display()),
            )
        })?;
        Ok(Undone { result: record.result, ..undone })
    }

    /// Removes writes that are too old at this time, and the oldest beyond this bound on bytes.
    pub(super) fn prune(&self, now: i64, most: u64) {
        let mut bytes = 0;
        for (at, (dir, record)) in self.records().into_iter().rev().enumerate() {
            bytes += size(&dir);
            let is_over = now.saturating_sub(record.at_ms) > KEPT_MS || bytes > most;
            if at > 0 && is_over && record.state != State::Begun {
                let _ = fs::remove_dir_all(&dir);
            }
        }
    }

    /// Every write that can be read, the oldest first.
    fn records(&self) -> Vec<(PathBuf, Record)> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let mut dirs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        dirs.sort();
        let read = |dir: PathBuf| {
            let text = fs::read_to_string(dir.join(RECORD)).ok()?;
            serde_json::from_str(&text).ok().map(|record| (dir, record))
        };
        dirs.into_iter().filter_map(read).collect()
    }
}

impl OpenWrite {
    /// The write is done: it can be undone from now on.
    pub(crate) fn done(mut self) {
        self.record.state = State::Done;
        // Where that cannot be told, the next command would take the write back: what is kept goes instead.
        if self.save().is_err() {
            let _ = fs::remove_dir_all(&self.dir);
        }
        if let Some(dir) = self.dir.parent() {
            WriteJournal { dir: dir.to_owned(), result: None }.prune(SystemClock.now().0, KEPT_BYTES);
        }
    }

    /// The write failed: what it changed so far is put back. Gives the files that could not be.
    pub(crate) fn take_back(self) -> Vec<(PathBuf, String)> {
        let left = restore(&self.dir, &self.record).left;
        if left.is_empty() {
            let _ = fs::remove_dir_all(&self.dir);
        }
        left
    }

    /// Where the contents are kept.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn save(&self) -> std::io::Result<()> {
        save(&self.dir, &self.record)
    }
}

fn entry(dir: &Path, number: usize, path: &Path, after: &str) -> std::io::Result<Entry> {
    let mut entry = Entry {
        path: std::path::absolute(path)?,
        kept: None,
        mode: None,
        before: None,
        after: sha256_hex(after.as_bytes()),
    };
    // A link or a directory is refused later: it is never replaced.
    if !fs::symlink_metadata(path).is_ok_and(|there| there.is_file()) {
        return Ok(entry);
    }
    let content = fs::read(path)?;
    let name = format!("old-{number}");
    let mut file = create(&dir.join(&name))?;
    file.write_all(&content)?;
    file.sync_all()?;
    entry.before = Some(sha256_hex(&content));
    entry.kept = Some(name);
    entry.mode = mode(path);
    Ok(entry)
}

/// Puts back every file that still is what the write made of it.
fn restore(dir: &Path, record: &Record) -> Undone {
    let mut undone = Undone::default();
    for entry in record.entries.iter().rev() {
        match restore_one(dir, entry) {
            Ok(true) => undone.restored.push(entry.path.clone()),
            Ok(false) => {}
            Err(why) => undone.left.push((entry.path.clone(), why)),
        }
    }
    undone.restored.reverse();
    undone
}

/// Whether the file was put back; false where it had not been changed.
fn restore_one(dir: &Path, entry: &Entry) -> std::result::Result<bool, String> {
    let told = |error: std::io::Error| error.to_string();
    let is_link = fs::symlink_metadata(&entry.path).is_ok_and(|there| !there.is_file());
    if is_link && entry.kept.is_none() {
        return Ok(false);
    }
    if is_link {
        return Err("it is no plain file any more".to_owned());
    }
    let now = match fs::read(&entry.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        content => Some(sha256_hex(&content.map_err(told)?)),
    };
    if now == entry.before {
        return Ok(false);
    }
    if now.as_ref() != Some(&entry.after) {
        return Err("it was changed since".to_owned());
    }
    let Some(kept) = &entry.kept else {
        return fs::remove_file(&entry.path).map(|()| true).map_err(told);
    };
    let mut content = Vec::new();
    File::open(dir.join(kept)).and_then(|mut file| file.read_to_end(&mut content)).map_err(told)?;
    put(&entry.path, &content, entry.mode).map_err(told)?;
    Ok(true)
}

/// Writes a file beside its place and moves it there in one step.
fn put(path: &Path, content: &[u8], mode: Option<u32>) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = path.with_file_name(format!("{STAGE}{}-{name}", std::process::id()));
    let mut file = create(&beside)?;
    let written = file.write_all(content).and_then(|()| set_mode(&file, mode.unwrap_or(0o644)));
    let placed = written.and_then(|()| file.sync_all()).and_then(|()| fs::rename(&beside, path));
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    placed
}

fn save(dir: &Path, record: &Record) -> std::io::Result<()> {
    let text = serde_json::to_vec(record).map_err(std::io::Error::other)?;
    let new = dir.join("record.new");
    let mut file = create(&new)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&new, dir.join(RECORD))?;
    // The name itself is on the disk with its directory.
    File::open(dir).and_then(|dir| dir.sync_all())
}

/// The lock of a write whose process is gone.
fn abandoned(dir: &Path) -> Option<File> {
    let lock = OpenOptions::new().write(true).open(dir.join(LOCK)).ok()?;
    lock.try_lock().is_ok().then_some(lock)
}

/// Removes what a killed write staged.
fn remove_stages(record: &Record) {
    let begins = format!("{STAGE}{}-", record.pid);
    for root in &record.roots {
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&begins)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// A directory that only its owner reads, made with those above it.
fn make_private(dir: &Path) -> std::io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match make_one_private(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn make_one_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// A new file that only its owner reads.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> std::io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> std::io::Result<()> {
    Ok(())
}
