//! TOML by its own parser.

use crate::answer::diagnostic::Diagnostic;
use crate::validate::source::Source;

/// The first syntax error of a file.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let Err(error) = ::toml::from_str::<::toml::Table>(&source.text) else {
        return Vec::new();
    };
    let message = error.message().lines().next().unwrap_or("not valid TOML").to_owned();
    vec![source.error(error.span().map_or(0, |span| span.start), message)]
}
