//! The body of every answer, and a body made of prepared pieces.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use http_body_util::BodyExt;

/// Any error that a body can end with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of requests to the engines and of their answers.
pub type Body = http_body_util::combinators::BoxBody<Bytes, BoxError>;

/// A body that is there at once.
pub(super) fn full(bytes: impl Into<Bytes>) -> Body {
    http_body_util::Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// Reads a whole body of at most `limit` bytes. Fails if it is longer or breaks off.
pub(super) async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BoxError> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(format!("the request's body is longer than {limit} bytes").into());
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
#[derive(Debug)]
pub struct Pieces {
    pieces: VecDeque<Piece>,
    waiting: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Pieces {
    /// A body of these pieces.
    pub fn new(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Pieces { pieces: pieces.into_iter().collect(), waiting: None }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if let Some(waiting) = self.waiting.as_mut() {
                ready!(waiting.as_mut().poll(context));
                self.waiting = None;
            }
            match self.pieces.pop_front() {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Piece::Wait(time)) => self.waiting = Some(Box::pin(tokio::time::sleep(time))),
                Some(Piece::Break(reason)) => {
                    self.pieces.clear();
                    return Poll::Ready(Some(Err(reason.into())));
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
