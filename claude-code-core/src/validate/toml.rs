//! TOML by its own parser.

use super::source::Source;
use crate::answer::diagnostic::Diagnostic;

/// The first syntax error of a file.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    if source.is_fragment() {
        return Vec::new();
    }
    let Err(error) = ::toml::from_str::<::toml::Table>(&source.text) else {
        return Vec::new();
    };
    let message = error.message().lines().next().unwrap_or("not valid TOML").to_owned();
    vec![source.error(error.span().map_or(0, |span| span.start), message)]
}
