//! Every name that a Python module uses is bound in it somewhere, or built in.

use std::collections::HashSet;

use super::project::Project;
use super::stdlib;
use crate::answer::diagnostic::Diagnostic;

/// Names used and never bound in any scope of the module: a lost import, a renamed function, a wrong type name.
/// Modules that make names at run time, or catch NameError, are passed over.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let mut found = Vec::new();
    for (index, source, module) in project.read() {
        if module.is_dynamic || source.text.contains("NameError") {
            continue;
        }
        let mut told: HashSet<&str> = HashSet::new();
        for (name, offset) in &module.used {
            if module.bound.contains_key(name) || stdlib::has_name(name) || !told.insert(name) {
                continue;
            }
            let near = project.hints.of(name, module.bound_names());
            let message = format!("`{name}` is used but neither defined nor imported{near}");
            found.push((index, source.error(*offset, message)));
        }
    }
    found
}
