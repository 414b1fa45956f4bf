//! Reads a Python module from its tree: one walk, in the order of the text.

use ruff_python_ast::visitor::source_order::{self, SourceOrderVisitor};
use ruff_python_ast::{
    ArgOrKeyword, Decorator, ExceptHandler, Expr, ExprCall, ExprContext, ExprLambda, Parameter, Pattern,
    Stmt, StmtClassDef, StmtFunctionDef, StmtImport, StmtImportFrom, StmtWith, TypeParam,
};
use ruff_text_size::{Ranged, TextRange};

use super::super::module::{Class, Import, Module, Text, Typed};
use super::text;

/// Everything that the checks need of a module.
pub fn read(body: &[Stmt], source: &str) -> Module {
    let module = Module::default();
    let mut reader = Reader { module, source, scopes: Vec::new(), conditions: 0, decorator: None };
    reader.visit_body(body);
    reader.module
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Function,
    Class,
    Lambda,
}

/// A function, class or lambda around the place that is read.
pub(super) struct Scope<'a> {
    pub(super) kind: Kind,
    start: usize,
    name: &'a str,
}

/// A walk through a module.
pub(super) struct Reader<'a> {
    pub(super) module: Module,
    pub(super) source: &'a str,
    pub(super) scopes: Vec<Scope<'a>>,
    /// How many statements are around this place that may leave it out.
    conditions: usize,
    /// The decorator that is read, if it is a call.
    pub(super) decorator: Option<TextRange>,
}

impl<'a> Reader<'a> {
    pub(super) fn text(&self, node: &impl Ranged) -> &'a str {
        &self.source[node.range()]
    }

    fn is_in_function(&self) -> bool {
        self.scopes.iter().any(|scope| scope.kind == Kind::Function)
    }

    /// The class at the top of the module in which this place is: one within a function has what its bases have, and its
    /// name may be that of another.
    pub(super) fn class_around(&self) -> Option<&'a str> {
        let (outer, inner) = self.scopes.split_first()?;
        let is_only = outer.kind == Kind::Class && !inner.iter().any(|scope| scope.kind == Kind::Class);
        is_only.then_some(outer.name)
    }

    /// Whether `self` is that of the class around: functions within its methods may have another one.
    pub(super) fn is_own_self(&self) -> bool {
        let inner = self.scopes.iter().rev().take_while(|scope| scope.kind != Kind::Class);
        inner.filter(|scope| scope.kind == Kind::Function).count() <= 1
    }

    /// A name where it stands: with the place of its function or class; `/name` at the top.
    pub(super) fn here(&self, name: &str) -> String {
        self.scopes.last().map_or_else(|| format!("/{name}"), |scope| format!("{}/{name}", scope.start))
    }

    fn bind(&mut self, name: &str) {
        let here = self.here(name);
        count(&mut self.module, name);
        *self.module.bound.entry(here).or_default() += 1;
        if self.scopes.is_empty() {
            self.at_top(name);
        }
    }

    fn at_top(&mut self, name: &str) {
        if !self.module.top_level.contains(name) {
            self.module.top_level.insert(name.to_owned());
        }
    }

    pub(super) fn class(&mut self, name: &str) -> &mut Class {
        self.module.classes.entry(name.to_owned()).or_default()
    }

    /// Visits what is in a scope, and leaves it.
    fn within(&mut self, kind: Kind, node: &impl Ranged, name: &'a str, visit: impl FnOnce(&mut Self)) {
        self.scopes.push(Scope { kind, start: node.start().to_usize(), name });
        visit(self);
        self.scopes.pop();
    }

    fn guarded(&mut self, visit: impl FnOnce(&mut Self)) {
        self.conditions += 1;
        visit(self);
        self.conditions -= 1;
    }

    fn plain_import(&mut self, node: &StmtImport) {
        for alias in &node.names {
            let name = alias.name.as_str();
            let first = name.split('.').next().unwrap_or(name);
            let bound = alias.asname.as_deref().unwrap_or(first);
            self.import(name, None, bound, alias.asname.is_some(), 0, alias.start().to_usize());
        }
    }

    fn import_from(&mut self, node: &StmtImportFrom) {
        let module = node.module.as_deref().unwrap_or("");
        if module == "__future__" {
            return;
        }
        for alias in &node.names {
            let name = alias.name.as_str();
            if name == "*" {
                self.module.is_dynamic = true;
                continue;
            }
            let bound = alias.asname.as_deref().unwrap_or(name);
            let level = usize::try_from(node.level).unwrap_or(usize::MAX);
            let at = alias.start().to_usize();
            self.import(module, Some(name), bound, alias.asname.is_some(), level, at);
        }
    }

    fn import(
        &mut self,
        module: &str,
        name: Option<&str>,
        bound: &str,
        aliased: bool,
        level: usize,
        at: usize,
    ) {
        self.bind(bound);
        let guarded = self.conditions > 0 || self.is_in_function();
        self.module.imports.push(Import {
            module: module.to_owned(),
            name: name.map(str::to_owned),
            bound: bound.to_owned(),
            aliased,
            level,
            offset: at,
            guarded,
        });
    }

    /// Notes a string, and visits the values in it.
    fn string(&mut self, expr: &'a Expr, argument_of: Option<&str>, is_doc: bool) {
        if let Some(text) = text::plain(expr, self.source) {
            let argument_of = argument_of.map(str::to_owned);
            let offset = expr.start().to_usize();
            self.module.texts.push(Text { text, offset, argument_of, is_doc });
        }
        if matches!(expr, Expr::FString(_) | Expr::TString(_)) {
            source_order::walk_expr(self, expr);
        }
    }

    fn arguments(&mut self, node: &'a ExprCall) {
        let callee = self.text(&*node.func);
        let name = callee.rsplit('.').next().unwrap_or("");
        for (number, argument) in node.arguments.iter_source_order().enumerate() {
            match argument {
                ArgOrKeyword::Arg(value) if number == 0 && text::is_string(value) => {
                    self.string(value, Some(name), false);
                }
                ArgOrKeyword::Arg(value) => self.visit_expr(value),
                ArgOrKeyword::Keyword(keyword) => self.visit_expr(&keyword.value),
            }
        }
    }

    fn lambda(&mut self, node: &'a ExprLambda) {
        self.within(Kind::Lambda, node, "", |this| {
            if let Some(parameters) = &node.parameters {
                this.visit_parameters(parameters);
            }
            this.visit_expr(&node.body);
        });
    }

    fn function_body(&mut self, node: &'a StmtFunctionDef) {
        node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
        self.function(node);
        self.bind(&node.name);
        self.within(Kind::Function, node, &node.name, |this| {
            node.type_params.iter().for_each(|types| this.visit_type_params(types));
            this.visit_parameters(&node.parameters);
            node.returns.iter().for_each(|returned| this.visit_annotation(returned));
            this.visit_body(&node.body);
        });
    }

    fn class_body(&mut self, node: &'a StmtClassDef) {
        node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
        self.class_definition(node);
        self.bind(&node.name);
        self.within(Kind::Class, node, &node.name, |this| {
            node.type_params.iter().for_each(|types| this.visit_type_params(types));
            node.arguments.iter().for_each(|arguments| this.visit_arguments(arguments));
            this.visit_body(&node.body);
        });
    }

    /// `with suppress(ImportError):` may leave its body out, as `try` does.
    fn is_suppressing(&self, node: &StmtWith) -> bool {
        node.items.iter().any(|item| self.text(&item.context_expr).contains("suppress("))
    }
}

