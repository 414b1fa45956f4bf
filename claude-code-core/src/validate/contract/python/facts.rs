//! What the definitions, assignments and calls of a Python module tell.

use ruff_python_ast::{ArgOrKeyword, Expr, ExprAttribute, ExprCall, StmtClassDef, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::super::module::{MethodCall, Receiver, Typed};
use super::super::routes;
use super::text;
use super::visitor::{Kind, Reader, count};

impl<'a> Reader<'a> {
    pub(super) fn class_definition(&mut self, node: &'a StmtClassDef) {
        let name = node.name.as_str();
        if let Some(outer) = self.class_around() {
            self.class(outer).members.insert(name.to_owned());
        }
        if !self.scopes.is_empty() {
            return;
        }
        let is_transformed = node.decorator_list.iter().any(|one| may_add_members(self.text(one)));
        let arguments = node.arguments.iter().flat_map(|arguments| arguments.iter_source_order());
        let base = |argument| match argument {
            ArgOrKeyword::Arg(base @ (Expr::Name(_) | Expr::Attribute(_))) => self.text(base).to_owned(),
            _ => "?".to_owned(),
        };
        let bases: Vec<String> = arguments.map(base).collect();
        let class = self.class(name);
        class.is_dynamic |= is_transformed;
        class.bases.extend(bases);
    }

    pub(super) fn function(&mut self, node: &StmtFunctionDef) {
        let name = node.name.as_str();
        let scope = self.scopes.last().map(|scope| scope.kind);
        let class = self.class_around().filter(|_| scope == Some(Kind::Class));
        if let Some(class) = class {
            let class = self.class(class);
            class.members.insert(name.to_owned());
            class.is_dynamic |= matches!(name, "__getattr__" | "__getattribute__");
        }
        let key = match (scope, class) {
            (None, _) => name.to_owned(),
            (_, Some(class)) => format!("{class}.{name}"),
            _ => return,
        };
        let is_plain = |t: &&str| t.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
        let returned = node.returns.as_deref().map(|returned| self.text(returned)).filter(is_plain);
        if let (Some(returned), true) = (returned, node.decorator_list.is_empty()) {
            self.module.returns.insert(key, returned.to_owned());
        }
    }

    /// `x = Class(…)`, `x: Class = …`, `self.x = …` in a class.
    pub(super) fn assignment(&mut self, left: &Expr, annotation: Option<&Expr>, value: Option<&Expr>) {
        let Some(key) = self.assigned(left) else { return };
        let typed = match (annotation, value) {
            (Some(annotation), _) => Some(Typed::Annotated(self.text(annotation).to_owned())),
            (None, Some(Expr::Call(call))) => Some(Typed::Called(self.callee(self.text(&*call.func)))),
            (None, Some(Expr::Name(name))) => Some(Typed::Copied(self.here(&name.id))),
            _ => None,
        };
        self.module.typed.entry(key).or_default().extend(typed);
    }

    /// What is called, with `self` as the class it stands for.
    fn callee(&self, written: &str) -> String {
        match (written.strip_prefix("self."), self.class_around()) {
            (Some(method), Some(class)) => format!("{class}.{method}"),
            _ => written.to_owned(),
        }
    }

    /// The variable or attribute that is assigned to, noted as a member where it is one of a class.
    fn assigned(&mut self, left: &Expr) -> Option<String> {
        let class = self.class_around();
        match (left, class) {
            (Expr::Name(name), class) => {
                let in_class = self.scopes.last().is_some_and(|scope| scope.kind == Kind::Class);
                if let Some(class) = class.filter(|_| in_class) {
                    self.class(class).members.insert(name.id.to_string());
                }
                Some(self.here(&name.id))
            }
            (left, Some(class)) if own_attribute(left).is_some() => {
                let name = own_attribute(left)?;
                let key = format!("{class}.{name}");
                self.class(class).members.insert(name.to_owned());
                count(&mut self.module, &key);
                Some(key)
            }
            (Expr::Tuple(_) | Expr::List(_), Some(class)) => {
                let parts = match left {
                    Expr::Tuple(tuple) => &tuple.elts,
                    Expr::List(list) => &list.elts,
                    _ => return None,
                };
                let names = parts.iter().filter_map(own_attribute).map(str::to_owned);
                self.class(class).members.extend(names);
                None
            }
            _ => None,
        }
    }

    pub(super) fn attribute(&mut self, node: &ExprAttribute, is_set: bool) {
        let object = if let Expr::Name(name) = &*node.value { Some(name.id.as_str()) } else { None };
        match object {
            Some("self" | "cls") if is_set => {}
            _ if is_set => drop(self.module.set.insert(node.attr.to_string())),
            Some(object) => {
                let at = node.attr.start().to_usize();
                self.module.attributes.push((object.to_owned(), node.attr.to_string(), at));
            }
            None => {}
        }
    }

    pub(super) fn call(&mut self, node: &'a ExprCall) {
        routes::read(&mut self.module, node, self.decorator == Some(node.range()), self.source);
        let function = match &*node.func {
            Expr::Attribute(function) => function,
            Expr::Name(name) => return self.call_of_name(name.id.as_str(), node),
            _ => return,
        };
        let class = self.class_around();
        let receiver = match (&*function.value, class) {
            (Expr::Name(object), Some(class)) if matches!(object.id.as_str(), "self" | "cls") => {
                Receiver::Itself(class.to_owned())
            }
            (Expr::Name(object), _) => Receiver::Name(self.here(&object.id)),
            (object, Some(class)) => match own_attribute(object) {
                Some(name) => Receiver::Attribute(class.to_owned(), name.to_owned()),
                None => return,
            },
            _ => return,
        };
        if !matches!(receiver, Receiver::Name(_)) && !self.is_own_self() {
            return;
        }
        let (method, offset) = (function.attr.to_string(), function.attr.start().to_usize());
        self.module.calls.push(MethodCall { receiver, method, offset });
    }

    fn call_of_name(&mut self, name: &str, node: &ExprCall) {
        match (name, self.class_around()) {
            ("globals" | "exec", _) => self.module.is_dynamic = true,
            ("setattr", Some(class)) => self.class(class).is_dynamic = true,
            ("setattr", None) => {
                let second = node.arguments.args.get(1).and_then(|value| text::plain(value, self.source));
                self.module.set.extend(second);
            }
            _ => {}
        }
    }
}

/// `self.name`
fn own_attribute(expr: &Expr) -> Option<&str> {
    let Expr::Attribute(node) = expr else { return None };
    matches!(&*node.value, Expr::Name(object) if object.id.as_str() == "self").then_some(node.attr.as_str())
}

/// Whether a decorator of a class may add members.
fn may_add_members(written: &str) -> bool {
    let known = ["dataclass", "final", "total_ordering", "runtime_checkable", "unique"];
    let name = written.trim_start_matches('@').split('(').next().unwrap_or("");
    !known.contains(&name.rsplit('.').next().unwrap_or(name).trim())
}
