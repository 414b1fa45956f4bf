//! A file of an answer, and the name under which it is stored.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::answer::language::Language;
use crate::answer::path::fold;
pub use crate::answer::path::{refusal, refuse_set, without_here};
use crate::error::{Error, Result};
pub use crate::trace::hex;

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

/// The name under which each file is stored, in order: its path, or for an unnamed one `main.{ext}` if it is the
/// only file, else `snippet-{n}.{ext}` with n counted from 1 over the unnamed ones, past names that are taken.
pub fn names(files: &[CodeFile]) -> Vec<String> {
    let mut taken: HashSet<String> = files.iter().filter_map(|f| f.path.as_deref()).map(fold).collect();
    let mut number = 0;
    let mut snippet = |extension: &str| loop {
        number += 1;
        let name = format!("snippet-{number}.{extension}");
        if taken.insert(fold(&name)) {
            return name;
        }
    };
    let name = |file: &CodeFile| match &file.path {
        Some(path) => path.clone(),
        None if files.len() == 1 => format!("main.{}", file.language.extension()),
        None => snippet(file.language.extension()),
    };
    files.iter().map(name).collect()
}

// Content is the user's: Debug tells the name and the size only.
impl std::fmt::Debug for CodeFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CodeFile({:?}, {} bytes, complete {})", self.path, self.size(), self.complete)
    }
}

/// The names under which files are stored together. Fails if one was refused, or if they cannot stand beside each
/// other: then none is stored.
pub fn stored_names(files: &[CodeFile]) -> Result<Vec<String>> {
    if let Some(why) = files.iter().find_map(|file| file.rejected.as_deref()) {
        return Err(Error::invalid(format!(
            "a file name of the answer was refused: {why}; nothing is written"
        )));
    }
    let names = names(files);
    let sizes = names.iter().map(String::as_str).zip(files.iter().map(CodeFile::size));
    match crate::answer::path::refuse_set(sizes) {
        Some(why) => {
            Err(Error::invalid(format!("the files cannot be stored together: {why}; nothing is written")))
        }
        None => Ok(names),
    }
}
