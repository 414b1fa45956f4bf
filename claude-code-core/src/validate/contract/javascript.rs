//! JavaScript and TypeScript: imports between the files lead somewhere, and the routes of servers.

use std::collections::HashMap;
use std::rc::Rc;

use super::module::Route;
use super::project::Project;
use super::routes::METHODS;
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::hint::Near;
use crate::validate::source::Source;
use crate::validate::syntax::script::Module;
use crate::validate::tree::{self, children, text};

/// What a path without its ending may mean.
const ENDINGS: [&str; 25] = [
    "",
    ".ts",
    ".tsx",
    ".mts",
    ".cts",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".d.ts",
    ".d.mts",
    ".d.cts",
    ".json",
    "/index.ts",
    "/index.tsx",
    "/index.mts",
    "/index.cts",
    "/index.js",
    "/index.jsx",
    "/index.mjs",
    "/index.cjs",
    "/index.d.ts",
    "/index.d.mts",
    "/index.d.cts",
    "/index.json",
];

/// TypeScript names a file as it will be called once compiled.
const COMPILED: [(&str, &[&str]); 4] = [
    (".js", &[".ts", ".tsx", ".d.ts", ".jsx"]),
    (".jsx", &[".tsx"]),
    (".mjs", &[".mts", ".d.mts"]),
    (".cjs", &[".cts", ".d.cts"]),
];

/// Endings of files that people write as modules; all others are assets for a bundler.
const WRITTEN: [&str; 8] = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

/// Folders of what tools make.
const MADE: [&str; 9] =
    ["dist", "build", "out", "lib", "gen", "generated", "__generated__", "pkg", "node_modules"];

fn is_script(source: &Source) -> bool {
    matches!(source.language, "javascript" | "typescript" | "tsx") && source.path.is_some()
}

/// Relative imports without a file, and names that the file does not export.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let is_read =
        |index: usize, source: &Source| is_script(source) && project.sound[index] && !source.is_fragment();
    let sources = project.sources.iter().enumerate().filter(|(index, source)| is_read(*index, source));
    let modules: HashMap<usize, Rc<Module>> =
        sources.filter_map(|(index, source)| Some((index, source.script()?))).collect();
    let mut found = Vec::new();
    for (index, source) in project.sources.iter().enumerate() {
        if let Some(module) = modules.get(&index) {
            found.extend(imports(project, source, module, &modules).into_iter().map(|told| (index, told)));
        }
    }
    found
}

fn imports(
    project: &Project,
    source: &Source,
    module: &Module,
    modules: &HashMap<usize, Rc<Module>>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (from, at) in module.sources.iter().filter(|(from, _)| is_relative(from)) {
        if !resolve(project, source.path.unwrap_or(""), from).is_empty() {
            continue;
        }
        let near = nearest_file(project, source, from);
        // Any other file may lie beside these, or be made by a tool.
        let severity = near.as_ref().map_or(Severity::Warning, Near::severity);
        let near = near.map_or_else(String::new, |near| near.to_string());
        let message = format!("there is no file for the import `{from}` among the files{near}");
        found.push(source.at(*at, severity, message));
    }
    for (from, name, at) in module.taken.iter().filter(|(from, ..)| is_relative(from)) {
        let targets = resolve(project, source.path.unwrap_or(""), from);
        let is_offered = |target: &usize| {
            let other = modules.get(target).filter(|other| !is_open(&project.sources[*target], other));
            other.is_none_or(|other| other.offered.contains(name))
        };
        let Some(target) = targets.first().copied().filter(|_| !targets.iter().any(is_offered)) else {
            continue;
        };
        let Some(other) = modules.get(&target) else { continue };
        if !from.contains('?') {
            let near = project.hints.of(name, other.offered.iter().map(String::as_str));
            let path = project.sources[target].path.unwrap_or("");
            found.push(source.error(*at, format!("{path} does not export `{name}`{near}")));
        }
    }
    found
}

fn is_relative(from: &str) -> bool {
    from.starts_with("./") || from.starts_with("../")
}

/// Whether a module may offer more than can be seen: CommonJS, or nothing at all.
fn is_open(source: &Source, module: &Module) -> bool {
    let foreign = ["module.exports", "exports.", "export =", "export import"];
    module.is_open || module.offered.is_empty() || foreign.iter().any(|sign| source.text.contains(sign))
}

