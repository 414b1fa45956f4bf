//! `serve`: the HTTP API and the page.

use std::sync::Arc;
use std::time::Duration;

use claude_code_core::{Error, Result};
use tokio::sync::Notify;

use crate::cli::args::{Global, ServeArgs};
use crate::cli::commands::twin;
use crate::cli::output::exit;
use crate::cli::output::show;
use crate::cli::setup;
use crate::cli::shutdown::Signals;
use crate::connect::config::{Config, Store};
use crate::connect::connected_to;
use crate::http::{App, Settings, bind};

/// How long answers and jobs that have begun may take to their end once the server is told to end.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

pub(crate) async fn run(global: Global, args: ServeArgs) -> Result<u8> {
    let mut config = setup::config(global)?;
    if !args.addr.ip().is_loopback() && !global.offline {
        // The disk is for one person's machine: what others send is kept only where someone said so.
        config.default_store = Store::None;
    }
    let settings = Settings::default()
        .with_tokens(config.api.token.as_ref().map(|token| token.expose().to_owned()))
        .with_origins(config.api.origins.clone())
        .with_last_answers(LAST_ANSWERS)
        .with_concurrency(args.concurrency.into());
    // Before the address is known to anyone: a signal right after it must find its handler.
    let mut signals = Signals::listen()?;
    let server = bind(app(&args, &config, settings).await?, args.addr).await?;
    show::note(&format!("listening on http://{}/; Ctrl-C ends it", server.addr()));
    let end = Arc::new(Notify::new());
    let told = end.clone();
    let serving = server.until(async move { told.notified().await });
    let second = async {
        signals.next().await;
        show::note("ending: what has begun is answered for up to 30 s; Ctrl-C ends it at once");
        end.notify_one();
        signals.next().await;
    };
    tokio::select! {
        served = serving => served?,
        () = second => {}
    }
    Ok(exit::OK)
}

async fn app(args: &ServeArgs, config: &Config, settings: Settings) -> Result<App> {
    let Some(answers) = &args.answers else { return App::connect(config, settings).await };
    if answers.contains("://") {
        return Err(Error::invalid(
            "--answers takes `samples`, a script or a directory of recorded exchanges; for a server set \
             CLAUDE_CODE_AWS_PROVIDER=anthropic and ANTHROPIC_BASE_URL, without --offline",
        ));
    }
    let twin = twin::answered(&config.local_dir()?, answers)?;
    Ok(App::over(connected_to(&twin, config).await?, config, settings))
}
