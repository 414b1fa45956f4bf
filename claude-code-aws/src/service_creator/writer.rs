//! Writer lease of a service's files: one writer at a time, which renews it while it lives.

use std::future::pending;

use crate::Client;
use crate::state::lease::{self, Lease, Leases, Taken};
use crate::state::{StateKey, StateKind};
use crate::{Error, ErrorKind, Result};

/// The right to write this code; `Conflict` while another writer lives.
pub(super) async fn take(client: &Client, code_id: &str) -> Result<Lease> {
    let leases = Leases::new(client.state().clone(), client.clock().clone(), client.ids().clone());
    let key = StateKey::new(StateKind::Lease, client.scope(), format!("service/{code_id}"));
    match leases.take(key, leases.owner().into_bytes()).await? {
        Taken::Held(lease) => Ok(lease),
        Taken::Busy(_) => Err(busy("the files are being written by another request: repeat this one later")),
    }
}

/// Renews the lease, where there is one, for as long as this is polled; ends when another writer has taken over.
pub(super) async fn hold(lease: Option<&Lease>) -> Error {
    match lease {
        Some(lease) => lease.lost().await,
        None => pending().await,
    }
    taken_over()
}

/// Fails with `Conflict` if another writer has taken over. Where that cannot be told the files are this writer's.
pub(super) async fn check(lease: Option<&Lease>) -> Result<()> {
    let Some(lease) = lease else { return Ok(()) };
    match lease.renew().await {
        Ok(true) => Ok(()),
        Ok(false) => Err(taken_over()),
        Err(error) => {
            tracing::warn!(%error, "the writer's lease could not be renewed");
            Ok(())
        }
    }
}

/// Gives the right back.
pub(super) async fn release(lease: &Lease) {
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "the writer's lease could not be released: it ends by itself");
    }
}

fn taken_over() -> Error {
    busy("another request has taken the files over: repeat this one later")
}

fn busy(message: &str) -> Error {
    Error::new(ErrorKind::Conflict, message).with_retry_after(lease::TTL)
}
