//! HTTP bodies of the twin's answers, whole or in prepared pieces.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use claude_code_core::{Error, ErrorKind};
use futures_util::stream::BoxStream;
use http_body::Frame;
use http_body_util::BodyExt;

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct BodyError {
    reason: String,
}

impl BodyError {
    /// A body that broke off for this reason.
    pub fn new(reason: impl ToString) -> Self {
        BodyError { reason: reason.to_string() }
    }
}

/// The body of requests to the engines and of their answers.
pub type Body = http_body_util::combinators::BoxBody<Bytes, BodyError>;

/// A body that is there at once.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    http_body_util::Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// Reads a whole body of at most `limit` bytes. Fails if it is longer or breaks off.
pub(crate) async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Error> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Error::new(ErrorKind::Malformed, format!("the request's body broke off: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(Error::invalid(format!("the request's body is longer than {limit} bytes")));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// One step of an answer that is sent in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes to send as they are.
    Bytes(Bytes),
    /// Nothing for this long (tokio's clock, so a paused clock passes over it).
    Wait(Duration),
    /// Nothing any more, and no end: the connection stalls.
    Stall,
    /// The connection breaks here, with this reason.
    Break(String),
}

/// A body that plays its pieces in order.
pub struct Pieces {
    pieces: VecDeque<Piece>,
    waiting: Option<Pin<Box<tokio::time::Sleep>>>,
    /// Where further pieces come from.
    source: Option<Source>,
}

/// A stream that is polled by its one owner: the lock, which is never taken, only makes it `Sync`.
type Source = Mutex<BoxStream<'static, Vec<Piece>>>;

impl Pieces {
    /// A body of these pieces.
    pub fn new(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Pieces { pieces: pieces.into_iter().collect(), waiting: None, source: None }
    }

    /// A body of these pieces, and then of those that still come.
    pub(crate) fn fed(pieces: Vec<Piece>, source: BoxStream<'static, Vec<Piece>>) -> Self {
        Pieces { source: Some(Mutex::new(source)), ..Pieces::new(pieces) }
    }
}

// What it carries is an answer.
impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pieces({})", self.pieces.len())
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(waiting) = self.waiting.as_mut() {
                ready!(waiting.as_mut().poll(context));
                self.waiting = None;
            }
            match self.pieces.pop_front() {
                None => match self.source.as_mut() {
                    None => return Poll::Ready(None),
                    Some(source) => match ready!(
                        source.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll_next(context)
                    ) {
                        Some(pieces) => self.pieces.extend(pieces),
                        None => self.source = None,
                    },
                },
                Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Piece::Wait(time)) => self.waiting = Some(Box::pin(tokio::time::sleep(time))),
                Some(Piece::Break(reason)) => {
                    self.pieces.clear();
                    self.source = None;
                    return Poll::Ready(Some(Err(BodyError::new(reason))));
                }
                Some(Piece::Stall) => {
                    // Put back: a stalled body stays stalled however often it is polled.
                    self.pieces.push_front(Piece::Stall);
                    return Poll::Pending;
                }
            }
        }
    }
}
