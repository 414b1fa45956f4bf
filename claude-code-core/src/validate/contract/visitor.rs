//! Reads a Python module from its tree.

use tree_sitter::Node;

use super::module::{Class, Import, MethodCall, Module, Receiver, Text, Typed};
use super::routes;
use crate::validate::tree::{self, Visit, children, text};

const SCOPES: [&str; 3] = ["function_definition", "class_definition", "lambda"];

/// Everything that the checks need of a module.
pub fn read(root: Node<'_>, source: &str) -> Module {
    let mut module = Module::default();
    tree::walk(root, |visit| match visit.kind {
        "identifier" => identifier(&mut module, visit, source),
        "import_statement" | "import_from_statement" => import(&mut module, visit, source),
        "class_definition" => class(&mut module, visit, source),
        "function_definition" => function(&mut module, visit, source),
        "assignment" => assignment(&mut module, visit, source),
        "typed_parameter" | "typed_default_parameter" => parameter(&mut module, visit, source),
        "attribute" => attribute(&mut module, visit, source),
        "call" => call(&mut module, visit, source),
        "string" if visit.up(0) != "concatenated_string" => string(&mut module, visit, source),
        "concatenated_string" => string(&mut module, visit, source),
        _ => {}
    });
    module
}

/// What an identifier does where it stands.
#[derive(PartialEq)]
enum Role {
    Binds,
    Uses,
    Neither,
}

fn role(visit: &Visit<'_, '_>) -> Role {
    let field = visit.field.unwrap_or("");
    // `case C() as name`: the last word of a pattern; in other places the target has a node of its own.
    if visit.up(0) == "as_pattern" && is_last(visit) || is_within_target(visit) {
        return Role::Binds;
    }
    match (visit.up(0), field) {
        ("attribute", "attribute") | ("keyword_argument", "name") | ("member_type", _) => Role::Neither,
        ("dotted_name" | "aliased_import" | "relative_import", _) if is_import(visit) => Role::Neither,
        ("dotted_name" | "case_pattern" | "class_pattern" | "keyword_pattern" | "splat_pattern", _) => {
            Role::Binds
        }
        (
            "function_definition" | "class_definition" | "default_parameter" | "typed_default_parameter",
            "name",
        )
        | ("named_expression", "name")
        | ("assignment" | "for_statement" | "for_in_clause", "left")
        | ("as_pattern_target" | "global_statement" | "nonlocal_statement", _)
        | ("as_pattern" | "except_clause", "alias")
        | ("parameters" | "lambda_parameters" | "list_splat_pattern" | "dictionary_splat_pattern", _)
        | ("tuple_pattern" | "pattern_list" | "list_pattern", _) => Role::Binds,
        ("typed_parameter", field) if field != "type" => Role::Binds,
        _ if is_type_parameter(visit) => Role::Binds,
        _ => Role::Uses,
    }
}

/// `with f() as (a, b)`: the names of a tuple.
fn is_within_target(visit: &Visit<'_, '_>) -> bool {
    let mut above = visit.ancestors().skip_while(|node| {
        matches!(node.kind(), "tuple" | "list" | "list_splat" | "parenthesized_expression")
    });
    above.next().is_some_and(|node| node.kind() == "as_pattern_target")
}

fn is_last(visit: &Visit<'_, '_>) -> bool {
    let parent = visit.above.last();
    parent.is_some_and(|parent| {
        parent.end_byte() == visit.node.end_byte() && parent.start_byte() < visit.node.start_byte()
    })
}

fn is_import(visit: &Visit<'_, '_>) -> bool {
    visit.enclosing(&["import_statement", "import_from_statement", "future_import_statement"]).is_some()
}

/// `def f[T](…)`, `class C[T]`, `type X = …`.
fn is_type_parameter(visit: &Visit<'_, '_>) -> bool {
    let mut above = visit.ancestors().skip_while(|node| node.kind() != "type_parameter");
    let owner = above.nth(1).map(|node| node.kind());
    matches!(owner, Some("function_definition" | "class_definition"))
        || visit.enclosing(&["type_alias_statement"]).is_some()
}

