//! The journal of rows: each result's row is kept beside its objects, in the transaction that is synchronised with the
//! disk, until the table's own log has certainly been. A loss of power then costs no acknowledged row.

use claude_code_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, params};

use super::ObjectStore;

/// The table, in the objects' database.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS row_journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    boot TEXT NOT NULL,
    bucket TEXT NOT NULL,
    manifest TEXT NOT NULL,
    members TEXT NOT NULL
) STRICT;
";

/// Rows that are kept: SQLite synchronises the table's log whenever it has 1,000 pages, and a row takes two at least.
const KEPT: i64 = 4_096;

/// A row that is about to be put, as the members of a PutItem.
#[derive(Clone, Debug)]
pub(in crate::local) struct NewRow {
    /// What tells this run of the machine from the one before.
    pub(in crate::local) boot: String,
    /// The object that the row belongs to: without it the result was deleted.
    pub(in crate::local) manifest: String,
    pub(in crate::local) members: String,
}

/// Notes a row, and forgets those that need not be kept any more.
pub(super) fn note(connection: &Connection, bucket: &str, row: &NewRow) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO row_journal (boot, bucket, manifest, members) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![row.boot, bucket, row.manifest, row.members])?;
    let seq = connection.last_insert_rowid();
    if seq % 64 == 0 {
        connection.prepare_cached("DELETE FROM row_journal WHERE seq <= ?1")?.execute([seq - KEPT])?;
    }
    Ok(())
}

impl ObjectStore {
    /// The rows that were put before the machine last started, and whose result is still there: its power may have gone
    /// before the table was on the disk.
    pub(in crate::local) async fn rows_before(&self, boot: &str) -> Result<Vec<String>> {
        let boot = boot.to_owned();
        let read = self.store().write_with_others(move |connection| -> rusqlite::Result<Vec<String>> {
            let mut found = connection.prepare_cached(
                "SELECT members FROM row_journal AS row WHERE boot <> ?1 AND EXISTS (
                     SELECT 1 FROM version WHERE bucket = row.bucket AND key = row.manifest AND latest = 1 AND marker = 0
                 ) ORDER BY seq",
            )?;
            found.query_map([&boot], |row| row.get(0))?.collect()
        });
        read.await?.map_err(unreadable)
    }

    /// The rows that were put before are put again: from now on they count as this run's.
    pub(in crate::local) async fn rows_are_back(&self, boot: &str) -> Result<()> {
        let boot = boot.to_owned();
        let write = self.store().write_with_others(move |connection| -> rusqlite::Result<()> {
            connection.execute("UPDATE row_journal SET boot = ?1 WHERE boot <> ?1", [&boot]).map(drop)
        });
        write.await?.map_err(unreadable)
    }
}

fn unreadable(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("the journal of rows cannot be used: {error}"))
}
