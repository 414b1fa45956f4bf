//! Group commit: writes that arrive while the disk is busy share the next transaction and its one fsync.
//!
//! Each write runs in a savepoint of its own, so that one that is refused takes none of the others with it. Its caller
//! learns the result when the shared transaction is on the disk, not before.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use claude_code_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::sqlite_thread::Worker;

/// Writes in one transaction at most: the first of them must not wait for ever.
const AT_ONCE: usize = 256;

/// How old the last synchronised commit may be before the next one is synchronised, where not each of them is.
const SYNC_AFTER: Duration = Duration::from_secs(1);

/// Which commits wait for the disk. All of them outlive a killed process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Each one: what was answered outlives a loss of power.
    Each,
    /// One a second: a loss of power takes the commits after it.
    EachSecond,
}

/// Tells a write's caller how the shared transaction ended.
type Answer = Box<dyn FnOnce(std::result::Result<(), &str>) + Send>;
/// A write. Without a transaction it answers why there is none.
type Write = Box<dyn FnOnce(std::result::Result<&Connection, &str>) -> Option<Answer> + Send>;

/// A connection on its thread, and the writes that wait for its next transaction.
#[derive(Clone)]
pub(crate) struct GroupCommit {
    worker: Arc<Worker<Connection>>,
    queue: Arc<Queue>,
}

/// What the thread needs: not the worker, whose end it would otherwise wait for itself.
struct Queue {
    waiting: Mutex<Vec<Write>>,
    durability: Durability,
    synced: Mutex<Instant>,
}

impl std::fmt::Debug for GroupCommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GroupCommit")
    }
}

impl GroupCommit {
    /// Group commit over this connection.
    pub(crate) fn new(worker: Arc<Worker<Connection>>, durability: Durability) -> Self {
        let queue = Queue { waiting: Mutex::default(), durability, synced: Mutex::new(Instant::now()) };
        GroupCommit { worker, queue: Arc::new(queue) }
    }

    /// Runs a write and waits until it is committed. One that returns an error changes nothing. A write that was begun
    /// is carried out even if its caller stops waiting.
    ///
    /// Fails with [`ErrorKind::Storage`] if the transaction failed; then nothing of it was written.
    pub(crate) async fn write<R, E, F>(&self, job: F) -> Result<std::result::Result<R, E>>
    where
        R: Send + 'static,
        E: From<rusqlite::Error> + Send + 'static,
        F: FnOnce(&Connection) -> std::result::Result<R, E> + Send + 'static,
    {
        if self.worker.is_forked() {
            return Err(self.worker.stopped());
        }
        let (sender, done) = oneshot::channel();
        let write: Write = Box::new(move |open| {
            let result = match open {
                Ok(connection) => saved(connection, job),
                Err(why) => {
                    let _ = sender.send(Err(failed(why)));
                    return None;
                }
            };
            Some(Box::new(move |committed| {
                let _ = sender.send(committed.map(|()| result).map_err(failed));
            }))
        });
        if self.queue.push(write) {
            let queue = self.queue.clone();
            self.worker.post(move |connection| queue.flush(connection));
        }
        done.await.unwrap_or_else(|_| Err(self.worker.stopped()))
    }

    /// Runs a read on the connection, outside of any write.
    pub(crate) async fn read<R, F>(&self, job: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> R + Send + 'static,
    {
        self.worker.run(move |connection| job(connection)).await
    }
}

impl Queue {
    /// Whether it is the first one that waits: it asks for the transaction.
    fn push(&self, write: Write) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(write);
        waiting.len() == 1
    }

    /// Commits what waits, in as few transactions as there may be.
    fn flush(&self, connection: &mut Connection) {
        let mut writes = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        while !writes.is_empty() {
            let rest = writes.split_off(writes.len().min(AT_ONCE));
            let syncs = self.durability == Durability::EachSecond && self.is_due();
            if syncs {
                let _ = connection.pragma_update(None, "synchronous", "FULL");
            }
            commit(connection, writes);
            if syncs {
                let _ = connection.pragma_update(None, "synchronous", "NORMAL");
            }
            writes = rest;
        }
    }

    fn is_due(&self) -> bool {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let due = synced.elapsed() >= SYNC_AFTER;
        if due {
            *synced = Instant::now();
        }
        due
    }
}

fn failed(why: &str) -> Error {
    Error::new(
        ErrorKind::Storage,
        format!(
            "the local store could not write: {why}; see that the disk of LOCAL_DIR has room and can be written"
        ),
    )
}

/// Runs a write in a savepoint: its error undoes it alone.
fn saved<R, E: From<rusqlite::Error>>(
    connection: &Connection,
    job: impl FnOnce(&Connection) -> std::result::Result<R, E>,
) -> std::result::Result<R, E> {
    let run = |sql: &str| connection.prepare_cached(sql)?.execute([]).map(drop);
    run("SAVEPOINT one")?;
    let result = job(connection);
    if result.is_err() {
        run("ROLLBACK TO one")?;
    }
    run("RELEASE one")?;
    result
}

fn commit(connection: &mut Connection, writes: Vec<Write>) {
    let begun = Transaction::new(connection, TransactionBehavior::Immediate);
    let transaction = match begun {
        Ok(transaction) => transaction,
        Err(error) => {
            let why = error.to_string();
            writes.into_iter().for_each(|write| drop(write(Err(&why))));
            return;
        }
    };
    let answers: Vec<Answer> = writes.into_iter().filter_map(|write| write(Ok(&transaction))).collect();
    let committed = transaction.commit().map_err(|error| error.to_string());
    for answer in answers {
        answer(committed.as_ref().copied().map_err(String::as_str));
    }
}
