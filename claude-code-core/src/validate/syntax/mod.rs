//! Syntax: one judge for each language.
//!
//! A conformance-tested parser judges where the grammars of editors lag behind the language; elsewhere tree-sitter does,
//! by the rule of [`grammar`]. Each file here is one language's judge: a function from a source to its diagnostics.

mod json;
mod jsonc;

#[cfg(feature = "syntax")]
mod brackets;
#[cfg(feature = "syntax")]
mod grammar;
#[cfg(feature = "syntax")]
mod nesting;
#[cfg(feature = "syntax")]
mod php;
#[cfg(feature = "syntax")]
mod python;
#[cfg(feature = "syntax")]
mod reserved;
#[cfg(feature = "syntax")]
mod ruby;
#[cfg(feature = "syntax")]
mod rust;
#[cfg(feature = "syntax")]
pub mod script;
#[cfg(feature = "syntax")]
mod shell;
#[cfg(feature = "syntax")]
mod sql;
#[cfg(feature = "syntax")]
mod template;
#[cfg(feature = "syntax")]
mod terraform;
#[cfg(feature = "syntax")]
mod toml;
#[cfg(feature = "syntax")]
mod views;
#[cfg(feature = "syntax")]
pub mod yaml;

#[cfg(feature = "syntax")]
use std::collections::HashSet;

use super::source::Source;
use crate::answer::diagnostic::Diagnostic;

#[cfg(feature = "syntax")]
/// A syntax error as a parser tells it: the byte where it is, and a sentence.
pub struct Fault {
    at: usize,
    message: String,
}

#[cfg(feature = "syntax")]
/// The verdict of a language's own parser.
pub enum Verdict {
    Sound,
    Faulty(Vec<Fault>),
    /// The parser cannot tell: the text is nested too deep for it, or of a dialect that it does not read.
    Unknown,
}

/// Syntax errors of a file: a build without parsers reads JSON only.
#[cfg(not(feature = "syntax"))]
pub fn check(source: &Source) -> Vec<Diagnostic> {
    if source.language == "json" && !source.is_sketch() { json::check(source) } else { Vec::new() }
}

/// Syntax errors of a file, by its language; none for languages without a parser and for sketches.
#[cfg(feature = "syntax")]
pub fn check(source: &Source) -> Vec<Diagnostic> {
    if source.is_sketch() {
        return Vec::new();
    }
    // A parser that goes on after a fault tells what follows from it, often in the same line.
    let (mut found, mut lines) = (judge(source), HashSet::new());
    found.retain(|told| !told.is_error() || lines.insert(told.line) && lines.len() <= MAX_FAULTS);
    found
}

/// Lines of a file that are told as faulty.
#[cfg(feature = "syntax")]
const MAX_FAULTS: usize = 5;

/// Whether a name is that of a template.
#[cfg(feature = "syntax")]
pub fn is_template(path: &str) -> bool {
    template::by_name(path).is_some()
}

#[cfg(feature = "syntax")]
fn judge(source: &Source) -> Vec<Diagnostic> {
    if let Some(engine) = template::engine(source) {
        return template::check(source, engine);
    }
    match source.language {
        "json" => json::check(source),
        "yaml" => yaml::check(source),
        "toml" => toml::check(source),
        "python" => python::check(source),
        "javascript" | "typescript" | "tsx" => script::check(source),
        "rust" => rust::check(source),
        "terraform" => terraform::check(source),
        "php" => php::check(source),
        "sql" => sql::check(source),
        _ => grammar::check(source),
    }
}

#[cfg(feature = "syntax")]
/// A parser's sentence in the case of ours: one line, no capital, no full stop.
fn lowered(said: &str) -> String {
    let said = said.lines().next().unwrap_or("").trim_end_matches('.');
    let mut letters = said.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + letters.as_str())
}
