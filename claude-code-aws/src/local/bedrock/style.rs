//! Response streaming in the style of each API: whole answers and answers still being written go the same way, piece by
//! piece.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::BodyExt;

use super::Refused;
use crate::local::responder::fault::{Fault, Way};
use crate::local::responder::streamed::{self, Chunk};
use crate::local::responder::{End, Usage};
use crate::local::server::body::{Body, Piece, Pieces};

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
    fn end(&mut self, end: &End) -> Vec<Bytes>;
    /// It breaks off with this exception, named in lower camel case.
    fn exception(&self, code: &str, message: &str) -> Bytes;
}

/// What there is to write.
pub(super) enum Told {
    Whole { text: String, end: Box<End> },
    Written(BoxStream<'static, Chunk>),
}

impl Told {
    /// What its first event says that was used: all of the input, where that is known, and one token of the answer.
    pub(super) fn begun(&self, input_tokens: u64) -> Usage {
        match self {
            Told::Whole { end, .. } => Usage { output_tokens: 1, ..end.usage },
            Told::Written(_) => Usage { input_tokens, output_tokens: 1, ..Usage::default() },
        }
    }

    /// Text and end of the complete answer. Fails with what it broke off with.
    pub(super) async fn whole(self) -> Result<(String, End), Refused> {
        let mut chunks = match self {
            Told::Whole { text, end } => return Ok((text, *end)),
            Told::Written(chunks) => chunks,
        };
        let mut text = String::new();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Chunk::Text(piece) => text.push_str(&piece),
                Chunk::End(end) => return Ok((text, end)),
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
        Told::Whole { text, end } => {
            for piece in streamed::pieces(&text) {
                pass(&mut way, style.text(piece), &mut pieces);
            }
            pass(&mut way, style.end(&end), &mut pieces);
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
            Some(Chunk::End(end)) => (style.end(&end), true),
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
