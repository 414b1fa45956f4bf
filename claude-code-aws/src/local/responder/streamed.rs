//! Streamed answer: one that is still being written.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::End;

/// Characters of text in one piece of a prepared answer: about five tokens, as the service groups them.
const PIECE_CHARS: usize = 20;
/// Tokens of such a piece, by the estimate of four characters each.
pub(crate) const PIECE_TOKENS: f64 = 5.0;

/// A step of an answer that is being written. The last one is an end or an error.
#[derive(Clone, PartialEq, Eq)]
pub enum Chunk {
    /// The next piece of its text.
    Text(String),
    /// It is complete.
    End(End),
    /// It broke off.
    Error {
        /// The exception's name within a stream, as in `modelStreamErrorException`.
        code: String,
        /// One line for a person.
        message: String,
    },
}

// An answer's text stays out of logs.
impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Chunk::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Chunk::End(end) => write!(f, "End({})", end.stop_reason),
            Chunk::Error { code, .. } => write!(f, "Error({code})"),
        }
    }
}

/// The steps of one answer, taken once. Clones share them.
#[derive(Clone)]
pub struct Streamed(Arc<Mutex<Option<BoxStream<'static, Chunk>>>>);

impl Streamed {
    /// The answer that these steps write.
    pub fn new(chunks: BoxStream<'static, Chunk>) -> Self {
        Streamed(Arc::new(Mutex::new(Some(chunks))))
    }

    /// An answer that is there as a whole, written as the service writes one: piece by piece.
    pub(crate) fn whole(text: &str, end: End) -> Self {
        let mut chunks: Vec<Chunk> = pieces(text).map(|piece| Chunk::Text(piece.to_owned())).collect();
        chunks.push(Chunk::End(end));
        Streamed::new(stream::iter(chunks).boxed())
    }

    /// The steps; nothing if they were taken before.
    pub(crate) fn take(&self) -> BoxStream<'static, Chunk> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.unwrap_or_else(|| stream::empty().boxed())
    }
}

/// A text in pieces of [`PIECE_CHARS`] characters; none for an empty one.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(PIECE_CHARS).map_or(rest.len(), |(at, _)| at);
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece).filter(|piece| !piece.is_empty())
    })
}

impl PartialEq for Streamed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Streamed {}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streamed")
    }
}
