//! The router on a socket.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use claude_code_core::{Error, ErrorKind, Result};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lambda_http::Service;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::http::app::App;
use crate::http::auth::credentials::Authentication;
use crate::http::router;

/// After a failed accept, which happens where a limit on open files is reached.
const RECOVER: Duration = Duration::from_millis(50);

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    app: App,
}

/// Listens at this address; port 0 takes a free one. Refuses an address that others reach unless the settings have a
/// token.
pub async fn bind(app: App, addr: SocketAddr) -> Result<Server> {
    if !addr.ip().is_loopback() && matches!(app.settings.authentication, Authentication::Open) {
        return Err(Error::invalid(format!(
            "{addr} can be reached by others: give the server a token, or listen at 127.0.0.1"
        )));
    }
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::InvalidRequest,
            format!("cannot listen at {addr}: {error}; choose another port"),
        )
    };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok(Server { listener, addr, app })
}

impl Server {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers until `stop` is ready. Then whoever comes is told that the server ends, and what has begun has the
    /// settings' time to its end: answers, jobs, and work for callers that hung up.
    pub async fn until(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Server { listener, app, .. } = self;
        let (timeouts, last) = (app.settings.timeouts, app.settings.last_answers);
        let door = Door { listener, router: router(app.clone()), timeouts };
        let (ending, end) = watch::channel(false);
        let (mut begun, mut late) = (JoinSet::new(), JoinSet::new());
        tokio::select! {
            () = stop => {}
            never = door.welcome(&mut begun, &end) => match never {},
        }
        app.close();
        let _ = ending.send(true);
        let all = async {
            while begun.join_next().await.is_some() {}
            app.rest().await;
        };
        let (_open, open) = watch::channel(false);
        tokio::select! {
            () = all => {}
            () = tokio::time::sleep(last) => tracing::warn!("the server ended before all answers did"),
            never = door.welcome(&mut late, &open) => match never {},
        }
        Ok(())
    }
}

/// Where connections come in.
struct Door {
    listener: TcpListener,
    router: Router,
    timeouts: Duration,
}

impl Door {
    /// Takes connections for as long as it is polled.
    async fn welcome(&self, connections: &mut JoinSet<()>, end: &watch::Receiver<bool>) -> Infallible {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection(stream, self.router.clone(), self.timeouts, end.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(RECOVER).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// One connection: a head that does not arrive in time closes it.
async fn connection(stream: TcpStream, router: Router, timeouts: Duration, mut end: watch::Receiver<bool>) {
    // Without it a small answer waits for the acknowledgement of the one before: 40 ms.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        async move { Service::call(&mut router, request.map(Body::new)).await }
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

/// Listens and answers for ever.
pub async fn serve(app: App, addr: SocketAddr) -> Result<()> {
    bind(app, addr).await?.until(pending()).await
}