fn identifier(module: &mut Module, visit: &Visit<'_, '_>, source: &str) {
    let name = text(visit.node, source);
    match role(visit) {
        Role::Uses => {
            module.used.push((name.to_owned(), visit.node.start_byte()));
            if matches!(name, "globals" | "exec" | "setattr") && visit.up(0) == "call" {
                module.is_dynamic |= name != "setattr";
            }
        }
        Role::Binds => bind(module, visit, name),
        Role::Neither => {}
    }
}

fn bind(module: &mut Module, visit: &Visit<'_, '_>, name: &str) {
    let owns = visit.field == Some("name") && SCOPES.contains(&visit.up(0));
    let mut scopes = visit.ancestors().filter(|node| SCOPES.contains(&node.kind()));
    let scope = if owns { scopes.nth(1) } else { scopes.next() };
    *module.bound.entry(name.to_owned()).or_default() += 1;
    *module.bound.entry(scoped(scope, name)).or_default() += 1;
    if scope.is_none() || visit.up(0) == "global_statement" {
        module.top_level.insert(name.to_owned());
    }
}

/// A name with the place of its function or class; `/name` at the top.
fn scoped(scope: Option<Node<'_>>, name: &str) -> String {
    scope.map_or_else(|| format!("/{name}"), |scope| format!("{}/{name}", scope.start_byte()))
}

/// A name where a node stands.
fn here(visit: &Visit<'_, '_>, name: &str) -> String {
    scoped(visit.enclosing(&SCOPES), name)
}

fn import(module: &mut Module, visit: &Visit<'_, '_>, source: &str) {
    let node = visit.node;
    let from = node.child_by_field_name("module_name").map(|n| text(n, source));
    let guarded = visit.enclosing(&["try_statement", "if_statement", "function_definition"]).is_some();
    let at_top = visit.enclosing(&SCOPES).is_none();
    let mut cursor = node.walk();
    for part in node.children_by_field_name("name", &mut cursor) {
        let name = part.child_by_field_name("name").map_or(text(part, source), |n| text(n, source));
        let alias = part.child_by_field_name("alias").map(|n| text(n, source));
        let first = name.split('.').next().unwrap_or(name);
        let bound = alias.unwrap_or(if from.is_some() { name } else { first });
        *module.bound.entry(bound.to_owned()).or_default() += 1;
        *module.bound.entry(here(visit, bound)).or_default() += 1;
        if at_top {
            module.top_level.insert(bound.to_owned());
        }
        let dotted = from.unwrap_or(name);
        module.imports.push(Import {
            module: dotted.trim_start_matches('.').to_owned(),
            name: from.map(|_| name.to_owned()),
            bound: bound.to_owned(),
            aliased: alias.is_some(),
            level: dotted.len() - dotted.trim_start_matches('.').len(),
            offset: part.start_byte(),
            guarded,
        });
    }
    module.is_dynamic |= children(node).iter().any(|child| child.kind() == "wildcard_import");
}

/// The class in which a node stands, if that is at the top of the module: one within a function has what its bases have,
/// and its name may be that of another.
fn class_around(visit: &Visit<'_, '_>, source: &str) -> Option<String> {
    let classes: Vec<Node<'_>> = visit.ancestors().filter(|n| n.kind() == "class_definition").collect();
    let [class] = classes.as_slice() else { return None };
    let mut outer = visit.ancestors().skip_while(|node| node.id() != class.id()).skip(1);
    if outer.any(|node| matches!(node.kind(), "function_definition" | "lambda")) {
        return None;
    }
    class.child_by_field_name("name").map(|name| text(name, source).to_owned())
}

fn class(module: &mut Module, visit: &Visit<'_, '_>, source: &str) {
    let Some(name) = visit.node.child_by_field_name("name").map(|n| text(n, source)) else { return };
    if let Some(outer) = class_around(visit, source) {
        module.classes.entry(outer).or_default().members.insert(name.to_owned());
    }
    if visit.enclosing(&SCOPES).is_some() {
        return;
    }
    let bases = visit.node.child_by_field_name("superclasses").map(children).unwrap_or_default();
    let class = module.classes.entry(name.to_owned()).or_default();
    class.is_dynamic |= is_transformed(visit, source);
    for base in bases.iter().filter(|base| base.kind() != "comment") {
        let plain = matches!(base.kind(), "identifier" | "attribute");
        class.bases.push(if plain { text(*base, source).to_owned() } else { "?".to_owned() });
    }
}

