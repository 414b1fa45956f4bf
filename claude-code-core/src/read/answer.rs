//! Answer of a reader: pieces while the text arrives, and the answer at its end.

use crate::answer::file::CodeFile;
use crate::answer::language::Language;

/// Event of the answer reader: a preview of a part. Of the pieces of one index those with the highest revision
/// count; [`Answer`] is the truth.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerEvent {
    /// Text outside files, whole lines.
    Text(String),
    /// A file begins, or begins again with a higher revision because it was read wrongly before.
    FileStarted {
        /// Its number in this answer, from 0. Not the position in [`Answer::files`]: see [`Answer::indices`].
        index: usize,
        /// Its name, or none where it has no name or a refused one.
        path: Option<String>,
        /// Its language as far as it is known.
        language: Language,
        /// 0 at first; what was said with a lower revision no longer counts.
        revision: u32,
    },
    /// The next lines of a file.
    FileChunk {
        /// The file's number.
        index: usize,
        /// The revision to which these lines belong.
        revision: u32,
        /// Whole lines, as they stand in the file.
        text: String,
    },
    /// A file ended.
    FileFinished {
        /// The file's number.
        index: usize,
        /// The revision that ended.
        revision: u32,
        /// Whether its end was seen.
        complete: bool,
    },
}

/// One search/replace edit of an answer.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The file that it changes, or none where the answer names none or the name was refused.
    pub path: Option<String>,
    /// The lines to find. Empty: the file is new, or the lines go to its end.
    pub search: String,
    /// The lines to put there.
    pub replace: String,
    /// The line of the answer, from 1, on which the edit begins.
    pub line: usize,
    /// The same block divided at its other lines of `=`, in their order: which of them is the divider, the file tells.
    pub divisions: Vec<Division>,
    /// The line of the file, from 1, at which a diff says that the lines to find stand.
    pub start: Option<usize>,
}

/// A way to divide an edit into what is to be found and what takes its place.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Division {
    /// The lines to find.
    pub search: String,
    /// The lines to put there.
    pub replace: String,
}

/// A fence of the answer, in its order.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fence {
    /// The info string, trimmed.
    pub info: String,
    /// Whether its closing line was seen.
    pub closed: bool,
    /// Where its content stands in [`Answer::files`]. None: search/replace edits only, an empty fence at
    /// the very end, or a file that a later one of the same name replaced.
    pub file: Option<usize>,
}

/// A whole answer, read.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// Its files and unnamed code blocks, in the answer's order.
    pub files: Vec<CodeFile>,
    /// The text outside files. Search/replace edits stay in it as they were written.
    pub text: String,
    /// Whether every file, edit and sentinel that was opened was closed.
    pub complete: bool,
    /// What the reader was unsure of, in plain sentences.
    pub notes: Vec<String>,
    /// Search/replace edits, in the answer's order.
    pub edits: Vec<Edit>,
    /// The fences as they were read.
    pub fences: Vec<Fence>,
    /// For each of `files` its number in the pieces.
    pub indices: Vec<usize>,
    /// The line `=== no change NONCE ===` stood outside files: the model says that nothing has to change.
    pub no_change: bool,
}

// Answers are the user's: Debug tells sizes and places only, never text, names or what stood in an info string.
impl std::fmt::Debug for AnswerEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AnswerEvent::Text(text) => write!(f, "Text({} bytes)", text.len()),
            AnswerEvent::FileStarted { index, revision, .. } => {
                write!(f, "FileStarted({index}, revision {revision})")
            }
            AnswerEvent::FileChunk { index, revision, text } => {
                write!(f, "FileChunk({index}, revision {revision}, {} bytes)", text.len())
            }
            AnswerEvent::FileFinished { index, revision, complete } => {
                write!(f, "FileFinished({index}, revision {revision}, complete {complete})")
            }
        }
    }
}

impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (search, replace) = (self.search.len(), self.replace.len());
        write!(f, "Edit(line {}, {search} bytes by {replace} bytes)", self.line)
    }
}

impl std::fmt::Debug for Division {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Division({} bytes by {} bytes)", self.search.len(), self.replace.len())
    }
}

impl std::fmt::Debug for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fence(closed {}, file {:?})", self.closed, self.file)
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("files", &self.files.len())
            .field("text_bytes", &self.text.len())
            .field("complete", &self.complete)
            .field("edits", &self.edits)
            .field("fences", &self.fences)
            .finish_non_exhaustive()
    }
}
