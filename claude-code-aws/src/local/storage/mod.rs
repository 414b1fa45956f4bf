//! The twin's storage: its directory, the SQLite threads, and DynamoDB's tables.

pub(crate) mod directory;
pub(crate) mod dynamodb;
pub(crate) mod schema;
pub(crate) mod sqlite_thread;
