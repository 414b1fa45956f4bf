//! `serve`: the HTTP API and the page.

use std::io::IsTerminal;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claude_code_core::answer::file::hex;
use claude_code_core::{Error, ErrorKind, IdSource, Result};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::cli::args::{Global, ServeArgs};
use crate::cli::output::exit;
use crate::cli::output::show;
use crate::cli::setup;
use crate::cli::shutdown::Signals;
use crate::clock::SystemIds;
use crate::connect::config::{Config, Provider, Store};
use crate::http::{App, Settings, bind};

/// How long answers and jobs that have begun may take to their end once the server is told to end.
const LAST_ANSWERS: Duration = Duration::from_secs(30);
/// How long the credentials may take to be found before the server says that there are none.
const CREDENTIALS: Duration = Duration::from_secs(5);

pub(crate) async fn run(global: Global, args: ServeArgs, workers: Handle) -> Result<u8> {
    let mut config = setup::config(global)?;
    let addr = resolved(&args.addr)?;
    if !addr.ip().is_loopback() && !global.is_offline() {
        // The disk is for one person's machine: what others send is kept only where someone said so.
        config.default_store = Store::None;
    }
    let settings = Settings::default()
        .with_tokens(config.api.token.as_ref().map(|token| token.expose().to_owned()))
        .with_origins(config.api.origins.clone())
        .with_last_answers(LAST_ANSWERS)
        .with_concurrency(args.concurrency.into())
        .with_workers(workers);
    // Loopback is no boundary between the users of a machine.
    let asks = config.api.token.is_none() && addr.ip().is_loopback() && !args.no_token;
    let token = asks.then(|| hex(&SystemIds.random()));
    let settings = match &token {
        Some(token) => settings.with_local_token(token),
        None => settings,
    };
    // Before the address is known to anyone: a signal right after it must find its handler.
    let mut signals = Signals::listen()?;
    let app = App::connect(&config, settings).await?;
    check(&app, &config).await;
    let server = bind(app, addr).await?;
    let kept = announce(&config, server.addr(), token.as_deref())?;
    let end = Arc::new(Notify::new());
    let told = end.clone();
    let serving = server.until(async move { told.notified().await });
    let second = async {
        signals.next().await;
        show::note("ending: what has begun is answered for up to 30 s; Ctrl-C ends it at once");
        end.notify_one();
        signals.next().await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = second => Ok(()),
    };
    if let Some(path) = kept {
        let _ = std::fs::remove_file(path);
    }
    served.map(|()| exit::OK)
}

/// The address of `HOST:PORT`; of a name that has several the first of IPv4, which most callers try first.
fn resolved(addr: &str) -> Result<SocketAddr> {
    let failed = |why: String| {
        Error::invalid(format!("--addr {addr:?}: {why}; it takes HOST:PORT, such as localhost:8080"))
    };
    let found = addr.to_socket_addrs().map_err(|error| failed(error.to_string()))?;
    found.min_by_key(SocketAddr::is_ipv6).ok_or_else(|| failed("the name has no address".to_owned()))
}

/// Says where the server listens. The token is for this terminal alone; without one it goes to a file that its user alone
/// may read, whose path is returned.
fn announce(config: &Config, addr: SocketAddr, token: Option<&str>) -> Result<Option<PathBuf>> {
    let Some(token) = token else {
        show::note(&format!("listening on http://{addr}/; Ctrl-C ends it"));
        return Ok(None);
    };
    if std::io::stderr().is_terminal() {
        show::note(&format!("listening on http://{addr}/#token={token}; Ctrl-C ends it"));
        return Ok(None);
    }
    let path = config.local_dir()?.join(format!("serve-{}.token", addr.port()));
    keep(&path, token).map_err(|error| {
        Error::new(
            ErrorKind::Storage,
            format!("the token could not be written to {}: {error}; set CLAUDE_CODE_AWS_SERVE_TOKEN, or --no-token", path.display()),
        )
    })?;
    show::note(&format!("listening on http://{addr}/; the token that callers send is in {}", path.display()));
    Ok(Some(path))
}

/// Writes the token to a new file with mode 0600.
fn keep(path: &std::path::Path, token: &str) -> std::io::Result<()> {
    use std::io::Write;
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(format!("{token}\n").as_bytes())
}

/// Says before the first request what will not work: storing, and asking a model.
async fn check(app: &App, config: &Config) {
    if let Err(error) = app.check_store().await {
        show::note(&format!("warning: results will not be stored: {error}"));
    }
    if config.provider == Provider::Bedrock
        && let Some(fix) = crate::connect::credentials_problem(config, CREDENTIALS).await
    {
        show::note(&format!("warning: {fix}"));
    }
}
