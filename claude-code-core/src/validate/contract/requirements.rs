//! Third-party imports are declared: requirements.txt and its kin.

use super::project::{Project, Target};
use super::{distributions, stdlib};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::source::Source;

/// Manifests in which any quoted or bare word may name a distribution.
const LOOSE: [&str; 6] =
    ["pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "environment.yml", "environment.yaml"];

/// Modules that AWS Lambda has without being told.
const IN_LAMBDA: [&str; 2] = ["boto3", "botocore"];

/// Every third-party import that the declared distributions do not bring.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let Some(declared) = &project.declared else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let lists = Lists::of(project.sources);
    for (index, source, module) in project.read() {
        let mut told: Vec<&str> = Vec::new();
        for import in module.imports.iter().filter(|import| import.level == 0 && !import.guarded) {
            let first = import.module.split('.').next().unwrap_or("");
            let outside = matches!(project.target(index, first, 0), Target::Outside)
                && matches!(project.target(index, &import.module, 0), Target::Outside);
            let known = stdlib::has_module(first) || distributions::declares(declared, &import.module);
            if !outside || known || told.contains(&first) {
                continue;
            }
            told.push(first);
            let severity = severity(source, &lists, declared, first);
            let wanted = distributions::suggested(first);
            let message = format!(
                "`{first}` is imported, but requirements.txt does not list `{wanted}`{}",
                project.hints.of(first, project.module_names())
            );
            found.push((index, source.at(import.offset, severity, message)));
        }
    }
    found
}

fn severity(source: &Source, lists: &Lists<'_>, declared: &[String], module: &str) -> Severity {
    let brought = distributions::brings(declared, module);
    let in_lambda = IN_LAMBDA.contains(&module)
        && (source.text.contains("_handler(") || source.text.contains("handler(event"));
    // What a test or the documentation lacks is rarely a fault of the service.
    let is_beside = source.is_test()
        || source.path.is_some_and(|path| path.split('/').any(|part| BESIDE.contains(&part)));
    let is_certain = lists.are_of(source) && !brought && !in_lambda && !is_beside;
    if is_certain { Severity::Error } else { Severity::Warning }
}

/// Folders whose code has requirements of its own.
const BESIDE: [&str; 5] = ["docs", "doc", "examples", "scripts", "benchmarks"];

/// The lists of requirements that are whole.
struct Lists<'p> {
    /// The folders in which they lie; none if a program makes a list.
    folders: Vec<&'p str>,
}

impl<'p> Lists<'p> {
    fn of(sources: &[Source<'p>]) -> Self {
        let is_made = |source: &Source| {
            matches!(source.name(), "setup.py" | "setup.cfg")
                || source.name() == "pyproject.toml" && source.text.contains("dynamic")
        };
        let is_list = |source: &&Source<'p>| {
            let name = source.name();
            let is_plain = name.starts_with("requirements") && name.ends_with(".txt");
            is_plain || name == "pyproject.toml" && source.text.contains("dependencies")
        };
        let folder = |path: &'p str| path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let lists = sources.iter().filter(is_list);
        let folders = lists.filter_map(|source| source.path.map(folder)).collect();
        Lists { folders: if sources.iter().any(is_made) { Vec::new() } else { folders } }
    }

    /// Whether one lies in a file's folder or above.
    fn are_of(&self, source: &Source) -> bool {
        let path = source.path.unwrap_or("");
        let is_above = |folder: &str| {
            folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        self.folders.iter().any(|folder| is_above(folder))
    }
}

/// The normal names of all declared distributions; none without a manifest, or if one leads elsewhere.
pub fn declared(sources: &[Source]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut has_requirements = false;
    for source in sources {
        let name = source.name();
        if LOOSE.contains(&name) {
            names.extend(words(&source.text));
            has_requirements |= name == "pyproject.toml" || name == "setup.py";
        } else if name.starts_with("requirements") && name.ends_with(".txt") {
            has_requirements = true;
            for line in source.text.lines().map(str::trim) {
                let is_elsewhere = line.starts_with("-e") || line.contains("://") || line.starts_with('.');
                if is_elsewhere && !line.contains(" @ ") && !line.starts_with("--") {
                    return None;
                }
                names.extend(requirement(line));
            }
        }
    }
    has_requirements.then_some(names)
}

/// The name in a line of requirements.txt.
fn requirement(line: &str) -> Option<String> {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(line.len());
    let name = &line[..end];
    (!name.is_empty() && !line.starts_with(['-', '#'])).then(|| distributions::normal(name))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .filter(|word| !word.is_empty())
        .map(distributions::normal)
}
