//! Checks.
use crate::diagnostic::Diagnostic;
use crate::file::CodeFile;
use crate::request::GenerateRequest;
/// Accept.
pub fn accept(request: &GenerateRequest, files: &[CodeFile]) -> Vec<Diagnostic> {
    request.check.as_ref().map(|c| c.check(files)).unwrap_or_default()
}
