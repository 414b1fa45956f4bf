//! Stream events: what callers see while an answer is written.

use std::sync::Arc;

use crate::generation::Generation;

/// One event of a stream. Of a file's events those with the highest revision count; `Finished` is the truth.
#[derive(Clone)]
pub enum Event {
    /// A file begins, or begins again under a higher revision.
    FileStarted {
        /// Its place in the answer.
        index: usize,
        /// Its name, where it has one.
        path: Option<String>,
        /// Its language's name.
        language: String,
        /// Grows when the file is shown anew.
        revision: u32,
    },
    /// More of a file.
    FileChunk {
        /// Its place in the answer.
        index: usize,
        /// Its name, where it has one.
        path: Option<String>,
        /// As when it started.
        revision: u32,
        /// What follows.
        text: String,
    },
    /// A file's end.
    FileFinished {
        /// Its place in the answer.
        index: usize,
        /// Its name, where it has one.
        path: Option<String>,
        /// As when it started.
        revision: u32,
        /// Whether its end was seen.
        complete: bool,
    },
    /// The model's words outside of files.
    Text(String),
    /// A send after the first: why, to whom, and how long it waits.
    Notice {
        /// `retry`, `fallback`, `resume`, `repair`, `escalate`, …
        why: String,
        /// The model.
        model: String,
        /// Seconds until it is sent.
        wait_seconds: f64,
        /// What the attempt before failed with, in one line: cause, host, proxy.
        cause: Option<String>,
        /// Seconds until attempts are given up.
        left_seconds: f64,
    },
    /// The result.
    Finished(Arc<Generation>),
}

// Answers are the user's: Debug tells kinds and sizes only.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::FileStarted { index, revision, .. } => {
                write!(f, "FileStarted({index}, revision {revision})")
            }
            Event::FileChunk { index, text, .. } => write!(f, "FileChunk({index}, {} bytes)", text.len()),
            Event::FileFinished { index, complete, .. } => {
                write!(f, "FileFinished({index}, complete {complete})")
            }
            Event::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Event::Notice { why, model, .. } => write!(f, "Notice({why}, {model})"),
            Event::Finished(generation) => write!(f, "Finished({generation:?})"),
        }
    }
}
