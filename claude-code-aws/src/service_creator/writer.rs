//! Who writes the files of a code: one writer at a time, who shows that it lives.

use std::future::pending;
use std::time::Duration;

use crate::UtcMillis;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::state::{OnlyIf, PutError, StateKey, StateKind};

/// A writer that shows no life for so long is dead, and another one may go on.
const LEASE: Duration = Duration::from_secs(10);
/// How often it shows that it lives.
const RENEW: Duration = Duration::from_secs(3);

/// The right to write one code. Not given back, it ends by itself.
#[derive(Debug)]
pub(super) struct Lease {
    client: Client,
    key: StateKey,
    owner: Vec<u8>,
    version: u64,
}

impl Lease {
    /// The right to write this code; `Conflict` while another writer lives.
    pub(super) async fn take(client: &Client, code_id: &str) -> Result<Self> {
        let key = StateKey::new(StateKind::Lease, client.scope(), format!("service/{code_id}"));
        let owner = client.new_id().into_bytes();
        let now = client.clock().now();
        match client.state().put(&key, owner.clone(), now.plus(LEASE), OnlyIf::AbsentAt(now)).await {
            Ok(version) => Ok(Lease { client: client.clone(), key, owner, version }),
            Err(PutError::Conflict) => {
                let message = "the files are being written by another request: repeat this one later";
                Err(conflict(message))
            }
            Err(PutError::Store(error)) => Err(error),
        }
    }

    /// Shows that the writer lives; `Conflict` if another one has taken over.
    pub(super) async fn renew(&mut self) -> Result<()> {
        match self.put(self.client.clock().now().plus(LEASE)).await {
            Ok(()) => Ok(()),
            Err(PutError::Conflict) => {
                let message = "another request has taken the files over: repeat this one later";
                Err(conflict(message))
            }
            Err(PutError::Store(error)) => {
                tracing::warn!(%error, "the writer's lease could not be renewed");
                Ok(())
            }
        }
    }

    /// Renews the lease, where there is one, for as long as this is polled; ends when another writer has taken over.
    pub(super) async fn hold(lease: &mut Option<Lease>) -> Error {
        let Some(lease) = lease else { return pending().await };
        loop {
            tokio::time::sleep(RENEW).await;
            if let Err(error) = lease.renew().await {
                return error;
            }
        }
    }

    /// Gives the right back.
    pub(super) async fn release(mut self) {
        if let Err(PutError::Store(error)) = self.put(self.client.clock().now()).await {
            tracing::warn!(%error, "the writer's lease could not be released: it ends by itself");
        }
    }

    async fn put(&mut self, until: UtcMillis) -> Result<(), PutError> {
        let state = self.client.state();
        let over = |version| state.put(&self.key, self.owner.clone(), until, OnlyIf::Version(version));
        let version = match over(self.version).await {
            // A renewal that was given up or failed on its way may have been written all the same.
            Err(PutError::Conflict) => match state.get(&self.key).await? {
                Some(row) if row.value == self.owner => over(row.version).await?,
                _ => return Err(PutError::Conflict),
            },
            put => put?,
        };
        self.version = version;
        Ok(())
    }
}

fn conflict(message: &str) -> Error {
    let mut error = Error::new(ErrorKind::Conflict, message);
    error.retry_after = Some(LEASE);
    error
}
