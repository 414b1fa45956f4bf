//! The state directory: several processes share it, one SQLite file per engine, and nothing ever thrown away.
//!
//! A database has a lock file beside it. Whoever opens the database holds a shared lock on that file until it is
//! closed; an exclusive one is taken only to look for damage before the first of them opens it, and to clear it.
//! Access to the open databases is SQLite's matter: a write-ahead log, short transactions, a busy timeout of 5 s.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use claude_code_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::local::s3;
use crate::local::server::clock;
use crate::local::storage::sqlite_thread::forked;
use crate::local::storage::{dynamodb, state};

/// Behind a database's name: the file that is locked for it.
const LOCK: &str = ".lock";

/// SQLite keeps a log and an index of it beside the database; they move together with it.
const SIDE_FILES: [&str; 3] = ["", "-wal", "-shm"];

/// What the engines keep here, and all that [`Directory::clear`] removes.
const DATABASES: [&str; 3] = [dynamodb::FILE, s3::FILE, state::FILE];

/// The directories that are open, with the process that opened each. SQLite's record of its own locks is a process's:
/// a forked child that opened a database of its parent's again would believe that it holds its parent's locks.
static OPEN: Mutex<Vec<(u32, PathBuf)>> = Mutex::new(Vec::new());

/// A state directory that this process uses, together with others.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Among those that are open.
    place: PathBuf,
    notices: Mutex<Vec<String>>,
    /// The lock file of each database, in the order of [`DATABASES`]. Closing it releases the lock, also when the
    /// process is killed.
    locks: Vec<File>,
}

impl Directory {
    /// Creates the directory where it is missing (mode 0700).
    ///
    /// Fails with [`ErrorKind::Storage`] if it cannot be written, with [`ErrorKind::Forked`] in a forked child whose parent
    /// had it open.
    pub fn open(path: &Path) -> Result<Self> {
        create(path).map_err(|error| unwritable(path, &error))?;
        let locks = DATABASES.iter().map(|name| open_private(&path.join(format!("{name}{LOCK}"))));
        let locks = locks.collect::<std::io::Result<_>>().map_err(|error| unwritable(path, &error))?;
        let place = path.canonicalize().map_err(|error| unwritable(path, &error))?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let own = std::process::id();
        if open.iter().any(|(process, other)| *process != own && *other == place) {
            return Err(forked(&format!("the local directory {}", path.display())));
        }
        open.push((own, place.clone()));
        drop(open);
        Ok(Directory { path: path.to_owned(), place, notices: Mutex::default(), locks })
    }

