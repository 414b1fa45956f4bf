//! JavaScript and TypeScript: imports between the files lead somewhere, and the routes of servers.

use std::collections::HashSet;

use tree_sitter::Node;

use super::module::Route;
use super::project::Project;
use super::routes::METHODS;
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::source::Source;
use crate::validate::tree::{self, children, text};

/// What a path without its ending may mean.
const ENDINGS: [&str; 14] = [
    "",
    ".ts",
    ".tsx",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".d.ts",
    ".json",
    "/index.ts",
    "/index.tsx",
    "/index.js",
    "/index.jsx",
    "/index.mjs",
];

/// Names that a module exports.
#[derive(Default)]
struct Exports {
    names: HashSet<String>,
    /// Re-exports, or CommonJS: names that cannot all be seen.
    is_open: bool,
}

fn is_script(source: &Source) -> bool {
    matches!(source.language, "javascript" | "typescript" | "tsx") && source.path.is_some()
}

/// Relative imports without a file, and names that the file does not export.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let is_whole = project.sources.iter().any(|source| source.name() == "package.json");
    let mut found = Vec::new();
    for (index, source) in project.sources.iter().enumerate() {
        if is_script(source) && project.sound[index] && !source.is_fragment() {
            found
                .extend(imports(project, source, is_whole).into_iter().map(|diagnostic| (index, diagnostic)));
        }
    }
    found
}

fn imports(project: &Project, source: &Source, is_whole: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some(tree) = tree::parse(source.language, &source.text) else { return found };
    tree::walk(tree.root_node(), |visit| {
        let node = visit.node;
        let Some(from) = node.child_by_field_name("source").filter(|_| node.kind() == "import_statement")
        else {
            return;
        };
        let from_text = text(from, &source.text).trim_matches(['"', '\'']);
        if !from_text.starts_with("./") && !from_text.starts_with("../") {
            return;
        }
        match resolve(project, source.path.unwrap_or(""), from_text) {
            Some(target) => found.extend(missing_names(project, source, node, target)),
            None => {
                let severity =
                    if is_whole && !is_asset(from_text) { Severity::Error } else { Severity::Warning };
                let message = format!("there is no file for the import `{from_text}` among the files");
                found.push(source.at(from.start_byte(), severity, message));
            }
        }
    });
    found
}

fn is_asset(path: &str) -> bool {
    [".css", ".scss", ".svg", ".png", ".json", ".wasm", ".vue"].iter().any(|ending| path.ends_with(ending))
}

/// The file that a relative import means.
fn resolve(project: &Project, home: &str, from: &str) -> Option<usize> {
    let mut parts: Vec<&str> = home.split('/').collect();
    parts.pop();
    for part in from.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    let base = parts.join("/");
    // TypeScript names the file as it will be called once compiled.
    let bare = base.strip_suffix(".js").unwrap_or(&base);
    let names = ENDINGS.iter().flat_map(|ending| [format!("{base}{ending}"), format!("{bare}{ending}")]);
    let candidates: HashSet<String> = names.collect();
    project.sources.iter().position(|s| s.path.is_some_and(|path| candidates.contains(path)))
}

fn missing_names(project: &Project, source: &Source, import: Node<'_>, target: usize) -> Vec<Diagnostic> {
    let other = &project.sources[target];
    if !is_script(other) || !project.sound[target] || other.is_fragment() {
        return Vec::new();
    }
    let exports = exports(other);
    if exports.is_open || exports.names.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    tree::walk(import, |visit| {
        let name = match visit.node.kind() {
            "import_specifier" => visit.node.child_by_field_name("name"),
            "identifier" if visit.up(0) == "import_clause" => Some(visit.node),
            _ => None,
        };
        let Some(node) = name else { return };
        let is_default = visit.up(0) == "import_clause";
        let name = if is_default { "default" } else { text(node, &source.text) };
        if !exports.names.contains(name) {
            let near = project.hints.of(name, exports.names.iter().map(String::as_str));
            let message = format!("{} does not export `{name}`{near}", other.path.unwrap_or(""));
            found.push(source.error(node.start_byte(), message));
        }
    });
    found
}

fn exports(source: &Source) -> Exports {
    let foreign = ["module.exports", "exports.", "export =", "export import"];
    let is_open = foreign.iter().any(|sign| source.text.contains(sign));
    let mut exports = Exports { is_open, ..Exports::default() };
    let Some(tree) = tree::parse(source.language, &source.text) else { return exports };
    tree::walk(tree.root_node(), |visit| {
        let node = visit.node;
        if node.kind() != "export_statement" {
            return;
        }
        let written = text(node, &source.text);
        if written.starts_with("export default") {
            exports.names.insert("default".to_owned());
        }
        exports.is_open |= written.starts_with("export *");
        if let Some(declaration) = node.child_by_field_name("declaration") {
            declared(declaration, source, &mut exports);
        }
        for clause in children(node).into_iter().filter(|child| child.kind() == "export_clause") {
            for specifier in children(clause) {
                let name =
                    specifier.child_by_field_name("alias").or_else(|| specifier.child_by_field_name("name"));
                exports.names.extend(name.map(|n| text(n, &source.text).to_owned()));
            }
        }
    });
    exports
}

/// Names of a declaration: `function f`, `class C`, `const a = 1, b = 2`. Patterns make the module open.
fn declared(declaration: Node<'_>, source: &Source, exports: &mut Exports) {
    if let Some(name) = declaration.child_by_field_name("name") {
        exports.names.insert(text(name, &source.text).to_owned());
        return;
    }
    for declarator in children(declaration).into_iter().filter(|child| child.kind() == "variable_declarator")
    {
        match declarator.child_by_field_name("name") {
            Some(name) if name.kind() == "identifier" => {
                exports.names.insert(text(name, &source.text).to_owned());
            }
            _ => exports.is_open = true,
        }
    }
}

/// Paths that tests ask for in the manner of supertest: `request(app).get('/x')`.
pub fn requested(source: &Source) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    if !is_script(source) || !source.is_test() {
        return found;
    }
    let Some(tree) = tree::parse(source.language, &source.text) else { return found };
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
    let Some(tree) = tree::parse(source.language, &source.text) else { return (routes, prefixes) };
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
