//! Stream events: what callers see while an answer is written.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::generation::Generation;

/// One event of a stream, which serializes as the HTTP API sends it.
///
/// ```
/// let event = claude_code_core::Event::Text("Here it is.".to_owned());
/// let json = serde_json::to_string(&event).unwrap();
/// assert_eq!(json, r#"{"event":"text","data":{"text":"Here it is."}}"#);
/// ```
///
/// Of a file's events those with the highest revision count; `Finished` is the truth.
#[derive(Clone)]
#[non_exhaustive]
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

impl Event {
    /// The name, as server-sent events have it: `file.started`, `file.chunk`, `file.finished`, `text`, `notice`, `finished`.
    pub fn name(&self) -> &'static str {
        match self {
            Event::FileStarted { .. } => "file.started",
            Event::FileChunk { .. } => "file.chunk",
            Event::FileFinished { .. } => "file.finished",
            Event::Text(_) => "text",
            Event::Notice { .. } => "notice",
            Event::Finished(_) => "finished",
        }
    }

    /// What it says, as an object.
    pub fn data(&self) -> Value {
        match self {
            Event::FileStarted { index, path, language, revision } => {
                json!({ "path": path, "language": language, "revision": revision, "index": index })
            }
            Event::FileChunk { index, path, revision, text } => {
                json!({ "path": path, "revision": revision, "text": text, "index": index })
            }
            Event::FileFinished { index, path, revision, complete } => {
                json!({ "path": path, "revision": revision, "complete": complete, "index": index })
            }
            Event::Text(text) => json!({ "text": text }),
            Event::Notice { why, model, wait_seconds, cause, left_seconds } => json!({
                "why": why,
                "model": model,
                "wait_seconds": wait_seconds,
                "cause": cause,
                "left_seconds": left_seconds,
            }),
            Event::Finished(generation) => json!({ "generation": generation.schema() }),
        }
    }
}

/// `{"event": NAME, "data": {…}}`, with the names and members of the HTTP API's stream.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("event", self.name())?;
        map.serialize_entry("data", &self.data())?;
        map.end()
    }
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
