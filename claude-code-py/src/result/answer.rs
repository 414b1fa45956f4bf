//! Reader for answers that came from elsewhere.

use claude_code_aws::{CodeFile as File, read};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::convert::record::record;
use crate::result::generation::CodeFile;

/// An answer's parts in a schema.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parts {
    files: Vec<File>,
    text: String,
    complete: bool,
    notes: Vec<String>,
}

record! {
    /// A model's answer, read: its files and the words around them.
    Answer(Parts) {
        /// Its files and code blocks in the answer's order; an unnamed one has path None.
        files: Vec<CodeFile> = |a| a.files.iter().cloned().map(CodeFile).collect();
        /// The text outside files.
        text: &str = |a| a.text.as_str();
        /// Whether every file that was opened was closed.
        complete: bool = |a| a.complete;
        /// What the reader was unsure of, in plain sentences.
        notes: Vec<String> = |a| a.notes.clone();
    }
}

/// Reads files out of any model's answer: fences, names in headings, comments or remarks, nested fences.
/// Never fails: what cannot be read as a file stays text.
///
/// >>> answer = read_answer("Here:\n```python hello.py\nprint('hello')\n```\n")
/// >>> answer.files[0].path, answer.files[0].content, answer.complete
/// ('hello.py', "print('hello')\n", True)
#[pyfunction]
pub(crate) fn read_answer(py: Python<'_>, text: &str) -> Answer {
    let read::Answer { files, text, complete, notes, .. } = py.detach(|| read::read_answer(text));
    Answer(Parts { files, text, complete, notes })
}