/// A hint at a module whose name is nearly the one of an import, in the same folder.
fn nearest_file(project: &Project, source: &Source, from: &str) -> Option<Near> {
    let bare = bare(from);
    let ending = bare.rsplit('/').next().and_then(|name| name.rfind('.').map(|at| &name[at..]));
    let is_asset = ending.is_some_and(|ending| !WRITTEN.contains(&ending) && ending.len() <= 6);
    let path = joined(source.path.unwrap_or(""), bare).filter(|path| {
        !is_asset && !path.split('/').any(|part| MADE.contains(&part) || part.ends_with(".gen"))
    })?;
    let stem = |path: &str| {
        let end = WRITTEN.iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path);
        end.to_owned()
    };
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let name = stem(name);
    let beside: Vec<String> = project
        .sources
        .iter()
        .filter(|other| is_script(other) && other.path != source.path)
        .filter_map(|other| {
            let (home, name) = other.path?.rsplit_once('/').unwrap_or(("", other.path?));
            (home == folder).then(|| stem(name))
        })
        .collect();
    Some(project.hints.of(&name, beside.iter().map(String::as_str)))
}

/// An import without what tells a bundler how to read the file.
fn bare(from: &str) -> &str {
    from.split(['?', '#']).next().unwrap_or(from)
}

/// The path that a relative import means, as written.
fn joined(home: &str, from: &str) -> Option<String> {
    let mut parts: Vec<&str> = home.split('/').collect();
    parts.pop();
    for part in from.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The files that a relative import may mean: one, or its code and its types.
fn resolve(project: &Project, home: &str, from: &str) -> Vec<usize> {
    let Some(base) = joined(home, bare(from)) else { return Vec::new() };
    let compiled = COMPILED.iter().filter_map(|(compiled, written)| {
        let stem = base.strip_suffix(compiled)?;
        Some(written.iter().map(move |ending| format!("{stem}{ending}")))
    });
    let as_written = ENDINGS.iter().map(|ending| format!("{base}{ending}"));
    as_written.chain(compiled.flatten()).filter_map(|path| project.at(&path)).collect()
}

/// Paths that tests ask for in the manner of supertest: `request(app).get('/x')`.
pub fn requested(source: &Source) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    if !is_script(source) || !source.is_test() {
        return found;
    }
    let Some(tree) = source.tree() else { return found };
    tree::walk(tree.root_node(), |visit| {
        let Some(function) =
            visit.node.child_by_field_name("function").filter(|f| f.kind() == "member_expression")
        else {
            return;
        };
        let object = function.child_by_field_name("object").map_or("", |object| text(object, &source.text));
        let verb = function
            .child_by_field_name("property")
            .map_or("", |p| text(p, &source.text))
            .to_ascii_uppercase();
        let is_request = ["request(", "supertest("].iter().any(|start| object.starts_with(start));
        let arguments = visit.node.child_by_field_name("arguments").map(children).unwrap_or_default();
        let first = arguments.first().filter(|node| node.kind() == "string");
        let path = first.map(|node| text(*node, &source.text).trim_matches(['"', '\'']));
        if let (true, Some(path)) = (is_request && METHODS.contains(&verb.as_str()), path) {
            found.push((path.to_owned(), visit.node.start_byte()));
        }
    });
    found
}

/// Routes and prefixes of a server in the manner of Express: `app.get('/x', …)`, `app.use('/api', router)`.
pub fn routes(source: &Source) -> (Vec<Route>, Vec<String>) {
    let (mut routes, mut prefixes) = (Vec::new(), Vec::new());
    let Some(tree) = source.tree() else { return (routes, prefixes) };
    tree::walk(tree.root_node(), |visit| {
        let function = visit.node.child_by_field_name("function").filter(|f| f.kind() == "member_expression");
        let (Some(function), Some(arguments)) = (function, visit.node.child_by_field_name("arguments"))
        else {
            return;
        };
        let arguments = children(arguments);
        let first =
            arguments.first().filter(|node| node.kind() == "string").map(|node| text(*node, &source.text));
        let Some(path) = first.map(|p| p.trim_matches(['"', '\''])).filter(|p| p.starts_with('/')) else {
            return;
        };
        let property = function.child_by_field_name("property").map_or("", |p| text(p, &source.text));
        let verb = property.to_ascii_uppercase();
        if property == "use" {
            prefixes.push(path.to_owned());
        } else if arguments.len() > 1 && (METHODS.contains(&verb.as_str()) || property == "all") {
            let methods = if property == "all" { Vec::new() } else { vec![verb] };
            routes.push(Route { path: path.to_owned(), methods, offset: visit.node.start_byte() });
        }
    });
    (routes, prefixes)
}
