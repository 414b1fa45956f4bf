//! The contract between the files of an answer: imports, names, requirements, routes, tables.

mod distributions;
mod imports;
mod javascript;
mod members;
mod module;
mod names;
mod project;
mod requirements;
mod routes;
mod schema;
mod sql;
mod statement;
mod stdlib;
mod visitor;

use super::source::Source;
use crate::diagnostic::Diagnostic;

/// What is wrong between the files, each with the index of the file it is in. `sound[i]`: file i has no syntax
/// error; the others are not looked into, and nothing is said about names in them.
pub fn check(sources: &[Source], sound: &[bool]) -> Vec<(usize, Diagnostic)> {
    let project = project::Project::new(sources, sound);
    let mut found = imports::check(&project);
    found.extend(names::check(&project));
    found.extend(members::check(&project));
    found.extend(requirements::check(&project));
    found.extend(javascript::check(&project));
    found.extend(routes::check(&project));
    found.extend(sql::check(&project));
    found
}
