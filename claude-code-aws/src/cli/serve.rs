//! `serve`: the HTTP API and the page.

use claude_code_core::Result;

use super::args::{Global, ServeArgs};
use super::{exit, setup, show};
use crate::http::{App, Settings, bind};

/// The bearer token that callers send. From the environment, for arguments are seen by everybody on the machine.
const TOKEN: &str = "CLAUDE_CODE_AWS_SERVE_TOKEN";

pub(super) async fn run(global: Global, args: ServeArgs) -> Result<u8> {
    let config = setup::config(global)?;
    let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
    let app = App::connect(&config, Settings::default().with_tokens(token)).await?;
    let server = bind(app, args.addr).await?;
    show::note(&format!("listening on http://{}/; Ctrl-C ends it", server.addr()));
    server.until(std::future::pending()).await?;
    Ok(exit::OK)
}
