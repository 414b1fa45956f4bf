//! Every name that a Python module uses is bound in it somewhere, or built in.

use std::collections::HashSet;

use super::project::Project;
use super::stdlib;
use crate::answer::diagnostic::{Diagnostic, Severity};

/// Names of a module that nothing binds beyond which they are no oversight: a sketch, or a file that a tool runs with names
/// of its own. A module that binds fewer names than these times as many is none to judge by either.
const MAX_LOST: usize = 3;

/// Names used and never bound in any scope of the module: a lost import, a renamed function, a wrong type name. Modules
/// that make names at run time, or catch NameError, are passed over.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let mut found = Vec::new();
    for (index, source, module) in project.read() {
        if module.is_dynamic || source.text.contains("NameError") {
            continue;
        }
        let mut told: HashSet<&str> = HashSet::new();
        let is_lost = |name: &str| !(module.bound.contains_key(name) || stdlib::has_name(name) || is_special(name));
        let lost: Vec<&(String, usize)> =
            module.used.iter().filter(|(name, _)| is_lost(name) && told.insert(name)).collect();
        let is_oversight = lost.len() <= MAX_LOST && module.bound_names().count() >= lost.len() * MAX_LOST;
        for (name, offset) in lost {
            let near = project.hints.of(name, module.bound_names());
            let is_certain = is_oversight && !stdlib::was_name(name);
            let severity = if is_certain { Severity::Error } else { near.severity() };
            let message = format!("`{name}` is used but neither defined nor imported{near}");
            found.push((index, source.at(*offset, severity, message)));
        }
    }
    found
}

/// Names with two underscores on both sides are the language's own.
fn is_special(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}
