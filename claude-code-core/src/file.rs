//! A file of an answer, and the one policy on the names that a model may give.

use sha2::{Digest, Sha256};

use crate::language::Language;

/// One file (or unnamed code block) of an answer.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
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
    #[serde(default)]
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
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// As in the result schema: with size and hash, which are derived and not read back.
impl serde::Serialize for CodeFile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut file = serializer.serialize_struct("CodeFile", 7)?;
        file.serialize_field("path", &self.path)?;
        file.serialize_field("language", &self.language)?;
        file.serialize_field("size", &self.size())?;
        file.serialize_field("sha256", &self.sha256())?;
        file.serialize_field("complete", &self.complete)?;
        file.serialize_field("content", &self.content)?;
        file.serialize_field("rejected", &self.rejected)?;
        file.end()
    }
}

/// Why a path from a model is refused, or none if it may be used as it is. Never cleaned.
pub fn refusal(path: &str) -> Option<String> {
    path.is_empty().then(|| "the path is empty".to_owned())
}

// Content is the user's: Debug tells the name and the size only.
impl std::fmt::Debug for CodeFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CodeFile({:?}, {} bytes, complete {})", self.path, self.size(), self.complete)
    }
}
