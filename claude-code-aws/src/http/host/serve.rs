//! HTTP server: the router on a socket.

use std::future::{Future, pending};
use std::net::SocketAddr;

use claude_code_core::metrics::MetricsSink;
use claude_code_core::{Error, ErrorKind, Result};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connections::{self, Door};
use crate::http::app::App;
use crate::http::auth::credentials::Authentication;
use crate::http::jobs::recovery::Member;
use crate::http::router;

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
    if !addr.ip().is_loopback()
        && matches!(app.settings.authentication, Authentication::Open | Authentication::Local(_))
    {
        return Err(Error::invalid(format!(
            "{addr} can be reached by others: give the server a token, or listen at 127.0.0.1"
        )));
    }
    connections::has_files()?;
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
        let door = Door::new(listener, router(app.clone()), timeouts, app.settings.workers.clone());
        let mut member = Member::new(&app);
        let (ending, end) = watch::channel(false);
        let (mut begun, mut late) = (JoinSet::new(), JoinSet::new());
        tokio::select! {
            () = stop => {}
            never = door.welcome(&mut begun, &end) => match never {},
            never = member.live() => match never {},
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
        member.leave().await;
        app.observers.flush().await;
        Ok(())
    }
}

/// Listens and answers for ever.
pub async fn serve(app: App, addr: SocketAddr) -> Result<()> {
    bind(app, addr).await?.until(pending()).await
}
