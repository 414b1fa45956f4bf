//! Validation of answers: syntax, contract, warnings; good answers and broken ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

mod beside;
mod contract;
#[path = "../support/corpus.rs"]
mod corpus;
mod depth;
mod faults;
mod good;
mod hostile;
mod infrastructure;
mod invisible;
mod mutations;
mod syntax;
mod templates;
mod warnings;

use claude_code_core::validate::check;
use claude_code_core::{CodeFile, Diagnostic, Language};

/// A complete file; its language by its path.
fn file(path: &str, content: &str) -> CodeFile {
    CodeFile {
        path: Some(path.to_owned()),
        language: Language::from_path(path).unwrap_or_else(Language::text),
        content: content.to_owned(),
        complete: true,
        rejected: None,
    }
}

/// An unnamed block.
fn block(language: &str, content: &str) -> CodeFile {
    CodeFile { path: None, language: Language::new(language).unwrap(), ..file("x", content) }
}

fn errors(files: &[CodeFile]) -> Vec<Diagnostic> {
    check(files).into_iter().filter(Diagnostic::is_error).collect()
}

/// The messages of all findings in these files, as compilers print them.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<CodeFile> = files.iter().map(|(path, content)| file(path, content)).collect();
    check(&files).iter().map(ToString::to_string).collect()
}

fn golden(path: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    std::fs::read_to_string(format!("{root}/{path}")).unwrap()
}

/// The golden service of six files.
fn service() -> Vec<CodeFile> {
    let names = [
        "backend_service.py",
        "api_routes.py",
        "database_schema.sql",
        "config.yaml",
        "requirements.txt",
        "README.md",
    ];
    names.iter().map(|name| file(name, &golden(&format!("service/{name}")))).collect()
}

/// A good project of our own.
fn project(name: &str) -> Vec<CodeFile> {
    let text = golden(&format!("good/{name}.txt"));
    let parts = text.split("=== ").skip(1).map(|part| part.split_once(" ===\n").unwrap());
    parts.map(|(path, content)| file(path, content)).collect()
}
