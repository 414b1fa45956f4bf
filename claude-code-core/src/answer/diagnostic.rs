//! Diagnostic: a finding in a file of an answer, with its place.

use serde::{Deserialize, Serialize};

/// How sure a diagnostic is of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// The file does not work as it is. An answer with one is not accepted.
    Error,
    /// A person should look at it. It does not keep an answer from being accepted.
    Warning,
}

/// One finding in one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The file; none for an unnamed block.
    pub path: Option<String>,
    /// Line, from 1; 0 for the whole file.
    pub line: u32,
    /// Column in characters, from 1; 0 for the whole line or file.
    pub column: u32,
    /// How sure it is.
    pub severity: Severity,
    /// A plain sentence without its place.
    pub message: String,
}

impl Diagnostic {
    /// Whether the file does not work as it is.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl std::fmt::Display for Diagnostic {
    /// `path:line:column: severity: message`, as compilers write it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.path.as_deref().unwrap_or("(unnamed)"))?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        let severity = if self.is_error() { "error" } else { "warning" };
        write!(f, ": {severity}: {}", self.message)
    }
}