/// Counts one more binding of a name.
pub(super) fn count(module: &mut Module, name: &str) {
    match module.bound.get_mut(name) {
        Some(times) => *times += 1,
        None => drop(module.bound.insert(name.to_owned(), 1)),
    }
}

impl<'a> SourceOrderVisitor<'a> for Reader<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(node) => self.plain_import(node),
            Stmt::ImportFrom(node) => self.import_from(node),
            Stmt::Global(node) => node.names.iter().for_each(|name| {
                self.bind(name);
                self.at_top(name);
            }),
            Stmt::Nonlocal(node) => node.names.iter().for_each(|name| self.bind(name)),
            Stmt::FunctionDef(node) => self.function_body(node),
            Stmt::ClassDef(node) => self.class_body(node),
            Stmt::If(_) | Stmt::Try(_) => self.guarded(|this| source_order::walk_stmt(this, stmt)),
            Stmt::With(node) if self.is_suppressing(node) => {
                self.guarded(|this| source_order::walk_stmt(this, stmt));
            }
            Stmt::Expr(node) if text::is_string(&node.value) => self.string(&node.value, None, true),
            Stmt::AugAssign(node) => {
                match &*node.target {
                    Expr::Name(name) => {
                        self.module.used.push((name.id.to_string(), name.start().to_usize()));
                    }
                    Expr::Attribute(target) => {
                        self.attribute(target, false);
                        self.visit_expr(&target.value);
                    }
                    other => self.visit_expr(other),
                }
                self.visit_expr(&node.value);
            }
            Stmt::Assign(node) => {
                for target in &node.targets {
                    self.assignment(target, None, Some(&node.value));
                }
                source_order::walk_stmt(self, stmt);
            }
            Stmt::AnnAssign(node) => {
                self.assignment(&node.target, Some(&node.annotation), node.value.as_deref());
                source_order::walk_stmt(self, stmt);
            }
            _ => source_order::walk_stmt(self, stmt),
        }
    }

    fn visit_decorator(&mut self, decorator: &'a Decorator) {
        self.decorator = Some(decorator.expression.range());
        self.visit_expr(&decorator.expression);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx == ExprContext::Store => self.bind(&name.id),
            Expr::Name(name) => self.module.used.push((name.id.to_string(), name.start().to_usize())),
            Expr::Attribute(node) => {
                self.attribute(node, node.ctx == ExprContext::Store);
                self.visit_expr(&node.value);
            }
            Expr::Call(node) => {
                self.call(node);
                self.visit_expr(&node.func);
                self.arguments(node);
            }
            Expr::Lambda(node) => self.lambda(node),
            expr if text::is_string(expr) => self.string(expr, None, false),
            _ => source_order::walk_expr(self, expr),
        }
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.bind(&parameter.name);
        if let Some(annotation) = &parameter.annotation {
            let typed = Typed::Annotated(self.text(annotation.as_ref()).to_owned());
            let here = self.here(&parameter.name);
            self.module.typed.entry(here).or_default().push(typed);
            self.visit_annotation(annotation);
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        inner.name.iter().for_each(|name| self.bind(name));
        source_order::walk_except_handler(self, handler);
    }

    fn visit_type_param(&mut self, parameter: &'a TypeParam) {
        self.bind(parameter.name());
        source_order::walk_type_param(self, parameter);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(node) => node.name.as_ref(),
            Pattern::MatchStar(node) => node.name.as_ref(),
            Pattern::MatchMapping(node) => node.rest.as_ref(),
            _ => None,
        };
        name.into_iter().for_each(|name| self.bind(name));
        source_order::walk_pattern(self, pattern);
    }
}