/// Whether a decorator may add members.
fn is_transformed(visit: &Visit<'_, '_>, source: &str) -> bool {
    let decorated = visit.above.last().filter(|parent| parent.kind() == "decorated_definition");
    let decorators = decorated.map(|parent| children(*parent)).unwrap_or_default();
    let known = ["dataclass", "final", "total_ordering", "runtime_checkable", "unique"];
    decorators.iter().filter(|node| node.kind() == "decorator").any(|node| {
        let name = text(*node, source).trim_start_matches('@').split('(').next().unwrap_or("");
        !known.contains(&name.rsplit('.').next().unwrap_or(name))
    })
}

fn function(module: &mut Module, visit: &Visit<'_, '_>, source: &str) {
    let Some(name) = visit.node.child_by_field_name("name").map(|n| text(n, source)) else { return };
    let scope = visit.enclosing(&SCOPES).map(|node| node.kind());
    let class = class_around(visit, source).filter(|_| scope == Some("class_definition"));
    if let Some(class) = &class {
        let class: &mut Class = module.classes.entry(class.clone()).or_default();
        class.members.insert(name.to_owned());
        class.is_dynamic |= matches!(name, "__getattr__" | "__getattribute__");
    }
    let returned = visit.node.child_by_field_name("return_type").map(|n| text(n, source));
    let is_plain = |t: &&str| t.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let decorated = visit.up(0) == "decorated_definition";
    let key = match (scope, class) {
        (None, _) => name.to_owned(),
        (_, Some(class)) => format!("{class}.{name}"),
        _ => return,
    };
    if let (Some(returned), false) = (returned.filter(is_plain), decorated) {
        module.returns.insert(key, returned.to_owned());
    }
}

/// `x = Class(…)`, `x: Class = …`, `self.x = …` in a class.
fn assignment(module: &mut Module, visit: &Visit<'_, '_>, source: &str) {
    let Some(left) = visit.node.child_by_field_name("left") else { return };
    let Some(key) = assigned(module, visit, left, source) else { return };
    let right = visit.node.child_by_field_name("right");
    let annotation = visit.node.child_by_field_name("type");
    let value = match (annotation, right.map(|r| (r.kind(), r))) {
        (Some(annotation), _) => Some(Typed::Annotated(text(annotation, source).to_owned())),
        (None, Some(("call", call))) => call
            .child_by_field_name("function")
            .map(|function| Typed::Called(callee(visit, text(function, source), source))),
        (None, Some(("identifier", name))) => Some(Typed::Copied(here(visit, text(name, source)))),
        _ => None,
    };
    module.typed.entry(key).or_default().extend(value);
}

/// What is called, with `self` as the class it stands for.
fn callee(visit: &Visit<'_, '_>, written: &str, source: &str) -> String {
    match (written.strip_prefix("self."), class_around(visit, source)) {
        (Some(method), Some(class)) => format!("{class}.{method}"),
        _ => written.to_owned(),
    }
}

/// The variable or attribute that is assigned to, noted as a member where it is one of a class.
fn assigned(module: &mut Module, visit: &Visit<'_, '_>, left: Node<'_>, source: &str) -> Option<String> {
    let class = class_around(visit, source);
    let in_class = visit.enclosing(&SCOPES).is_some_and(|node| node.kind() == "class_definition");
    let written = text(left, source);
    match (left.kind(), class) {
        ("identifier", class) => {
            if let Some(class) = class.filter(|_| in_class) {
                module.classes.entry(class).or_default().members.insert(written.to_owned());
            }
            Some(here(visit, written))
        }
        ("attribute", Some(class)) => {
            let name = written.strip_prefix("self.").filter(|n| !n.contains('.'))?;
            let key = format!("{class}.{name}");
            module.classes.entry(class).or_default().members.insert(name.to_owned());
            *module.bound.entry(key.clone()).or_default() += 1;
            Some(key)
        }
        ("pattern_list" | "tuple_pattern", Some(class)) => {
            let names =
                children(left).into_iter().filter_map(|part| text(part, source).strip_prefix("self."));
            module.classes.entry(class).or_default().members.extend(names.map(str::to_owned));
            None
        }
        _ => None,
    }
}

fn parameter(module: &mut Module, visit: &Visit<'_, '_>, source: &str) {
    let name = visit.node.child_by_field_name("name").or_else(|| visit.node.named_child(0));
    let annotation = visit.node.child_by_field_name("type");
    if let (Some(name), Some(annotation)) = (name.filter(|n| n.kind() == "identifier"), annotation) {
        let typed = Typed::Annotated(text(annotation, source).to_owned());
        module.typed.entry(here(visit, text(name, source))).or_default().push(typed);
    }
}

