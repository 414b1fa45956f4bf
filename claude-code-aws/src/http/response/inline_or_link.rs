//! Large results: texts inline up to the host's limit, beyond it as links. Stored answers of jobs and repeated requests
//! are whole, so their links are always fresh.

use claude_code_core::Generation;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::Value;

use super::body;
use super::sse::Frame;
use crate::http::app::App;

/// The result, or whatever else the body is, as it fits.
pub(crate) async fn fitted(app: &App, host: &str, body: Value) -> Value {
    let bound = app.settings.inline_bytes;
    let Some(links) = app.links.as_ref().filter(|_| bound < usize::MAX && body["stored"] == true) else {
        return body;
    };
    if body.to_string().len() <= bound {
        return body;
    }
    let Ok(generation) = serde_json::from_value::<Generation>(body.clone()) else { return body };
    match links.of_result(&generation, host).await {
        Ok(links) => body::linked(body, &links),
        // What was paid for is answered all the same.
        Err(error) => {
            let place = format!("/results/{}/download", generation.id);
            body::unlinked(body::linked(body, &[]), &error, &place)
        }
    }
}

/// The events with their last one as it fits.
pub(crate) fn frames(app: &App, host: &str, frames: BoxStream<'static, Frame>) -> BoxStream<'static, Frame> {
    let (app, host) = (app.clone(), host.to_owned());
    frames
        .then(move |mut frame| {
            let (app, host) = (app.clone(), host.clone());
            async move {
                if frame.name == "finished" {
                    frame.data["generation"] = fitted(&app, &host, frame.data["generation"].take()).await;
                }
                frame
            }
        })
        .boxed()
}
