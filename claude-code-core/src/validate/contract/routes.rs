//! The routes that the code answers are those that its README names.

use std::collections::HashSet;

use ruff_python_ast::{Arguments, Expr, ExprCall};
use ruff_text_size::Ranged;

use super::javascript;
use super::module::{Module, Route};
use super::project::Project;
use super::python::text as python_text;
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::source::Source;

/// Methods that decorators and documents name.
pub const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Calls that add a route, whatever their object.
const ADDS: [&str; 7] = [
    "add_url_rule",
    "add_api_route",
    "add_route",
    "add_resource",
    "add_websocket_route",
    "Route",
    "WebSocketRoute",
];

/// Paths that frameworks answer by themselves.
const BUILT_IN: [&str; 5] = ["/docs", "/redoc", "/openapi.json", "/metrics", "/static"];

/// Notes the route or the prefix that a call in Python makes.
pub fn read(module: &mut Module, call: &ExprCall, is_decorator: bool, source: &str) {
    let callee = &source[call.func.range()];
    let name = callee.rsplit('.').next().unwrap_or(callee);
    let keyword = |name| keyword(&call.arguments, name);
    for prefix in ["prefix", "url_prefix", "root_path"].into_iter().filter_map(keyword) {
        module.prefixes.push(python_text::plain(prefix, source));
    }
    let named = ["path", "rule"].into_iter().filter_map(keyword);
    let mut strings =
        call.arguments.args.iter().chain(named).filter_map(|value| python_text::plain(value, source));
    let Some(path) = strings.find(|path| path.starts_with('/') || path.is_empty()) else { return };
    let methods = keyword("methods").map(|list| listed(list, source));
    let verb = name.trim_start_matches("add_").to_ascii_uppercase();
    let is_aiohttp = callee.starts_with("web.") || name.starts_with("add_");
    let is_client =
        callee.rsplit('.').nth(1).is_some_and(|object| object.to_ascii_lowercase().ends_with("client"));
    let offset = call.start().to_usize();
    if is_client && METHODS.contains(&verb.as_str()) && path.starts_with('/') {
        module.requested.push((path, offset));
        return;
    }
    let methods = match name {
        "mount" | "Mount" => return module.prefixes.push(Some(path)),
        "route" if is_decorator => methods.unwrap_or_else(|| vec!["GET".to_owned()]),
        "api_route" | "websocket" if is_decorator => methods.unwrap_or_default(),
        _ if ADDS.contains(&name) => methods.unwrap_or_default(),
        _ if METHODS.contains(&verb.as_str()) && (is_decorator || is_aiohttp) => vec![verb],
        _ => return,
    };
    module.routes.push(Route { path, methods, offset });
}

fn keyword<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a Expr> {
    arguments.find_keyword(name).map(|keyword| &keyword.value)
}

fn listed(list: &Expr, source: &str) -> Vec<String> {
    let items = match list {
        Expr::List(list) => &list.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        Expr::Set(set) => &set.elts,
        _ => return Vec::new(),
    };
    items.iter().filter_map(|item| python_text::plain(item, source)).map(|m| m.to_ascii_uppercase()).collect()
}

/// A route that a document names.
struct Named {
    method: Option<&'static str>,
    path: String,
    line: usize,
    column: usize,
}

/// All routes of the code and the prefixes they may stand under.
struct Served {
    routes: Vec<(usize, Route)>,
    prefixes: Vec<String>,
    /// A prefix is made at run time: only ends of paths can be compared.
    any_prefix: bool,
}

/// Routes that a README names and the code does not answer; those that it leaves out while it names the others; and
/// misspelt ones that tests ask for.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let names_routes = |source: &Source| is_readme(source) || source.is_test();
    let asks = project.read().any(|(.., module)| !module.requested.is_empty());
    if !asks && !project.sources.iter().any(names_routes) {
        return Vec::new();
    }
    let Some(served) = served(project) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (index, source) in project.sources.iter().enumerate() {
        if is_readme(source) {
            let named: Vec<Named> = named(&source.text);
            let missing = document(project, &served, source, &named);
            if missing.is_empty() && !named.is_empty() {
                found.extend(left_out(project, &served, &named));
            }
            found.extend(missing.into_iter().map(|diagnostic| (index, diagnostic)));
        }
        found.extend(requested(project, &served, index, source).into_iter().map(|d| (index, d)));
    }
    found
}

fn is_readme(source: &Source) -> bool {
    source.language == "markdown" && source.name().to_ascii_lowercase().starts_with("readme")
}