fn attribute(module: &mut Module, visit: &Visit<'_, '_>, source: &str) {
    let (Some(object), Some(attribute)) =
        (visit.node.child_by_field_name("object"), visit.node.child_by_field_name("attribute"))
    else {
        return;
    };
    let name = text(attribute, source).to_owned();
    let is_target = visit.up(0) == "assignment" && visit.field == Some("left");
    let is_set = is_target || matches!(visit.up(0), "pattern_list" | "tuple_pattern");
    if is_set && !matches!(text(object, source), "self" | "cls") {
        module.set.insert(name);
    } else if object.kind() == "identifier" && !is_set {
        module.attributes.push((text(object, source).to_owned(), name, attribute.start_byte()));
    }
}

fn call(module: &mut Module, visit: &Visit<'_, '_>, source: &str) {
    routes::read(module, visit, source);
    let Some(function) = visit.node.child_by_field_name("function").filter(|f| f.kind() == "attribute")
    else {
        let callee = visit.node.child_by_field_name("function").map_or("", |f| text(f, source));
        match (callee, class_around(visit, source)) {
            ("setattr", Some(class)) => module.classes.entry(class).or_default().is_dynamic = true,
            ("setattr", None) => module.set.extend(second_string(visit, source)),
            _ => {}
        }
        return;
    };
    let (Some(object), Some(method)) =
        (function.child_by_field_name("object"), function.child_by_field_name("attribute"))
    else {
        return;
    };
    let is_own = is_own_self(visit);
    let receiver = match (text(object, source), object.kind(), class_around(visit, source)) {
        ("self" | "cls", _, Some(_)) if !is_own => return,
        ("self" | "cls", _, Some(class)) => Receiver::Itself(class),
        (name, "identifier", _) => Receiver::Name(here(visit, name)),
        (_, "attribute", Some(_)) if !is_own => return,
        (name, "attribute", Some(class)) => match name.strip_prefix("self.").filter(|n| !n.contains('.')) {
            Some(name) => Receiver::Attribute(class, name.to_owned()),
            None => return,
        },
        _ => return,
    };
    module.calls.push(MethodCall {
        receiver,
        method: text(method, source).to_owned(),
        offset: method.start_byte(),
    });
}

/// Whether `self` is that of the class around: functions within its methods may have another one.
fn is_own_self(visit: &Visit<'_, '_>) -> bool {
    let mut functions = visit.ancestors().take_while(|node| node.kind() != "class_definition");
    functions.by_ref().filter(|node| node.kind() == "function_definition").count() <= 1
}

/// The second argument of a call, if it is a string.
fn second_string(visit: &Visit<'_, '_>, source: &str) -> Option<String> {
    let arguments = visit.node.child_by_field_name("arguments").map(children)?;
    arguments.get(1).filter(|node| node.kind() == "string").map(|node| string_text(*node, source))
}

fn string(module: &mut Module, visit: &Visit<'_, '_>, source: &str) {
    let in_call = visit.up(0) == "argument_list" && visit.up(1) == "call";
    let call = in_call.then(|| visit.above[visit.above.len() - 2]);
    let is_first =
        visit.above.last().and_then(|list| list.named_child(0)).is_some_and(|n| n.id() == visit.node.id());
    let callee = call.filter(|_| is_first).and_then(|call| call.child_by_field_name("function"));
    module.texts.push(Text {
        text: string_text(visit.node, source),
        offset: visit.node.start_byte(),
        argument_of: callee.map(|f| text(f, source).rsplit('.').next().unwrap_or("").to_owned()),
        is_doc: visit.up(0) == "expression_statement",
    });
}

/// The content of a string, or of several beside each other.
pub fn string_text(node: Node<'_>, source: &str) -> String {
    if node.kind() == "concatenated_string" {
        return children(node).into_iter().map(|part| string_text(part, source)).collect();
    }
    let part = |child: Node<'_>| match child.kind() {
        "string_content" => text(child, source).to_owned(),
        "interpolation" => "{}".to_owned(),
        _ => String::new(),
    };
    children(node).into_iter().map(part).collect()
}
