//! An answer as a stream, in whatever style its API writes: whole answers and answers still being written go the same
//! way, piece by piece.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::BodyExt;

use super::Refused;
use crate::local::body::{Body, Piece, Pieces};
use crate::local::brain::{StopReason, Usage};
use crate::local::fault::{Fault, Way};
use crate::local::streamed::Chunk;

/// Characters of text in one delta of a prepared answer: about five tokens, as the service groups them.
const DELTA_CHARS: usize = 20;
/// What is said of an answer that ends without its end.
const BROKEN: &str = "the answer broke off before its end";
/// The exception of such an answer.
const STREAM_ERROR: &str = "modelStreamErrorException";

/// How an API writes a streamed answer: the frames of each of its steps.
pub(super) trait Style: Send + 'static {
    /// The answer begins.
    fn begin(&mut self) -> Vec<Bytes>;
    /// A piece of its text.
    fn text(&mut self, text: &str) -> Vec<Bytes>;
    /// It is complete.
    fn end(&mut self, stop: &StopReason, usage: Usage) -> Vec<Bytes>;
    /// It breaks off with this exception, named in lower camel case.
    fn exception(&self, code: &str, message: &str) -> Bytes;
}

/// What there is to write.
pub(super) enum Told {
    Whole { text: String, stop: StopReason, usage: Usage },
    Written(BoxStream<'static, Chunk>),
}

impl Told {
    /// Text, stop reason and usage of the complete answer. Fails with what it broke off with.
    pub(super) async fn whole(self) -> Result<(String, StopReason, Usage), Refused> {
        let mut chunks = match self {
            Told::Whole { text, stop, usage } => return Ok((text, stop, usage)),
            Told::Written(chunks) => chunks,
        };
        let mut text = String::new();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Chunk::Text(piece) => text.push_str(&piece),
                Chunk::End { stop_reason, usage } => return Ok((text, stop_reason, usage)),
                Chunk::Error { code, message } => return Err(Refused::instead_of(&code, &message)),
            }
        }
        Err(Refused::instead_of(STREAM_ERROR, BROKEN))
    }
}

/// The body of an answer that meets these faults on its way.
pub(super) fn body(mut style: impl Style, told: Told, faults: &[Fault]) -> Body {
    let mut way = Way::new(faults, |code, message| style.exception(code, message));
    let mut pieces = Vec::new();
    pass(&mut way, style.begin(), &mut pieces);
    match told {
        Told::Whole { text, stop, usage } => {
            for delta in deltas(&text) {
                pass(&mut way, style.text(delta), &mut pieces);
            }
            pass(&mut way, style.end(&stop, usage), &mut pieces);
            way.end(&mut pieces);
            Pieces::new(pieces).boxed()
        }
        Told::Written(chunks) => Pieces::fed(pieces, written(style, way, chunks)).boxed(),
    }
}

/// The pieces of an answer that is being written, as it comes.
fn written(style: impl Style, way: Way, chunks: BoxStream<'static, Chunk>) -> BoxStream<'static, Vec<Piece>> {
    let state = Some((style, way, chunks));
    stream::unfold(state, |state| async move {
        let (mut style, mut way, mut chunks) = state?;
        let mut pieces = Vec::new();
        let (frames, over) = match chunks.next().await {
            Some(Chunk::Text(text)) => (style.text(&text), false),
            Some(Chunk::End { stop_reason, usage }) => (style.end(&stop_reason, usage), true),
            Some(Chunk::Error { code, message }) => (vec![style.exception(&code, &message)], true),
            None => (vec![style.exception(STREAM_ERROR, BROKEN)], true),
        };
        pass(&mut way, frames, &mut pieces);
        if over {
            way.end(&mut pieces);
            return Some((pieces, None));
        }
        Some((pieces, Some((style, way, chunks))))
    })
    .boxed()
}

fn pass(way: &mut Way, frames: Vec<Bytes>, pieces: &mut Vec<Piece>) {
    for frame in frames {
        way.pass(frame, pieces);
    }
}

/// A text in pieces of [`DELTA_CHARS`] characters; none for an empty one.
fn deltas(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(DELTA_CHARS).map_or(rest.len(), |(at, _)| at);
        let (delta, behind) = rest.split_at(end);
        rest = behind;
        Some(delta).filter(|delta| !delta.is_empty())
    })
}
