//! One read of a stream: an event, and those that arrive within the window after it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use claude_code_aws::{Error, ErrorKind, Event, Result};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::client::reader::{Batch, Source};
use crate::result::generation::Origin;
use crate::runtime::Held;

/// What arrives within this after the first event crosses together with it: a screen shows no more.
pub(crate) const WINDOW: Duration = Duration::from_millis(20);

impl Batch {
    /// Nothing more.
    pub(crate) fn none() -> Self {
        Batch { source: Source::Closed, events: VecDeque::new(), failure: None }
    }
}

/// A batch, or none once the stream is closed.
pub(crate) async fn until_closed(
    mut closed: watch::Receiver<bool>,
    batch: impl Future<Output = Batch>,
) -> Batch {
    match select(pin!(closed.wait_for(|closed| *closed)), pin!(batch)).await {
        Either::Left(_) => Batch::none(),
        Either::Right((batch, _)) => batch,
    }
}

/// Opens the stream if need be, waits for an event, and takes what comes within the window.
pub(crate) async fn next_batch(origin: &Origin, source: Source) -> Batch {
    let mut events = VecDeque::new();
    let opened = match source {
        Source::Unopened(request) => origin.client.core().await.map(|client| client.stream(*request)),
        Source::Open(stream) => stream.into_inner().ok_or_else(ended),
        Source::Reading(_) | Source::Closed => Err(ended()),
    };
    let mut stream = match opened {
        Ok(stream) => Box::new(stream),
        Err(error) => return Batch { source: Source::Closed, events, failure: Some(error) },
    };
    let mut arrived: Option<Result<Event>> = stream.next().await;
    let close = Instant::now() + WINDOW;
    loop {
        match arrived {
            None => return Batch { source: Source::Closed, events, failure: None },
            Some(Err(error)) => return Batch { source: Source::Closed, events, failure: Some(error) },
            Some(Ok(event)) => {
                let is_last = matches!(event, Event::Finished(_));
                join(&mut events, event);
                if is_last {
                    return Batch { source: Source::Closed, events, failure: None };
                }
            }
        }
        match timeout_at(close, stream.next()).await {
            Ok(next) if Instant::now() < close => arrived = next,
            Ok(Some(Ok(event))) if !matches!(event, Event::Finished(_)) => {
                join(&mut events, event);
                return Batch { source: Source::Open(Held::new(*stream)), events, failure: None };
            }
            Ok(next) => arrived = next,
            Err(_) => return Batch { source: Source::Open(Held::new(*stream)), events, failure: None },
        }
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::InvalidRequest, "the stream is at its end")
}

/// Adds an event; text that goes on where the last event stopped becomes part of it.
pub(crate) fn join(events: &mut VecDeque<Event>, event: Event) {
    match (events.back_mut(), &event) {
        (Some(Event::Text(text)), Event::Text(more)) => text.push_str(more),
        (
            Some(Event::FileChunk { index: a, revision: r, text, .. }),
            Event::FileChunk { index: b, revision: s, text: more, .. },
        ) if a == b && r == s => text.push_str(more),
        _ => events.push_back(event),
    }
}
