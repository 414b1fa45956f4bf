//! PHP to 8.5, by mago's parser; builds without the larger grammars do not read PHP.

use super::grammar;
use crate::answer::diagnostic::Diagnostic;
use crate::validate::source::Source;

#[cfg(not(feature = "syntax-all"))]
pub fn check(source: &Source) -> Vec<Diagnostic> {
    grammar::check(source)
}

/// Syntax errors.
#[cfg(feature = "syntax-all")]
pub fn check(source: &Source) -> Vec<Diagnostic> {
    use super::brackets;
    use super::nesting::{self, Ends, Need};

    const NEED: Need = Need { ends: Ends::Mark, frame: 2_000 };

    let Some(faults) = nesting::within(&source.text, NEED, || judge(&source.text)) else {
        return grammar::check(source);
    };
    if faults.is_empty() {
        return Vec::new();
    }
    let unpaired = source
        .tree()
        .map(|tree| brackets::places(source.language, &source.text, &brackets::of_tree(tree.root_node())));
    let all = unpaired.into_iter().flatten().chain(faults);
    all.map(|fault| source.error(fault.at, fault.message)).collect()
}

#[cfg(feature = "syntax-all")]
fn judge(text: &str) -> Vec<super::Fault> {
    use mago_span::HasSpan;
    use mago_syntax::error::ParseError;

    let arena = bumpalo::Bump::new();
    let program =
        mago_syntax::parser::parse_file_content(&arena, mago_database::file::FileId::zero(), text.as_bytes());
    // A limit of the parser is no fault of the text.
    let is_fault = |error: &&ParseError| !matches!(error, ParseError::RecursionLimitExceeded(_));
    let fault = |error: &ParseError| super::Fault {
        at: error.span().start.offset as usize,
        message: super::lowered(&error.to_string()),
    };
    program.errors.iter().filter(is_fault).map(fault).collect()
}
