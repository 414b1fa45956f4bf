//! Imports between the files of an answer lead somewhere.

use super::module::Import;
use super::project::{Project, Target};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::hint::Near;
use crate::validate::source::Source;

/// Imports of modules that are not there, and of names that a module of the answer does not define.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let mut found = Vec::new();
    for (index, source, module) in project.read() {
        for import in &module.imports {
            if import.level == 0 && project.is_third_party(&import.module) {
                continue;
            }
            let finding = match project.target(index, &import.module, import.level) {
                Target::Module(target) => missing_name(project, index, source, import, target),
                Target::Package => missing_below(project, index, source, import),
                Target::Outside => missing_module(project, source, import),
            };
            found.extend(finding.map(|diagnostic| (index, diagnostic)));
        }
    }
    found
}

fn severity(import: &Import) -> Severity {
    if import.guarded { Severity::Warning } else { Severity::Error }
}

fn missing_name(
    project: &Project,
    index: usize,
    source: &Source,
    import: &Import,
    target: usize,
) -> Option<Diagnostic> {
    let name = import.name.as_deref()?;
    let below = if import.module.is_empty() { name.to_owned() } else { format!("{}.{name}", import.module) };
    let is_module = !matches!(project.target(index, &below, import.level), Target::Outside);
    if project.offers(target, name) || is_module || project.candidates(&import.module) > 1 {
        return None;
    }
    let names = project.modules.get(&target).map(|m| &m.top_level).into_iter().flatten().map(String::as_str);
    let path = project.sources[target].path.unwrap_or("");
    let message = format!(
        "`{name}` is imported from {path}, which does not define it{}",
        project.hints.of(name, names)
    );
    Some(source.at(import.offset, severity(import), message))
}

/// A module of a package that is not among the files. It may lie beside them; one that is nearly called so is a slip.
fn missing_below(project: &Project, index: usize, source: &Source, import: &Import) -> Option<Diagnostic> {
    let name = import.name.as_deref()?;
    let below = if import.module.is_empty() { name.to_owned() } else { format!("{}.{name}", import.module) };
    if !matches!(project.target(index, &below, import.level), Target::Outside) || import.module.is_empty() {
        return None;
    }
    let near = project.hints.of(name, project.module_names());
    let message = format!("the package `{}` has no module `{name}`{near}", import.module);
    Some(source.at(import.offset, slip(import, &near), message))
}

/// Only a name that is mistyped contradicts the files: any other file may lie beside them.
fn slip(import: &Import, near: &Near) -> Severity {
    near.severity().max(severity(import))
}

/// A relative import, or one below a package of the answer, that leads to no file; or a name that only just
/// misses a file of the answer. An answer without a list of requirements may be a part of a project.
fn missing_module(project: &Project, source: &Source, import: &Import) -> Option<Diagnostic> {
    let first = import.module.split('.').next().unwrap_or("");
    let last = import.module.rsplit('.').next().unwrap_or("");
    let is_below = import.module.contains('.') && project.has_module(first);
    if import.level > 0 || is_below {
        // Its own name is not meant: a package's is that of its folder.
        let path = source.path.unwrap_or("").trim_end_matches("/__init__.py").trim_end_matches(".py");
        let own = path.rsplit('/').next().unwrap_or("");
        let near = project.hints.of(last, project.module_names().filter(|name| *name != own));
        let dots = ".".repeat(import.level);
        let message = format!("there is no module `{dots}{}` among the files{near}", import.module);
        return Some(source.at(import.offset, slip(import, &near), message));
    }
    if project.declared.is_some() || !first.contains('_') {
        return None;
    }
    let near = project.hints.of(first, project.module_names().filter(|name| name.len() > 3));
    let message = format!("there is no module `{first}` among the files{near}");
    (!near.is_empty()).then(|| source.at(import.offset, slip(import, &near), message))
}
