//! Nothing is lost in silence: what replaces a given file is all of it, or it is not accepted.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod campaign;
mod form;
mod generated;
mod going_on;
mod kinds;
mod round_trip;
mod sources;

use claude_code_core::request::SourceFile;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Error, ErrorKind, GenerateRequest, Generation, plan};

/// What comes of one answer to a refactoring of these files: one send and no more.
pub(crate) fn refactored<F: Fn(&str) -> String>(
    given: &[(&str, &str)],
    asked: &str,
    answer: F,
) -> impl Future<Output = Result<Generation, Error>> + use<F> {
    answered(request(given, asked), answer)
}

pub(crate) fn request(given: &[(&str, &str)], asked: &str) -> GenerateRequest {
    let files = given
        .iter()
        .map(|(path, content)| SourceFile { path: (*path).to_owned(), content: (*content).to_owned() });
    GenerateRequest::refactor(files.collect(), asked).with_model("sonnet").with_max_sends(1)
}

/// The same for any request.
pub(crate) fn answered<F: Fn(&str) -> String>(
    request: GenerateRequest,
    answer: F,
) -> impl Future<Output = Result<Generation, Error>> + use<F> {
    let nonce = plan::prompt::write(&request, None).nonce;
    let provider = ScriptedProvider::new([Script::answer(&answer(&nonce))]);
    let client = builder(provider).build();
    async move { client.generate(request).await }
}

/// A whole file as the protocol wants it.
pub(crate) fn marked(nonce: &str, path: &str, content: &str) -> String {
    let end = if content.ends_with('\n') || content.is_empty() { "" } else { "\n" };
    format!("=== file {nonce}: {path} ===\n{content}{end}=== end {nonce}: {path} ===\n")
}

/// The only file of an accepted answer.
pub(crate) fn accepted(outcome: Result<Generation, Error>) -> String {
    let g = outcome.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    assert_eq!(g.files.len(), 1, "{:?}", g.files);
    g.files[0].content.clone()
}

/// Why an answer is not accepted.
pub(crate) fn refused(outcome: Result<Generation, Error>) -> String {
    match outcome {
        Ok(g) => {
            assert!(!g.accepted, "accepted: {:?}", g.files);
            g.diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::EditFailed | ErrorKind::NoCode), "{error}");
            format!("{}: {error}", error.kind())
        }
    }
}
