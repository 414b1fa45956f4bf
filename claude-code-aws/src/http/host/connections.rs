//! Connections of `serve`: as many as the limit on open files has room for; those beyond are told to come back. A process
//! that runs out of open files can store nothing and send nothing either.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use claude_code_core::{Error, Result};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::workers;
use crate::http::request::receive::Peer;

/// Open files that are no connections of callers: listener, runtime, standard streams, stores.
const OTHERS: usize = 32;
/// Open files of one caller: its own connection and the one to the model.
const EACH: usize = 2;
/// However low the limit is, so many callers are taken.
const LEAST: usize = 8;
/// Callers that are told at the same time that there is no room.
const TOLD: usize = 8;
/// How long a caller that is told may take to hear it.
const TELLING: Duration = Duration::from_millis(250);
/// After a failed accept: a file may be closed meanwhile.
const RECOVER: Duration = Duration::from_millis(250);
/// The same trouble is logged once in this time.
const QUIET: Duration = Duration::from_secs(60);

/// Where connections come in.
pub(super) struct Door {
    listener: TcpListener,
    router: Router,
    timeouts: Duration,
    workers: Option<Handle>,
    room: Arc<Semaphore>,
    telling: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(
        listener: TcpListener,
        router: Router,
        timeouts: Duration,
        workers: Option<Handle>,
    ) -> Self {
        let most = open_files().map_or(Semaphore::MAX_PERMITS, connections);
        let (room, telling) = (Arc::new(Semaphore::new(most)), Arc::new(Semaphore::new(TOLD)));
        Door { listener, router, timeouts, workers, room, telling }
    }

    /// Takes connections for as long as it is polled.
    pub(super) async fn welcome(
        &self,
        connections: &mut JoinSet<()>,
        end: &watch::Receiver<bool>,
    ) -> Infallible {
        let mut warned = None;
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => match self.room.clone().try_acquire_owned() {
                        Ok(place) => {
                            let work = (self.router.clone(), self.workers.clone());
                            connections.spawn(connection(stream, peer, work, self.timeouts, end.clone(), place));
                        }
                        Err(_) => {
                            let trouble = "too many connections for the limit on open files: raise it (ulimit -n); callers beyond it get 503";
                            warn(&mut warned, trouble);
                            // The loop waits meanwhile: those behind it wait in the system's queue.
                            if let Ok(turn) = self.telling.clone().acquire_owned().await {
                                connections.spawn(shed(stream, turn));
                            }
                        }
                    },
                    Err(error) => {
                        warn(&mut warned, &format!("a connection could not be accepted: {error}; waiting until a file is closed"));
                        tokio::time::sleep(RECOVER).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// Logs the trouble unless it was logged a moment ago.
fn warn(warned: &mut Option<Instant>, trouble: &str) {
    if warned.is_none_or(|at| at.elapsed() > QUIET) {
        tracing::warn!("{trouble}");
        *warned = Some(Instant::now());
    }
}

/// Fails where the limit on open files has no room for the least number of callers: a server that runs out of files at
/// the first of them stores nothing and answers nobody.
pub(super) fn has_files() -> Result<()> {
    let least = OTHERS + EACH * LEAST;
    match open_files().filter(|files| *files < least) {
        Some(files) => Err(Error::invalid(format!(
            "the limit on open files is {files}, and the server needs {least} at least: raise it (ulimit -n 1024)"
        ))),
        None => Ok(()),
    }
}

/// How many connections a limit on open files has room for.
fn connections(files: usize) -> usize {
    (files.saturating_sub(OTHERS) / EACH).max(LEAST)
}

/// The limit on open files, where the system tells it in a file.
fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Tells a caller that there is no room. What it has sent is read and thrown away: it would not see the answer otherwise.
async fn shed(mut stream: TcpStream, _turn: OwnedSemaphorePermit) {
    const BODY: &str = r#"{"type":"urn:claude-code-aws:problem:shed","title":"Service Unavailable","status":503,"kind":"shed","detail":"the server has no room for another connection: nothing was sent, and nothing is charged; come back later","retry_after":5}"#;
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 5\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let told = async {
        stream.write_all(head.as_bytes()).await?;
        stream.shutdown().await?;
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = tokio::time::timeout(TELLING, told).await;
}

/// One connection: a head that does not arrive in time closes it.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    (router, workers): (Router, Option<Handle>),
    timeouts: Duration,
    mut end: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    // Without it a small answer waits for the acknowledgement of the one before: 40 ms.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (router, workers) = (router.clone(), workers.clone());
        request.extensions_mut().insert(Peer(peer.ip()));
        workers::answered(workers, router, request.map(Body::new))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    let ending = async move { drop(end.wait_for(|ending| *ending).await) };
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = ending => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::connections;

    #[test]
    fn a_limit_on_open_files_leaves_room_for_the_stores() {
        let found: Vec<usize> = [16, 64, 256, 1024, 4096].map(connections).into();
        assert_eq!(found, [8, 16, 112, 496, 2032]);
    }
}
