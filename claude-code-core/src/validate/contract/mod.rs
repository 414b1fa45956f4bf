//! The contract between the files of an answer: imports, names, requirements, routes, tables.

mod distributions;
mod imports;
mod javascript;
mod literals;
mod members;
pub mod module;
mod names;
mod project;
pub mod python;
mod requirements;
mod routes;
pub mod schema;
pub mod slip;
mod sql;
mod statement;
mod stdlib;
pub mod types;

use super::source::Source;
use crate::answer::diagnostic::Diagnostic;

/// Findings, each with the index of its file.
pub type Found = Vec<(usize, Diagnostic)>;

/// What is wrong, by check: with the names within each file, and between the files. `sound[i]`: file i has no syntax
/// error; the others are not looked into, and nothing is said about names in them.
pub fn check(sources: &[Source], sound: &[bool]) -> (Found, Vec<Found>) {
    let project = project::Project::new(sources, sound);
    let between = vec![
        imports::check(&project),
        members::check(&project),
        requirements::check(&project),
        javascript::check(&project),
        routes::check(&project),
        sql::check(&project),
    ];
    (names::check(&project), between)
}
