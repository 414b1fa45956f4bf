//! The tables, and how the file is opened.

use claude_code_core::Result;
use rusqlite::Connection;

use super::journal;
use crate::local::storage::directory::{Directory, unopened};

/// The engine's file in the state directory.
pub(in crate::local) const FILE: &str = "s3.sqlite";

/// Bodies have a table of their own, so that listings do not page over them. `seq` orders the versions of a
/// key; at most one of them is the latest.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS bucket (
    name TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    versioning TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS version (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL REFERENCES bucket (name),
    key TEXT NOT NULL,
    id TEXT NOT NULL,
    latest INTEGER NOT NULL,
    marker INTEGER NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS version_latest ON version (bucket, key) WHERE latest = 1;
CREATE UNIQUE INDEX IF NOT EXISTS version_id ON version (bucket, key, id);
CREATE TABLE IF NOT EXISTS body (
    seq INTEGER PRIMARY KEY REFERENCES version (seq) ON DELETE CASCADE,
    data BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS upload (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES bucket (name),
    key TEXT NOT NULL,
    started INTEGER NOT NULL,
    algorithm TEXT,
    whole INTEGER NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS part (
    upload TEXT NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    checksums TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (upload, number)
) STRICT;
";

/// Opens the store of a state directory and creates what is missing. Runs on the store's thread.
pub(super) fn open(directory: &Directory) -> Result<Connection> {
    let path = directory.database(FILE)?;
    connect(&path).map_err(|error| unopened(&path, &error))
}

fn connect(path: &std::path::Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A write that was answered has reached the disk; NORMAL would lose the last ones with the power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The log shrinks back to this after a large object went through it.
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    connection.execute_batch(SCHEMA)?;
    connection.execute_batch(journal::SCHEMA)?;
    Ok(connection)
}
