//! The six files: the prompt for them, which exist already, and the checks over all of them.

use std::sync::Arc;

use super::conversation::Change;
use super::data::ServiceData;
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::CodeFile;
use crate::request::{CacheMode, Check, GenerateRequest, SourceFile};

const TEMPLATE: &str = include_str!("../../prompts/service.md");

/// The files of a service, in the order that they are written in.
pub const FILES: [&str; 6] = [
    "backend_service.py",
    "api_routes.py",
    "database_schema.sql",
    "config.yaml",
    "requirements.txt",
    "README.md",
];

/// The prompt for a description: always the same words for the same description.
pub fn prompt(data: &ServiceData) -> String {
    let lines = data.lines().map(|(name, value)| {
        let value = if value.is_empty() { "not said" } else { value.as_str() };
        format!("- {name}: {value}")
    });
    crate::plan::prompt::split(TEMPLATE).1.replace("{{description}}", &lines.join("\n")).trim_end().to_owned()
}

/// Asks for the files that are not kept yet, all of them in one answer. Those that are kept go along as given files:
/// what was paid for is not asked for again, and what follows fits it.
pub fn request(data: &ServiceData, kept: &[CodeFile]) -> GenerateRequest {
    let mut text = prompt(data);
    if !kept.is_empty() {
        let names = missing(kept).join(", ");
        text.push_str(&format!(
            "\n\nThe other files are written and given below. Write only these, so that they fit them: {names}."
        ));
    }
    let mut request = GenerateRequest::new(text)
        .with_cache(CacheMode::Off)
        .with_check(Arc::new(SixFiles { kept: kept.to_vec() }));
    for file in kept {
        request = request.with_file(file.path.clone().unwrap_or_default(), file.content.clone());
    }
    // Beside kept files the new ones alone are half a project: the check looks at all of them together.
    if kept.is_empty() { request.without_store() } else { request.without_store().without_validation() }
}

/// Asks for a change of written files; those that it leaves out stay as they are.
pub(super) fn change_request(files: &[CodeFile], change: &Change) -> GenerateRequest {
    let sources = files.iter().map(|file| SourceFile {
        path: file.path.clone().unwrap_or_default(),
        content: file.content.clone(),
    });
    let mut instructions = change.instructions.clone();
    if let Some(file) = &change.file {
        instructions.push_str(&format!("\n\nChange only {file}; the other files stay as they are."));
    }
    GenerateRequest::refactor(sources.collect(), instructions)
        .with_cache(CacheMode::Off)
        .with_check(Arc::new(SixFiles { kept: files.to_vec() }))
        .without_store()
        .without_validation()
}

/// Puts files into the order of the six.
pub(super) fn sort(files: &mut [CodeFile]) {
    files.sort_by_key(|file| FILES.iter().position(|name| file.path.as_deref() == Some(*name)));
}

/// The names of the six that are not among these.
pub fn missing(files: &[CodeFile]) -> Vec<&'static str> {
    FILES.into_iter().filter(|name| !files.iter().any(|file| file.path.as_deref() == Some(*name))).collect()
}

/// Kept files beside those of an answer. Where an answer has a kept file too, as a repair does, its version counts.
pub(super) fn together(kept: &[CodeFile], answered: &[CodeFile]) -> Vec<CodeFile> {
    let old = kept.iter().filter(|kept| !answered.iter().any(|new| new.path == kept.path));
    old.chain(answered).cloned().collect()
}

/// What is wrong with the six files together.
pub fn check(files: &[CodeFile]) -> Vec<Diagnostic> {
    let mut found = crate::validate::check(files);
    found.extend(absent(files));
    found
}

fn absent(files: &[CodeFile]) -> impl Iterator<Item = Diagnostic> {
    missing(files).into_iter().map(|name| Diagnostic {
        path: Some(name.to_owned()),
        line: 0,
        column: 0,
        severity: Severity::Error,
        message: "the service needs this file and the answer does not have it".to_owned(),
    })
}

/// Files of the answer that no service has: they are not kept, which is said.
fn beyond(files: &[CodeFile]) -> impl Iterator<Item = Diagnostic> {
    let other =
        files.iter().filter_map(|file| file.path.clone()).filter(|path| !FILES.contains(&path.as_str()));
    other.map(|path| Diagnostic {
        path: Some(path),
        line: 0,
        column: 0,
        severity: Severity::Warning,
        message: "not kept: a service has six files, and this is none of them".to_owned(),
    })
}

/// All six are there; beside kept files, they fit them.
struct SixFiles {
    kept: Vec<CodeFile>,
}

#[async_trait::async_trait]
impl Check for SixFiles {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let mut found = match self.kept.is_empty() {
            true => absent(files).collect(),
            false => check(&together(&self.kept, files)),
        };
        found.extend(beyond(files));
        found
    }
}
