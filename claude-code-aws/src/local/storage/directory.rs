//! The state directory: one process at a time, one SQLite file per engine, and nothing ever thrown away.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use claude_code_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::local::s3;
use crate::local::server::clock;
use crate::local::storage::dynamodb;

/// The name of the lock file; its content is the owner's process id.
const LOCK: &str = "lock";

/// SQLite keeps a log and an index of it beside the database; they move together with it.
const SIDE_FILES: [&str; 3] = ["", "-wal", "-shm"];

/// What the engines keep here, and all that [`Directory::clear`] removes.
const DATABASES: [&str; 2] = [dynamodb::FILE, s3::FILE];

/// A state directory that this process alone may use until the value is dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    notices: Mutex<Vec<String>>,
    // Held, never read: closing the file releases the lock, also when the process is killed.
    _lock: File,
}

impl Directory {
    /// Creates the directory where it is missing (mode 0700) and locks it.
    ///
    /// Fails with [`ErrorKind::Storage`] if it cannot be written, or if another process uses it; the line names
    /// that process and the way to share its engines.
    pub fn open(path: &Path) -> Result<Self> {
        create(path).map_err(|error| unwritable(path, &error))?;
        let file = open_private(&path.join(LOCK)).map_err(|error| unwritable(path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path, file)),
            Err(TryLockError::Error(error)) => return Err(unwritable(path, &error)),
        }
        write_owner(&file).map_err(|error| unwritable(path, &error))?;
        Ok(Directory { path: path.to_owned(), notices: Mutex::default(), _lock: file })
    }

    /// Where the directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was noticed on opening, one line each: every database that was damaged and set aside.
    pub fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The path of a database file that is sound or new. A damaged one is renamed to
    /// `NAME.damaged-YYYYMMDDTHHMMSS`, with a notice, and a fresh one begins.
    ///
    /// Reads the whole file (SQLite's `quick_check`): call it on the engine's thread.
    pub fn database(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        if path.exists()
            && let Some(damage) = damage(&path)?
        {
            self.set_aside(&path, name, &damage)?;
        }
        open_private(&path).map_err(|error| unwritable(&path, &error))?;
        Ok(path)
    }

    /// Removes the engines' databases, and with them all that they keep; those that were set aside stay, and so does
    /// whatever else is in the directory. Call it before the engines open.
    ///
    /// Fails with [`ErrorKind::Storage`] if one cannot be removed.
    pub fn clear(&self) -> Result<()> {
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

fn write_owner(mut file: &File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn in_use(path: &Path, mut file: File) -> Error {
    let mut owner = String::new();
    let _ = file.read_to_string(&mut owner);
    let owner =
        owner.trim().parse::<u32>().map_or_else(|_| "another process".to_owned(), |pid| format!("pid {pid}"));
    let message = format!("{} is in use by {owner}; share it with `claude-code-aws twin up`", path.display());
    Error::new(ErrorKind::Storage, message)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let message = format!(
        "cannot write to {}: {error}; choose another directory with CLAUDE_CODE_AWS_LOCAL_DIR",
        path.display()
    );
    Error::new(ErrorKind::Storage, message)
}
