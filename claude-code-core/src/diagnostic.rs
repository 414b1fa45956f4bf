//! What a check found in a file, where, in a plain sentence.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The answer is rejected.
    Error,
    /// Worth a look; the answer stands.
    Warning,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Diagnostic {
    /// The file; none for one without a name.
    pub path: Option<String>,
    /// From 1; 0 for the whole file.
    pub line: u32,
    /// From 1; 0 for the whole line.
    pub column: u32,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
}
