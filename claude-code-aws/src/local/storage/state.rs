//! Shared state of the local directory: a [`StateStore`] straight on SQLite, shared by the processes that use it.
//!
//! A commit outlives a killed process. A loss of power takes the commits after the last synchronised one, which is
//! made once a second: state is a cache, leases of seconds, and a budget of a day.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use claude_code_core::state::{
    AddError, Addition, Counters, OnlyIf, PutError, StateKey, StateStore, Versioned,
};
use claude_code_core::{Error, ErrorKind, Result, UtcMillis};
use rusqlite::{Connection, OptionalExtension, params};

use super::directory::{Directory, unopened};
use super::group_commit::{Durability, GroupCommit};
use super::sqlite_thread::Worker;

/// The engine's file in the state directory.
pub(crate) const FILE: &str = "state.sqlite";

/// How long SQLite waits for a transaction of another process.
const BUSY: Duration = Duration::from_secs(5);
/// Expired values are looked for once in so many conditional puts, and at most so many of them go at once.
const SWEEP: u64 = 1024;

/// A version is the row's own number, which SQLite gives out once: a value that comes after an expired one went never
/// has that one's version.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS value (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    value BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS value_expires ON value (expires);
CREATE TABLE IF NOT EXISTS counters (
    key TEXT PRIMARY KEY,
    totals TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// State in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteState {
    commits: GroupCommit,
    puts: Arc<AtomicU64>,
    // Last, because fields drop in order: the lock goes when the database is closed.
    _directory: Arc<Directory>,
}

impl SqliteState {
    /// Opens the state of a local directory and creates what is missing.
    pub async fn open(directory: Arc<Directory>) -> Result<Self> {
        let place = Arc::clone(&directory);
        let open = move || {
            let path = place.database(FILE)?;
            connect(&path).map_err(|error| unopened(&path, &error))
        };
        let worker = Worker::start("state", open).await?;
        let commits = GroupCommit::new(Arc::new(worker), Durability::EachSecond);
        Ok(SqliteState { commits, puts: Arc::default(), _directory: directory })
    }

    /// Whether expired values are looked for now.
    fn sweeps(&self) -> bool {
        self.puts.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1
    }
}

fn connect(path: &std::path::Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

fn storage(error: &rusqlite::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("the local state cannot be used: {error}"))
}

#[async_trait::async_trait]
impl StateStore for SqliteState {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>> {
        let key = key.to_string();
        self.commits.read(move |connection| get(connection, &key)).await?.map_err(|error| storage(&error))
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        expires_at: UtcMillis,
        only_if: OnlyIf,
    ) -> Result<u64, PutError> {
        let (key, sweeps) = (key.to_string(), self.sweeps());
        let put = self.commits.write(move |connection| {
            if let (OnlyIf::AbsentAt(now), true) = (only_if, sweeps) {
                sweep(connection, now)?;
            }
            put(connection, &key, &value, expires_at, only_if)
        });
        match put.await? {
            Ok(version) => Ok(version),
            Err(Refused::Condition(())) => Err(PutError::Conflict),
            Err(Refused::Database(error)) => Err(PutError::Store(storage(&error))),
        }
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        let key = key.to_string();
        // Figures that are only looked at are read: a disk that is full has them too.
        if addition.deltas.values().all(|delta| *delta == 0) {
            let read = self.commits.read(move |connection| totals(connection, &key, &addition)).await?;
            return read.map_err(|error| AddError::Store(storage(&error)));
        }
        match self.commits.write(move |connection| add(connection, &key, &addition)).await? {
            Ok(totals) => Ok(totals),
            Err(Refused::Condition(before)) => Err(AddError::OutOfBounds(before)),
            Err(Refused::Database(error)) => Err(AddError::Store(storage(&error))),
        }
    }
}

/// Why a write did not happen.
enum Refused<T> {
    /// Its condition did not hold.
    Condition(T),
    /// SQLite failed.
    Database(rusqlite::Error),
}

impl<T> From<rusqlite::Error> for Refused<T> {
    fn from(error: rusqlite::Error) -> Self {
        Refused::Database(error)
    }
}

fn get(connection: &Connection, key: &str) -> rusqlite::Result<Option<Versioned>> {
    let mut found = connection.prepare_cached("SELECT value, version, expires FROM value WHERE key = ?1")?;
    let read = |row: &rusqlite::Row<'_>| {
        let version: i64 = row.get(1)?;
        Ok(Versioned {
            value: row.get(0)?,
            version: version.unsigned_abs(),
            expires_at: UtcMillis(row.get(2)?),
        })
    };
    found.query_row([key], read).optional()
}

fn put(
    connection: &Connection,
    key: &str,
    value: &[u8],
    expires_at: UtcMillis,
    only_if: OnlyIf,
) -> Result<u64, Refused<()>> {
    let mut found = connection.prepare_cached("SELECT version, expires FROM value WHERE key = ?1")?;
    let old: Option<(i64, i64)> = found.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let allowed = match (only_if, old) {
        (OnlyIf::Any, _) | (OnlyIf::AbsentAt(_), None) => true,
        (OnlyIf::AbsentAt(now), Some((_, expires))) => now.0 >= expires,
        (OnlyIf::Version(wanted), Some((version, _))) => version.unsigned_abs() == wanted,
        (OnlyIf::Version(_), None) => false,
    };
    if !allowed {
        return Err(Refused::Condition(()));
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO value (key, value, expires) VALUES (?1, ?2, ?3)")?
        .execute(params![key, value, expires_at.0])?;
    Ok(connection.last_insert_rowid().unsigned_abs())
}

/// The row's counters before an addition.
fn totals(connection: &Connection, key: &str, addition: &Addition) -> rusqlite::Result<Counters> {
    let mut found = connection.prepare_cached("SELECT totals FROM counters WHERE key = ?1")?;
    let row: Option<String> = found.query_row([key], |row| row.get(0)).optional()?;
    let stored: Option<Counters> = row.map(|json| serde_json::from_str(&json).unwrap_or_default());
    let before = match stored {
        Some(mut stored) => {
            for name in addition.initial.keys().chain(addition.deltas.keys()) {
                stored.entry(name.clone()).or_insert(0);
            }
            stored
        }
        None => addition.initial.clone(),
    };
    Ok(before)
}

fn add(connection: &Connection, key: &str, addition: &Addition) -> Result<Counters, Refused<Counters>> {
    let before = totals(connection, key, addition)?;
    let mut totals = before.clone();
    for (name, delta) in &addition.deltas {
        let total = totals.entry(name.clone()).or_insert(0);
        *total = total.saturating_add(*delta);
    }
    if addition.floors.iter().any(|(name, floor)| totals.get(name).copied().unwrap_or(0) < *floor) {
        return Err(Refused::Condition(before));
    }
    totals.retain(|name, _| !addition.removed.contains(name));
    let json = serde_json::to_string(&totals).unwrap_or_else(|_| "{}".to_owned());
    connection
        .prepare_cached("INSERT OR REPLACE INTO counters (key, totals, expires) VALUES (?1, ?2, ?3)")?
        .execute(params![key, json, addition.expires_at.0])?;
    Ok(totals)
}

/// Removes what has expired.
fn sweep(connection: &Connection, now: UtcMillis) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM value WHERE version IN (SELECT version FROM value WHERE expires <= ?1 LIMIT 4096)",
        )?
        .execute([now.0])?;
    connection.prepare_cached("DELETE FROM counters WHERE expires <= ?1")?.execute([now.0])?;
    Ok(())
}
