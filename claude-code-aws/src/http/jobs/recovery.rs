//! Recovery of the jobs of servers that died. Each server has a lease and notes its jobs, one row for each slot; all are
//! listed in one row. A server whose lease ended is struck from the list by whoever takes its jobs up.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use claude_code_core::state::lease::{Lease, Leases, RENEW, Taken};
use claude_code_core::state::{OnlyIf, PutError, StateKey, StateKind};
use claude_code_core::{Error, ErrorKind, Result, Scope};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::pool::JobPermit;
use super::worker;
use crate::http::app::App;
use crate::http::auth::credentials::Caller;

/// Notes and the list are kept so long: a day, as long as jobs are.
const KEPT: Duration = Duration::from_secs(86_400);
/// How often the list is written anew where another server was faster.
const TRIES: usize = 8;

/// A job in a slot.
#[derive(Serialize, Deserialize)]
struct Note {
    scope: Scope,
    job: String,
}

/// The servers that are alive or have left jobs, each with the number of its slots.
type Servers = BTreeMap<String, usize>;

/// Notes that the job is this server's, before it has a row.
pub(crate) async fn note(app: &App, place: &JobPermit) -> Result<()> {
    let (scope, job) = place.job();
    let note = Note { scope: scope.clone(), job: job.to_owned() };
    write(app, &slot_key(app.job_pool.id(), place.slot()), &note, OnlyIf::Any).await.map_err(from_put)
}

/// A server among those that share its state.
#[derive(Debug)]
pub(crate) struct Member {
    app: App,
    leases: Leases,
    own: Option<Lease>,
}

impl Member {
    pub(crate) fn new(app: &App) -> Self {
        let client = &app.client;
        let leases = Leases::new(client.state().clone(), client.clock().clone(), client.ids().clone());
        Member { app: app.clone(), leases, own: None }
    }

    /// Shows that this server lives and takes up the jobs of those that died, for as long as it is polled.
    pub(crate) async fn live(&mut self) -> Infallible {
        loop {
            if let Err(error) = round(&self.app, &self.leases, &mut self.own).await {
                tracing::warn!(%error, "the jobs of other servers could not be looked after: trying again");
            }
            tokio::time::sleep(RENEW).await;
        }
    }

    /// Ends the lease: another server takes up what this one leaves, at once.
    pub(crate) async fn leave(self) {
        if let Some(lease) = self.own
            && let Err(error) = lease.release().await
        {
            tracing::debug!(%error, "this server's lease could not be released: it ends by itself");
        }
    }
}

async fn round(app: &App, leases: &Leases, own: &mut Option<Lease>) -> Result<()> {
    // What streams held whose callers hung up: no later request may come to give it back.
    app.client.release_leases().await;
    let is_held = match own.as_ref() {
        Some(lease) => lease.renew().await?,
        None => false,
    };
    if !is_held {
        *own = held(leases, app.job_pool.id()).await?;
        change(app, |servers| servers.insert(app.job_pool.id().to_owned(), app.job_pool.slots()).is_none())
            .await?;
    }
    take_over(app, leases).await
}

/// Takes up the jobs of servers that died, as far as there is room.
async fn take_over(app: &App, leases: &Leases) -> Result<()> {
    let (servers, _) = read::<Servers>(app, &list_key()).await?.unwrap_or_default();
    for (server, slots) in servers.iter().filter(|(server, _)| *server != app.job_pool.id()) {
        let Some(lease) = held(leases, server).await? else { continue };
        if adopt(app, server, *slots).await? {
            change(app, |servers| servers.remove(server).is_some()).await?;
        }
        lease.release().await?;
    }
    Ok(())
}

/// Begins every job that a dead server noted and has not ended. False: there was no room for all of them.
async fn adopt(app: &App, server: &str, slots: usize) -> Result<bool> {
    let mut all = true;
    for slot in 0..slots {
        // Slots are given from the lowest on: behind one that nobody had there is none.
        let Some((note, _)) = read::<Note>(app, &slot_key(server, slot)).await? else { break };
        match app.jobs.get(&note.scope, &note.job).await {
            Ok(job) if job.is_ended() => continue,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        match app.job_pool.permit(&note.scope, &note.job) {
            Some(place) => {
                tracing::info!(job = note.job, "a job of a server that died is taken up");
                let caller = Caller { client: app.client.scoped(note.scope.clone()), scope: note.scope };
                let _where = app.settings.workers.as_ref().map(Handle::enter);
                worker::follow(app, &caller, &note.job, place);
            }
            // Without room it comes in a later round; one that this server has already is in good hands.
            None => all &= app.job_pool.has(&note.scope, &note.job),
        }
    }
    Ok(all)
}

/// The lease of a server; none while its owner lives.
async fn held(leases: &Leases, server: &str) -> Result<Option<Lease>> {
    let key = StateKey::new(StateKind::Lease, &everybody(), format!("server/{server}"));
    match leases.take(key, leases.owner().into_bytes()).await? {
        Taken::Held(lease) => Ok(Some(lease)),
        Taken::Busy(_) => Ok(None),
    }
}

/// Changes the list; `change` says whether anything is to be written.
async fn change(app: &App, change: impl Fn(&mut Servers) -> bool) -> Result<()> {
    for _ in 0..TRIES {
        let (mut servers, only_if) = match read::<Servers>(app, &list_key()).await? {
            Some((servers, version)) => (servers, OnlyIf::Version(version)),
            None => (Servers::new(), OnlyIf::AbsentAt(app.client.clock().now())),
        };
        if !change(&mut servers) {
            return Ok(());
        }
        match write(app, &list_key(), &servers, only_if).await {
            Ok(()) => return Ok(()),
            Err(PutError::Conflict) => {}
            Err(PutError::Store(error)) => return Err(error),
        }
    }
    Err(from_put(PutError::Conflict))
}

async fn read<T: DeserializeOwned>(app: &App, key: &StateKey) -> Result<Option<(T, u64)>> {
    let found = app.client.state().get(key).await?;
    let found = found.filter(|found| app.client.clock().now() < found.expires_at);
    Ok(found.and_then(|found| Some((serde_json::from_slice(&found.value).ok()?, found.version))))
}

async fn write(app: &App, key: &StateKey, value: &impl Serialize, only_if: OnlyIf) -> Result<(), PutError> {
    let value = serde_json::to_vec(value)
        .map_err(|_| Error::new(ErrorKind::Storage, "the list of servers cannot be written as JSON"))?;
    app.client.state().put(key, value, app.client.clock().now().plus(KEPT), only_if).await.map(|_| ())
}

/// No caller has this scope: the names of authenticated ones begin with how they were vouched for.
fn everybody() -> Scope {
    Scope::authenticated("servers")
}

fn list_key() -> StateKey {
    StateKey::new(StateKind::Job, &everybody(), "list")
}

fn slot_key(server: &str, slot: usize) -> StateKey {
    StateKey::new(StateKind::Job, &everybody(), format!("{server}/{slot}"))
}

fn from_put(error: PutError) -> Error {
    match error {
        PutError::Conflict => {
            Error::new(ErrorKind::Conflict, "other servers change the list all the time: try again")
        }
        PutError::Store(error) => error,
    }
}
