//! One read of a stream: an event, and those that arrive within the window after it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use claude_code_aws::{Error, ErrorKind, Event, GenerationStream, Result};
use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::client::reader::{Batch, Source};
use crate::notebook::telemetry::Trace;
use crate::result::generation::Origin;
use crate::runtime::Held;

/// What arrives within this after the first event crosses together with it: a screen shows no more.
pub(crate) const WINDOW: Duration = Duration::from_millis(20);

impl Batch {
    /// Nothing more.
    pub(crate) fn none() -> Self {
        Batch { source: Source::Closed, events: VecDeque::new(), end: None }
    }

    /// Events behind which there are more.
    fn open(events: VecDeque<Event>, stream: GenerationStream) -> Self {
        Batch { source: Source::Open(Held::new(stream)), events, end: None }
    }

    /// The last events, with the end that they have.
    fn last(events: VecDeque<Event>, end: Result<GenerationStream>) -> Self {
        Batch { source: Source::Closed, events, end: Some(Box::new(end)) }
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
pub(crate) async fn next_batch(origin: &Origin, trace: Option<&Trace>, source: Source) -> Batch {
    let mut events = VecDeque::new();
    let opened = match source {
        Source::Unopened(request) => {
            let request = Trace::around(trace, *request);
            origin.client.core().await.map(|client| client.stream(request))
        }
        Source::Open(stream) => stream.into_inner().ok_or_else(ended),
        Source::Reading(_) | Source::Closed => Err(ended()),
    };
    let mut stream = match opened {
        Ok(stream) => Box::new(stream),
        Err(error) => return Batch::last(events, Err(error)),
    };
    let mut arrived = stream.progress().await;
    let close = Instant::now() + WINDOW;
    while let Some(event) = arrived {
        join(&mut events, event);
        match timeout_at(close, stream.progress()).await {
            Ok(Some(event)) if Instant::now() >= close => {
                join(&mut events, event);
                return Batch::open(events, *stream);
            }
            Ok(next) => arrived = next,
            Err(_) => return Batch::open(events, *stream),
        }
    }
    Batch::last(events, Ok(*stream))
}

pub(crate) fn ended() -> Error {
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
