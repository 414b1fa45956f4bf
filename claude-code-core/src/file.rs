//! A file of an answer, and the name under which it is stored.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::language::Language;
use crate::path::fold;
pub use crate::path::{auto_executed, refusal, refuse_set};

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
