//! Every name that a Python module uses is bound in it somewhere, or built in.

use std::collections::HashSet;

use super::project::Project;
use super::stdlib;
use crate::answer::diagnostic::{Diagnostic, Severity};

/// So many names that nothing binds are an oversight in any module. More are one only where far more names are bound: else
/// it is a sketch, or a file that a tool runs with names of its own.
const FEW_LOST: usize = 2;
const MAX_LOST: usize = 10;

/// Names used and never bound in any scope of the module: a lost import, a renamed function, a wrong type name. Modules
/// that make names at run time, or catch NameError, are passed over.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let mut found = Vec::new();
    for (index, source, module) in project.read() {
        // Sphinx runs its conf.py with names of its own.
        if module.is_dynamic
            || source.text.contains("NameError")
            || source.is_fixture()
            || source.name() == "conf.py"
        {
            continue;
        }
        let mut told: HashSet<&str> = HashSet::new();
        let is_lost =
            |name: &str| !(module.bound.contains_key(name) || stdlib::has_name(name) || is_special(name));
        let lost: Vec<&(String, usize)> =
            module.used.iter().filter(|(name, _)| is_lost(name) && told.insert(name)).collect();
        let is_known = || module.bound_names().count() >= 3 * lost.len();
        let is_oversight = lost.len() <= FEW_LOST || lost.len() <= MAX_LOST && is_known();
        for (name, offset) in lost {
            let near = project.hints.of(name, module.bound_names());
            let is_certain = is_oversight && !stdlib::was_name(name) && !is_meant(&source.text, *offset);
            let severity = if is_certain { Severity::Error } else { near.severity() };
            let message = format!("`{name}` is used but neither defined nor imported{near}");
            found.push((index, source.at(*offset, severity, message)));
        }
    }
    found
}

/// Whether its line says, as linters read it, that the name is not defined.
fn is_meant(text: &str, offset: usize) -> bool {
    let start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or("").to_ascii_lowercase();
    line.contains("noqa: f821") || line.contains("name-defined") || line.contains("reportundefinedvariable")
}

/// Names with two underscores on both sides are the language's own.
fn is_special(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}
