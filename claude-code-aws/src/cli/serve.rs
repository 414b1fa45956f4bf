//! `serve`: the HTTP API and the page.

use std::path::Path;

use claude_code_core::{Error, Result};

use super::args::{Global, ServeArgs};
use super::{exit, setup, show};
use crate::connect::connected_to;
use crate::http::{App, Settings, bind};
use crate::local::{Twin, script_at};

/// The bearer token that callers send. From the environment, for arguments are seen by everybody on the machine.
const TOKEN: &str = "CLAUDE_CODE_AWS_SERVE_TOKEN";

pub(super) async fn run(global: Global, args: ServeArgs) -> Result<u8> {
    let config = setup::config(global)?;
    let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
    let settings = Settings::default().with_tokens(token).with_concurrency(args.concurrency.into());
    let app = match &args.answers {
        Some(url) if url.contains("://") => {
            return Err(Error::invalid(
                "--answers takes `samples` or a script; for a server set CLAUDE_CODE_AWS_PROVIDER=anthropic and \
                 ANTHROPIC_BASE_URL, without --offline",
            ));
        }
        Some(answers) => {
            let dir = config.local_dir()?;
            let twin = match answers.as_str() {
                "samples" => Twin::of_samples(&dir),
                script => script_at(&dir, Path::new(script))?,
            };
            App::over(connected_to(&twin, &config).await?, &config, settings)
        }
        None => App::connect(&config, settings).await?,
    };
    let server = bind(app, args.addr).await?;
    show::note(&format!("listening on http://{}/; Ctrl-C ends it", server.addr()));
    server.until(std::future::pending()).await?;
    Ok(exit::OK)
}
