//! The store's thread and the S3 wire in front of it.

use std::fmt;
use std::sync::Arc;

use claude_code_core::{Error, ErrorKind, Result};
use http::{Request, Response};
use http_body_util::BodyExt;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3Result, s3_error};

use super::store;
use crate::local::server::body::{Body, BodyError};
use crate::local::server::keys::Keys;
use crate::local::storage::directory::Directory;
use crate::local::storage::group_commit::{Durability, GroupCommit};
use crate::local::storage::sqlite_thread::Worker;
use crate::storage::failure::LOCAL;

/// The host of S3 inside the process; a bucket may stand in front of it.
pub(in crate::local) const HOST: &str = "s3.twin.internal";

/// S3 of one state directory.
pub(in crate::local) struct ObjectStore {
    service: S3Service,
    store: Store,
}

impl fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectStore")
    }
}

impl ObjectStore {
    /// Opens the database in the state directory; requests are signed with one of these keys.
    pub(in crate::local) async fn open(directory: Arc<Directory>, keys: &Keys) -> Result<Self> {
        let worker = Worker::start("s3", move || store::open(&directory)).await?;
        let worker = Arc::new(worker);
        let store = Store { commits: GroupCommit::new(worker.clone(), Durability::Each), worker };
        let mut builder = S3ServiceBuilder::new(store.clone());
        // With keys known, s3s checks every signature and refuses a request without one.
        builder.set_auth(Known(keys.clone()));
        builder.set_host(Hosts);
        Ok(ObjectStore { service: builder.build(), store })
    }

    /// The connection, for writes that need no wire.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Answers one request.
    pub(in crate::local) async fn handle(&self, request: Request<Body>) -> Result<Response<Body>> {
        let request = request.map(s3s::Body::http_body);
        let failed = |error| Error::new(ErrorKind::Storage, format!("the local s3 engine failed: {error:?}"));
        let response = self.service.call(request).await.map_err(failed)?;
        Ok(response.map(|body| body.map_err(BodyError::new).boxed()))
    }
}

/// The connection on its thread, as the operations use it.
#[derive(Clone, Debug)]
pub(super) struct Store {
    worker: Arc<Worker<Connection>>,
    commits: GroupCommit,
}

impl Store {
    /// Runs a write that shares its transaction with others that wait.
    pub(super) async fn write_with_others<R, E, F>(&self, job: F) -> Result<std::result::Result<R, E>>
    where
        R: Send + 'static,
        E: From<rusqlite::Error> + Send + 'static,
        F: FnOnce(&Connection) -> std::result::Result<R, E> + Send + 'static,
    {
        self.commits.write(job).await
    }

    /// Runs a job that only reads, within one transaction: what it sees belongs together.
    pub(super) async fn read<R, F>(&self, job: F) -> S3Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Outcome<R> + Send + 'static,
    {
        self.transact(TransactionBehavior::Deferred, job).await
    }

    /// Runs a job that writes. Its changes are on the disk when this returns, or none of them are.
    pub(super) async fn write<R, F>(&self, job: F) -> S3Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Outcome<R> + Send + 'static,
    {
        self.transact(TransactionBehavior::Immediate, job).await
    }

    async fn transact<R, F>(&self, behavior: TransactionBehavior, job: F) -> S3Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Outcome<R> + Send + 'static,
    {
        let done = self.worker.run(move |connection| -> Outcome<R> {
            let transaction = connection.transaction_with_behavior(behavior)?;
            let result = job(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        done.await.map_err(S3Error::internal_error)?.map_err(S3Error::from)
    }
}

/// The result of a job: S3's own refusals and the database's failures both travel with `?`.
pub(super) type Outcome<T> = std::result::Result<T, Fault>;

/// Why a job gave no result.
#[derive(Debug)]
pub(super) enum Fault {
    /// S3 says no.
    Refused(S3Error),
    /// SQLite failed.
    Database(rusqlite::Error),
}

impl From<S3Error> for Fault {
    fn from(error: S3Error) -> Self {
        Fault::Refused(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Database(error)
    }
}

impl From<Fault> for S3Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Database(error) => {
                tracing::error!("the local s3 store failed: {error}");
                s3_error!(InternalError, "{LOCAL}{error}")
            }
        }
    }
}

/// The secrets of the keys that the twin knows.
struct Known(Keys);

#[async_trait::async_trait]
impl S3Auth for Known {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let unknown = || {
            s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records.")
        };
        self.0.secret(access_key).map(SecretKey::from).ok_or_else(unknown)
    }
}

/// Path style on every host but ours; in front of ours stands a bucket.
#[derive(Debug)]
struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.split(':').next().unwrap_or(host);
        let bucket = name.strip_suffix(HOST).and_then(|front| front.strip_suffix('.'));
        let parsed = VirtualHost::new(host);
        Ok(match bucket {
            Some(bucket) => parsed.with_bucket(bucket),
            None => parsed,
        })
    }
}
