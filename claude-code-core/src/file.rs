//! A file of an answer, and the one policy on the names that a model may give.

use sha2::{Digest, Sha256};

use crate::language::Language;

/// One file (or unnamed code block) of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeFile {
    /// Where it goes, relative to a root, with `/`. None: the block had no name, or a refused one.
    pub path: Option<String>,
    /// Its language, by path, info string or content.
    pub language: Language,
    /// The text, byte for byte as the model wrote it.
    pub content: String,
    /// Whether its end was seen. Half a file is never complete.
    pub complete: bool,
    /// Why the name that the model gave was refused; the content is kept.
    pub rejected: Option<String>,
}

impl CodeFile {
    /// Bytes of content.
    pub fn size(&self) -> usize {
        self.content.len()
    }

    /// SHA-256 of the content, lower-case hex.
    pub fn sha256(&self) -> String {
        sha256_hex(self.content.as_bytes())
    }
}

/// SHA-256, lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        hex
    })
}

/// Why a path from a model is refused, or none if it may be used as it is. Never cleaned.
pub fn refusal(path: &str) -> Option<String> {
    path.is_empty().then(|| "the path is empty".to_owned())
}
