//! What Python's parser takes and its compiler refuses: statements out of place, names declared twice.

use std::cell::RefCell;

use ruff_python_ast::visitor::source_order::{self, SourceOrderVisitor};
use ruff_python_ast::{Comprehension, Expr, Parameters, PythonVersion, Stmt, StmtFunctionDef};
use ruff_python_parser::semantic_errors::{
    LazyImportContext, SemanticSyntaxChecker, SemanticSyntaxContext, SemanticSyntaxError,
};
use ruff_text_size::{Ranged, TextRange};

use super::super::{Fault, lowered};

/// What is out of place in a module that its parser takes.
pub fn check(body: &[Stmt], text: &str, is_run_by_cells: bool) -> Vec<Fault> {
    let place = Place {
        text,
        scopes: Vec::new(),
        in_loop: false,
        is_run_by_cells,
        found: RefCell::default(),
        starred: Vec::new(),
    };
    let mut walk = Walk { checker: SemanticSyntaxChecker::new(), place };
    walk.visit_body(body);
    let fault = |told: SemanticSyntaxError| Fault {
        at: told.range.start().to_usize(),
        message: lowered(&told.to_string()),
    };
    let starred = walk
        .place
        .starred
        .into_iter()
        .map(|at| Fault { at, message: "a starred expression is no statement".to_owned() });
    walk.place.found.into_inner().into_iter().map(fault).chain(starred).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Scope {
    Class,
    Function { is_async: bool },
    Lambda,
    Comprehension { is_generator: bool, is_async: bool },
}

impl Scope {
    fn is_code(self) -> bool {
        matches!(self, Scope::Function { .. } | Scope::Lambda)
    }
}

/// Where the walk is.
struct Place<'a> {
    text: &'a str,
    scopes: Vec<Scope>,
    in_loop: bool,
    is_run_by_cells: bool,
    found: RefCell<Vec<SemanticSyntaxError>>,
    /// Statements that are a starred expression.
    starred: Vec<usize>,
}

impl Place<'_> {
    /// The scopes around, the nearest first, up to the first that is no comprehension.
    fn comprehensions(&self) -> impl Iterator<Item = Scope> {
        self.scopes.iter().rev().copied().take_while(|scope| matches!(scope, Scope::Comprehension { .. }))
    }

    /// The nearest scope that is no comprehension.
    fn own(&self) -> Option<Scope> {
        self.scopes.iter().rev().copied().find(|scope| !matches!(scope, Scope::Comprehension { .. }))
    }
}

impl SemanticSyntaxContext for Place<'_> {
    fn future_annotations_or_stub(&self) -> bool {
        false
    }

    fn lazy_import_context(&self) -> Option<LazyImportContext> {
        None
    }

    fn python_version(&self) -> PythonVersion {
        PythonVersion::PY314
    }

    fn source(&self) -> &str {
        self.text
    }

    /// Declarations are not looked up: what is used before them is not told.
    fn global(&self, _: &str) -> Option<TextRange> {
        None
    }

    /// Without a function around there is none to have it.
    fn has_nonlocal_binding(&self, _: &str) -> bool {
        self.scopes.iter().filter(|scope| matches!(scope, Scope::Function { .. })).count() > 1
    }

    fn in_async_context(&self) -> bool {
        self.own() == Some(Scope::Function { is_async: true })
    }

    fn in_await_allowed_context(&self) -> bool {
        self.own().is_some_and(Scope::is_code)
    }

    fn in_yield_allowed_context(&self) -> bool {
        self.scopes.last().is_some_and(|scope| scope.is_code())
    }

    fn in_sync_comprehension(&self) -> bool {
        self.comprehensions().any(|scope| matches!(scope, Scope::Comprehension { is_async: false, .. }))
    }

    fn in_class_body_comprehension(&self) -> bool {
        self.comprehensions().next().is_some() && self.own() == Some(Scope::Class)
    }

    fn in_module_scope(&self) -> bool {
        self.scopes.is_empty()
    }

    fn in_function_scope(&self) -> bool {
        self.scopes.last().is_some_and(|scope| scope.is_code())
    }

    fn in_generator_context(&self) -> bool {
        self.comprehensions().any(|scope| matches!(scope, Scope::Comprehension { is_generator: true, .. }))
    }

    fn in_notebook(&self) -> bool {
        self.is_run_by_cells
    }

    fn report_semantic_error(&self, error: SemanticSyntaxError) {
        self.found.borrow_mut().push(error);
    }

    fn in_loop_context(&self) -> bool {
        self.in_loop
    }

    fn is_bound_parameter(&self, _: &str) -> bool {
        false
    }
}

