//! Server-sent events of the service creator, and the answer at their end.

use crate::service_creator::{Shown, Writing};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;

use super::services;
use crate::http::app::App;
use crate::http::response::problem::Problem;
use crate::http::response::sse::Frame;

/// Events that wait for a slow reader; the writer waits with them.
const QUEUE: usize = 64;

/// What happens, as it happens. Dropped before its end, the request to the model is closed; what was kept stays.
pub(crate) fn frames(app: App, host: String, writing: Writing) -> BoxStream<'static, Frame> {
    let (out, shown) = mpsc::channel(QUEUE);
    tokio::spawn(writing.run(out));
    stream::unfold((shown, app, host), |(mut shown, app, host)| async move {
        let next = shown.recv().await?;
        let frame = frame(&app, &host, next).await;
        Some((frame, (shown, app, host)))
    })
    .boxed()
}

async fn frame(app: &App, host: &str, shown: claude_code_core::Result<Shown>) -> Frame {
    let code = match shown {
        Ok(Shown::Event(event)) => return Frame::of(&event),
        Ok(Shown::Written(code)) => services::written(app, &code, host).await,
        Err(error) => return Frame::error(&Problem::from(error)),
    };
    Frame::new("finished", serde_json::json!({ "generation": code }))
}
