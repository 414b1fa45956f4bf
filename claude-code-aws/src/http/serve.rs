//! The router on a socket.

use std::future::{Future, pending};
use std::net::SocketAddr;

use claude_code_core::{Error, Kind, Result};
use tokio::net::TcpListener;

use super::app::App;
use super::auth::Doors;
use super::router;

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
    if !addr.ip().is_loopback() && matches!(app.settings.doors, Doors::Open) {
        return Err(Error::invalid(format!(
            "{addr} can be reached by others: give the server a token, or listen at 127.0.0.1"
        )));
    }
    let failed = |error: std::io::Error| {
        Error::new(Kind::InvalidRequest, format!("cannot listen at {addr}: {error}; choose another port"))
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

    /// Answers until `stop` is ready; what has begun is answered to its end.
    pub async fn until(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let served = axum::serve(self.listener, router(self.app)).with_graceful_shutdown(stop).await;
        served.map_err(|error| Error::new(Kind::Unavailable, format!("the server ended: {error}")))
    }
}

/// Listens and answers for ever.
pub async fn serve(app: App, addr: SocketAddr) -> Result<()> {
    bind(app, addr).await?.until(pending()).await
}
