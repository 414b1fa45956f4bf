//! The twin's storage: its directory, the SQLite threads, DynamoDB's tables, and the embedded stores of the disk.

pub(crate) mod directory;
pub(crate) mod dynamodb;
pub(crate) mod group_commit;
pub(crate) mod results;
pub(crate) mod schema;
pub(crate) mod sqlite_thread;
pub(crate) mod state;