/// None where the routes cannot all be known.
fn served(project: &Project) -> Option<Served> {
    let is_code = |s: &Source| matches!(s.language, "python" | "javascript" | "typescript" | "tsx");
    let code = || project.sources.iter().enumerate().filter(|(_, s)| is_code(s) && s.path.is_some());
    if code().any(|(index, source)| !project.sound[index] || source.is_fragment()) {
        return None;
    }
    let mut served = Served { routes: Vec::new(), prefixes: vec![String::new()], any_prefix: false };
    for (index, _, module) in project.read() {
        if module.top_level.contains("urlpatterns") {
            return None;
        }
        for route in &module.routes {
            let route =
                Route { path: route.path.clone(), methods: route.methods.clone(), offset: route.offset };
            served.any_prefix |= route.path.starts_with("{}") || route.path.starts_with("/{}");
            served.routes.push((index, route));
        }
        served.any_prefix |= module.prefixes.contains(&None);
        served.prefixes.extend(module.prefixes.iter().flatten().cloned());
    }
    for (index, source) in code().filter(|(_, source)| source.language != "python") {
        let (routes, prefixes) = javascript::routes(source);
        served.routes.extend(routes.into_iter().map(|route| (index, route)));
        served.prefixes.extend(prefixes);
    }
    served.prefixes.sort();
    served.prefixes.dedup();
    (!served.routes.is_empty()).then_some(served)
}

/// Routes of the code that a document does not name, although all that it names are there.
fn left_out(project: &Project, served: &Served, named: &[Named]) -> Vec<(usize, Diagnostic)> {
    let is_told = |route: &Route| {
        let is_built_in = BUILT_IN.iter().any(|path| route.path.starts_with(path));
        is_built_in || segments(&route.path).is_empty() || named.iter().any(|n| answers(served, route, n))
    };
    let warning = |(index, route): &(usize, Route)| {
        let method = route.methods.first().map_or_else(String::new, |method| format!("{method} "));
        let message = format!("the route `{method}{}` is not in the README, which names others", route.path);
        (*index, project.sources[*index].warning(route.offset, message))
    };
    served.routes.iter().filter(|(_, route)| !is_told(route)).map(warning).collect()
}

/// Paths that a test asks for and no code answers, where one that is answered is near: a path that is far from all may be
/// meant not to be there.
fn requested(project: &Project, served: &Served, index: usize, source: &Source) -> Vec<Diagnostic> {
    let paths = match project.modules.get(&index) {
        Some(module) => module.requested.clone(),
        None => javascript::requested(source),
    };
    let mut found = Vec::new();
    let known: Vec<String> = served.routes.iter().map(|(_, route)| route.path.clone()).collect();
    for (path, offset) in paths {
        let path = path.split(['?', '#']).next().unwrap_or_default().to_owned();
        let after = source.text.get(offset..).unwrap_or("");
        let is_meant = after.lines().take(3).any(|line| line.contains("404"));
        let named = Named { method: None, path, line: 0, column: 0 };
        // A router may answer at its own prefix what is not seen here.
        let is_prefix = served
            .prefixes
            .iter()
            .any(|prefix| prefix.len() > 1 && prefix == named.path.trim_end_matches('/'));
        if is_meant
            || is_prefix
            || segments(&named.path).iter().any(|part| part == "*")
            || is_answered(project, served, &named)
        {
            continue;
        }
        let near = project.hints.of(&named.path, known.iter().map(String::as_str));
        if !near.is_empty() {
            let message = format!("no code answers the path `{}`{near}", named.path);
            found.push(source.at(offset, near.severity(), message));
        }
    }
    found
}

fn document(project: &Project, served: &Served, source: &Source, named: &[Named]) -> Vec<Diagnostic> {
    let is_told = |n: &&Named| !is_answered(project, served, n);
    let missing: Vec<&Named> = named.iter().filter(is_told).collect();
    // A README of which most is not here belongs to a larger project.
    let severity = if missing.len() * 2 > named.len() { Severity::Warning } else { Severity::Error };
    let known: Vec<&str> = served.routes.iter().map(|(_, route)| route.path.as_str()).collect();
    let mut told = HashSet::new();
    missing
        .iter()
        .filter(|n| told.insert((n.method, &n.path)))
        .map(|n| {
            let method = n.method.map_or_else(String::new, |method| format!("{method} "));
            let near = project.hints.of(&n.path, known.iter().copied());
            let message =
                format!("the route `{method}{}` is in the README, but no code answers it{near}", n.path);
            source.on(n.line, n.column, severity, message)
        })
        .collect()
}

