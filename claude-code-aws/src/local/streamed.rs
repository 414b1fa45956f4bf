//! An answer that is still being written.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::brain::{StopReason, Usage};

/// A step of an answer that is being written. The last one is an end or an error.
#[derive(Clone, PartialEq, Eq)]
pub enum Chunk {
    /// The next piece of its text.
    Text(String),
    /// It is complete.
    End {
        /// Why it ends here.
        stop_reason: StopReason,
        /// What it would cost.
        usage: Usage,
    },
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
            Chunk::End { stop_reason, .. } => write!(f, "End({stop_reason})"),
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

    /// The steps; nothing if they were taken before.
    pub(super) fn take(&self) -> BoxStream<'static, Chunk> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.unwrap_or_else(|| stream::empty().boxed())
    }
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