    /// Where the directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was noticed on opening, one line each: every database that was damaged and set aside.
    pub fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The path of a database file that is sound or new, locked against being cleared. A damaged one is renamed to
    /// `NAME.damaged-YYYYMMDDTHHMMSS`, with a notice, and a fresh one begins. While other processes have it open it was
    /// looked through by the first of them.
    ///
    /// Reads the whole file (SQLite's `quick_check`): call it on the engine's thread.
    pub fn database(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        let lock = self.lock(name)?;
        let failed = |error: std::io::Error| unwritable(&path, &error);
        match lock.try_lock() {
            Ok(()) => self.ready(&path, name)?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Waits for a process that looks for damage.
        lock.lock_shared().map_err(failed)?;
        Ok(path)
    }

    /// Looks for damage and creates the file, as the only process that has the database.
    fn ready(&self, path: &Path, name: &str) -> Result<()> {
        if path.exists() {
            if let Some(damage) = damage(path)? {
                self.set_aside(path, name, &damage)?;
            }
            // Not opened here: closing a file drops all of SQLite's own locks on it in this process.
            if path.exists() {
                return Ok(());
            }
        }
        open_private(path).map(drop).map_err(|error| unwritable(path, &error))?;
        // Here, where no other process has it: two that change to the log at once are told that it is locked.
        let logged = Connection::open(path).and_then(|new| new.pragma_update(None, "journal_mode", "WAL"));
        logged.map_err(|error| unopened(path, &error))
    }

    fn lock(&self, name: &str) -> Result<&File> {
        let at = DATABASES.iter().position(|known| *known == name);
        at.and_then(|at| self.locks.get(at)).ok_or_else(|| {
            Error::new(ErrorKind::Storage, format!("{name} is no database of the local directory"))
        })
    }

    /// Removes the engines' databases, and with them all that they keep; those that were set aside stay, and so does
    /// whatever else is in the directory. Call it before the engines open.
    ///
    /// Fails with [`ErrorKind::Storage`] if one cannot be removed, or while another process has one open.
    pub fn clear(&self) -> Result<()> {
        let cleared = self.lock_all().and_then(|()| self.remove_all());
        let unlocked = self.locks.iter().try_for_each(File::unlock);
        cleared.and(unlocked.map_err(|error| unwritable(&self.path, &error)))
    }

    fn lock_all(&self) -> Result<()> {
        self.locks.iter().try_for_each(|lock| {
            lock.try_lock().map_err(|error| match error {
                TryLockError::WouldBlock => self.open_elsewhere(),
                TryLockError::Error(error) => unwritable(&self.path, &error),
            })
        })
    }

    fn remove_all(&self) -> Result<()> {
        for (name, side) in DATABASES.iter().flat_map(|name| SIDE_FILES.map(|side| (name, side))) {
            let path = with_suffix(&self.path.join(name), side);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(unwritable(&path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn open_elsewhere(&self) -> Error {
        let path = self.path.display();
        let message = format!(
            "{path} is not cleared: another process has its databases open; end that process, or choose another \
             directory"
        );
        Error::new(ErrorKind::Storage, message)
    }

    fn set_aside(&self, path: &Path, name: &str, damage: &str) -> Result<()> {
        let aside = free_name(path, &clock::stamp());
        for side in SIDE_FILES {
            let from = with_suffix(path, side);
            if from.exists() {
                std::fs::rename(&from, with_suffix(&aside, side))
                    .map_err(|error| unwritable(&from, &error))?;
            }
        }
        let notice = format!(
            "the local database {name} is damaged ({damage}); it was kept as {} and a fresh one begins",
            aside.display()
        );
        tracing::warn!("{notice}");
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
        Ok(())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let own = (std::process::id(), std::mem::take(&mut self.place));
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|other| *other == own) {
            open.swap_remove(at);
        }
    }
}

/// `PATH.damaged-STAMP`, counted on where two databases are set aside within a second.
fn free_name(path: &Path, stamp: &str) -> PathBuf {
    let first = with_suffix(path, &format!(".damaged-{stamp}"));
    let later = (2..).map(|n| with_suffix(path, &format!(".damaged-{stamp}-{n}")));
    std::iter::once(first.clone()).chain(later).find(|name| !name.exists()).unwrap_or(first)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What is wrong with a database file, or none. A busy or unreadable file is an error, not damage.
fn damage(path: &Path) -> Result<Option<String>> {
    match quick_check(path) {
        Ok(verdict) if verdict == "ok" => Ok(None),
        Ok(verdict) => Ok(Some(verdict.lines().next().unwrap_or_default().to_owned())),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(Some(error.to_string())),
            _ => Err(Error::new(ErrorKind::Storage, format!("cannot read {}: {error}", path.display()))),
        },
    }
}

fn quick_check(path: &Path) -> rusqlite::Result<String> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file for reading and writing, created with mode 0600: what is generated is the user's alone.
fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let message = format!(
        "cannot write to {}: {error}; choose another directory with CLAUDE_CODE_AWS_LOCAL_DIR",
        path.display()
    );
    Error::new(ErrorKind::Storage, message)
}

/// A database that cannot be opened, with the disk named where it has no room: SQLite calls that an I/O error.
pub(in crate::local) fn unopened(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let full = if has_room(path) { "" } else { "; the disk is full: make room" };
    Error::new(ErrorKind::Storage, format!("cannot open {}: {error}{full}", path.display()))
}

/// Whether as much as the index of a log can be written beside the database.
fn has_room(database: &Path) -> bool {
    static INDEX: [u8; 32 * 1024] = [0; 32 * 1024];
    let probe = with_suffix(database, &format!("-room-{}", std::process::id()));
    let written = open_private(&probe).and_then(|mut file| io::Write::write_all(&mut file, &INDEX));
    let _ = std::fs::remove_file(&probe);
    !written.is_err_and(|error| error.kind() == io::ErrorKind::StorageFull)
}