struct Walk<'a> {
    checker: SemanticSyntaxChecker,
    place: Place<'a>,
}

impl<'a> Walk<'_> {
    /// Visits what stands in a scope.
    fn within(&mut self, scope: Scope, visit: impl FnOnce(&mut Self)) {
        let in_loop = std::mem::replace(&mut self.place.in_loop, false);
        self.place.scopes.push(scope);
        visit(self);
        self.place.scopes.pop();
        self.place.in_loop = in_loop;
    }

    fn looped(&mut self, body: &'a [Stmt]) {
        let before = std::mem::replace(&mut self.place.in_loop, true);
        self.visit_body(body);
        self.place.in_loop = before;
    }

    /// Values and annotations of parameters belong to the scope around.
    fn parameters(&mut self, parameters: &'a Parameters) {
        source_order::walk_parameters(self, parameters);
    }

    fn function(&mut self, node: &'a StmtFunctionDef) {
        node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
        node.type_params.iter().for_each(|types| self.visit_type_params(types));
        self.parameters(&node.parameters);
        node.returns.iter().for_each(|returned| self.visit_annotation(returned));
        self.within(Scope::Function { is_async: node.is_async }, |this| this.visit_body(&node.body));
    }

    /// The first source of values is read in the scope around.
    fn comprehension(
        &mut self,
        is_generator: bool,
        generators: &'a [Comprehension],
        parts: [Option<&'a Expr>; 2],
    ) {
        let is_async = generators.iter().any(|generator| generator.is_async);
        if let Some(first) = generators.first() {
            self.visit_expr(&first.iter);
        }
        self.within(Scope::Comprehension { is_generator, is_async }, |this| {
            for (number, generator) in generators.iter().enumerate() {
                this.visit_expr(&generator.target);
                if number > 0 {
                    this.visit_expr(&generator.iter);
                }
                generator.ifs.iter().for_each(|condition| this.visit_expr(condition));
            }
            parts.into_iter().flatten().for_each(|part| this.visit_expr(part));
        });
    }
}

impl<'a> SourceOrderVisitor<'a> for Walk<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.checker.visit_stmt(stmt, &self.place);
        match stmt {
            Stmt::Expr(node) if node.value.is_starred_expr() => {
                self.place.starred.push(node.start().to_usize())
            }
            Stmt::FunctionDef(node) => self.function(node),
            Stmt::ClassDef(node) => {
                node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                node.type_params.iter().for_each(|types| self.visit_type_params(types));
                node.arguments.iter().for_each(|arguments| self.visit_arguments(arguments));
                self.within(Scope::Class, |this| this.visit_body(&node.body));
            }
            Stmt::For(node) => {
                self.visit_expr(&node.target);
                self.visit_expr(&node.iter);
                self.looped(&node.body);
                self.visit_body(&node.orelse);
            }
            Stmt::While(node) => {
                self.visit_expr(&node.test);
                self.looped(&node.body);
                self.visit_body(&node.orelse);
            }
            _ => source_order::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.checker.visit_expr(expr, &self.place);
        match expr {
            Expr::Lambda(node) => {
                node.parameters.iter().for_each(|parameters| self.parameters(parameters));
                self.within(Scope::Lambda, |this| this.visit_expr(&node.body));
            }
            Expr::ListComp(node) => self.comprehension(false, &node.generators, [Some(&node.elt), None]),
            Expr::SetComp(node) => self.comprehension(false, &node.generators, [Some(&node.elt), None]),
            Expr::Generator(node) => self.comprehension(true, &node.generators, [Some(&node.elt), None]),
            Expr::DictComp(node) => {
                self.comprehension(false, &node.generators, [node.key.as_deref(), Some(&node.value)]);
            }
            _ => source_order::walk_expr(self, expr),
        }
    }
}