fn is_answered(project: &Project, served: &Served, named: &Named) -> bool {
    let built_in =
        BUILT_IN.iter().any(|path| named.path == *path || named.path.starts_with(&format!("{path}/")));
    let quoted = [format!("\"{}\"", named.path), format!("'{}'", named.path)];
    let is_code = |s: &&Source| s.language != "markdown" && s.language != "json";
    // Code that compares paths itself: then the text is somewhere, but not as one of the routes that were read.
    let is_compared = || {
        let texts =
            || project.sources.iter().filter(is_code).filter(|s| !s.is_test()).map(|s| s.text.as_ref());
        let is_route = served.routes.iter().any(|(_, route)| route.path == named.path);
        !is_route && texts().any(|text| quoted.iter().any(|q| text.contains(q)))
    };
    built_in || served.routes.iter().any(|(_, route)| answers(served, route, named)) || is_compared()
}

fn answers(served: &Served, route: &Route, named: &Named) -> bool {
    let method = named.method.is_none_or(|method| {
        let implied = matches!(method, "HEAD" | "OPTIONS") && !route.methods.is_empty();
        route.methods.is_empty() || implied || route.methods.iter().any(|m| m == method)
    });
    let wanted = segments(&named.path);
    let tail = segments(&route.path);
    let under = |first: &String, second: &String| {
        let mut full = segments(first);
        full.extend(segments(second));
        full.extend(tail.iter().cloned());
        is_same(&full, &wanted)
    };
    let exact =
        || served.prefixes.iter().any(|first| served.prefixes.iter().any(|second| under(first, second)));
    let at_end = || wanted.len() >= tail.len() && is_same(&tail, &wanted[wanted.len() - tail.len()..]);
    method && (exact() || served.any_prefix && at_end())
}

/// `{id}`, `<int:id>` and `:id` are all `*`.
fn segments(path: &str) -> Vec<String> {
    let is_parameter = |part: &str| part.starts_with(['{', '<', ':', '$']) || part.contains('{');
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts.map(|part| if is_parameter(part) { "*".to_owned() } else { part.to_owned() }).collect()
}

/// Whether a route of the code takes a path: its parameters take anything.
fn is_same(route: &[String], path: &[String]) -> bool {
    route.len() == path.len() && route.iter().zip(path).all(|(r, p)| r == "*" || r == p)
}

/// `GET /orders/{id}` in any markup, table rows, and URLs of a local server.
fn named(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words: Vec<(usize, &str)> = words(line).collect();
        let method = |at: usize| words.get(at).and_then(|(_, w)| METHODS.iter().find(|m| *m == w)).copied();
        let in_row = line.trim_start().starts_with('|');
        let row_method = (0..words.len()).find_map(method).filter(|_| in_row);
        let posted =
            line.split_once("-X ").and_then(|(_, rest)| METHODS.iter().find(|m| rest.starts_with(**m)));
        for (at, (column, word)) in words.iter().enumerate() {
            let before = at.checked_sub(1).and_then(method);
            let (method, path) = match local_path(word) {
                Some(path) => (posted.copied().or(before), path),
                None if word.starts_with('/') && !word.starts_with("//") => match before.or(row_method) {
                    Some(method) => (Some(method), *word),
                    None => continue,
                },
                None => continue,
            };
            let path =
                path.split(['?', '#']).next().unwrap_or(path).trim_end_matches(['.', ',', ';', ':', '\\']);
            let is_plain =
                path.starts_with('/') && !path.contains("...") && !path.contains('…') && !path.contains('*');
            if is_plain {
                found.push(Named { method, path: path.to_owned(), line: number + 1, column: column + 1 });
            }
        }
    }
    found
}

fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_break = |c: char| c.is_whitespace() || "|`*\"'()[],".contains(c);
    line.split(is_break)
        .filter(|part| !part.is_empty())
        .map(move |part| (part.as_ptr().addr() - line.as_ptr().addr(), part))
}

/// The path of a URL on this machine.
fn local_path(word: &str) -> Option<&str> {
    let rest = word.strip_prefix("http://").or_else(|| word.strip_prefix("https://"))?;
    let is_local = ["localhost", "127.0.0.1", "0.0.0.0"].iter().any(|host| rest.starts_with(host));
    let slash = rest.find('/')?;
    is_local.then(|| &rest[slash..])
}
