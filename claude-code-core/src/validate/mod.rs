//! Is the code of an answer sound? Syntax of each file, the contract between them, and things a person should see.
//!
//! Pure and bounded by size, not by time. An error is only what is certain: a repair round costs money. Languages
//! without a grammar in this build are not validated.

mod by_lines;
mod danger;
pub(crate) mod definitions;
pub(crate) mod elision;
mod hunks;
mod invisible;
pub(crate) mod lost;
mod secret;
mod source;
mod syntax;

#[cfg(feature = "syntax")]
mod cloudformation;
#[cfg(feature = "syntax")]
mod contract;
#[cfg(feature = "syntax")]
mod hint;
#[cfg(feature = "syntax")]
mod tags;
#[cfg(feature = "syntax")]
mod terraform;
#[cfg(feature = "syntax")]
mod together;
#[cfg(feature = "syntax")]
mod tree;

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::timeout;

use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::CodeFile;
use crate::request::{GenerateRequest, SourceFile, Work};
use source::Source;

/// Findings of one file that are told; the first ones are worth most.
const MAX_PER_FILE: usize = 5;

/// What is wrong with these files, in their order and by line: at most five findings of each check a file. Files
/// whose end was not seen and those over 1 MB are passed over.
pub fn check(files: &[CodeFile]) -> Vec<Diagnostic> {
    check_beside(files, &[])
}

/// The same for files that stand beside given ones: those that an answer does not write again are there, and what it
/// breaks in them is told; what was wrong between them before is not an error of the answer.
pub fn check_beside(files: &[CodeFile], given: &[SourceFile]) -> Vec<Diagnostic> {
    let sources: Vec<Source> = files.iter().filter_map(Source::new).collect();
    let mut found: Vec<Vec<Diagnostic>> = sources.iter().map(check_one).collect();
    #[cfg(feature = "syntax")]
    together::check(files, &sources, &together::as_files(given), &mut found);
    for (source, found) in sources.iter().zip(&mut found) {
        let given = given.iter().find(|given| Some(given.path.as_str()) == source.path);
        let invisible = invisible::check(source, given.map(|given| given.content.as_str()));
        found.extend(invisible.into_iter().take(MAX_PER_FILE));
    }
    for diagnostics in &mut found {
        diagnostics.sort_by_key(|d| (d.line, d.column, d.severity));
        diagnostics.dedup();
    }
    found.concat()
}

/// What the checks that a request asks for find: these, and the caller's own within the time that is left.
pub async fn accept(request: &GenerateRequest, files: &[CodeFile], left: Duration) -> Vec<Diagnostic> {
    let mut found = match request.skip_validation || !request.work.wants_code() {
        true => Vec::new(),
        false => check_beside(&without_excerpts(request, files), &request.files),
    };
    if let Some(own) = &request.check {
        match timeout(left, own.check(files)).await {
            Ok(own) => found.extend(own),
            Err(_) => found.push(Diagnostic {
                path: None,
                line: 0,
                column: 0,
                severity: Severity::Error,
                message: "the caller's own check did not end within the request's time".to_owned(),
            }),
        }
    }
    found
}

/// The files that are the work: what tests and documentation show without a name, beside files that have one, are
/// excerpts.
fn without_excerpts<'a>(request: &GenerateRequest, files: &'a [CodeFile]) -> Cow<'a, [CodeFile]> {
    let is_named = |file: &&CodeFile| file.path.is_some();
    match request.work {
        Work::Test | Work::Document if files.iter().any(|file| is_named(&file)) => {
            Cow::Owned(files.iter().filter(is_named).cloned().collect())
        }
        _ => Cow::Borrowed(files),
    }
}

/// Whether a file is a template by its name, and checked as one.
pub fn is_template(path: &str) -> bool {
    #[cfg(feature = "syntax")]
    return syntax::is_template(path);
    #[cfg(not(feature = "syntax"))]
    {
        let _ = path;
        false
    }
}

/// Whether a text is code of this language without a fault; none without a grammar for it in this build.
pub(crate) fn parses(language: &str, text: &str) -> Option<bool> {
    #[cfg(feature = "syntax")]
    return tree::parse(language, text).map(|tree| !tree.root_node().has_error());
    #[cfg(not(feature = "syntax"))]
    {
        let _ = (language, text);
        None
    }
}

/// Whether this place of a text stands within a string or comment; false without a grammar for it in this build.
pub(crate) fn is_text_at(language: &str, text: &str, at: usize) -> bool {
    #[cfg(feature = "syntax")]
    if let Some(tree) = tree::parse(language, text) {
        let mut node = tree.root_node().descendant_for_byte_range(at, at + 1);
        while let Some(here) = node {
            let kind = here.kind();
            if ["string", "comment", "template", "heredoc", "raw_text"].iter().any(|part| kind.contains(part))
            {
                return true;
            }
            node = here.parent();
        }
    }
    let _ = (language, text, at);
    false
}

fn check_one(source: &Source) -> Vec<Diagnostic> {
    let mut found = syntax::check(source);
    found.truncate(MAX_PER_FILE);
    found.extend(secret::check(source).into_iter().take(MAX_PER_FILE));
    found.extend(danger::check(source).into_iter().take(MAX_PER_FILE));
    found
}
