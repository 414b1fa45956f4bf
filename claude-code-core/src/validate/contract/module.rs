//! What a Python module imports, defines and uses.

use std::collections::{HashMap, HashSet};

/// A name that an import binds.
pub struct Import {
    /// The module's dotted name without its leading dots; may be empty after them.
    pub module: String,
    /// The name taken from it; none for `import module`.
    pub name: Option<String>,
    /// The name bound here; `a` for `import a.b`.
    pub bound: String,
    /// Whether `as` gave the name.
    pub aliased: bool,
    /// Leading dots.
    pub level: usize,
    pub offset: usize,
    /// Inside `try`, an `if` or a function: it may be meant to fail, or to run elsewhere.
    pub guarded: bool,
}

/// A class at the top of a module.
#[derive(Default)]
pub struct Class {
    /// Its bases as written, dotted names only; anything else is `?`.
    pub bases: Vec<String>,
    /// Methods, attributes, and what methods set on `self`.
    pub members: HashSet<String>,
    /// Makes its members itself: `__getattr__`, a metaclass, `setattr`.
    pub is_dynamic: bool,
}

/// A call of a method: what it is called on, and where.
pub struct MethodCall {
    pub receiver: Receiver,
    pub method: String,
    pub offset: usize,
}

/// What a method is called on.
pub enum Receiver {
    /// `self` or `cls` in a class.
    Itself(String),
    /// A plain name with its scope, as in `bound`.
    Name(String),
    /// `self.name` in a class.
    Attribute(String, String),
}

/// How a variable got its value, as far as that tells its type.
#[derive(Clone, PartialEq)]
pub enum Typed {
    /// Annotated with this name.
    Annotated(String),
    /// Called: a class or a function.
    Called(String),
    /// A copy of another variable, with its scope.
    Copied(String),
}

/// A string with its place. Interpolations stand as `{}`.
pub struct Text {
    pub text: String,
    pub offset: usize,
    /// The method or function of which it is the first argument.
    pub argument_of: Option<String>,
    pub is_doc: bool,
}

/// A route that the code answers.
pub struct Route {
    pub path: String,
    /// Upper case; empty if any, or unknown.
    pub methods: Vec<String>,
    pub offset: usize,
}

/// Everything read from one module. Offsets are bytes of its text.
#[derive(Default)]
pub struct Module {
    pub imports: Vec<Import>,
    /// Names that can be imported from here.
    pub top_level: HashSet<String>,
    /// How often each name is bound: `name` in any scope, `place/name` in the scope at that place (`/name` at
    /// the top), `Class.name` on `self`.
    pub bound: HashMap<String, usize>,
    /// Names used, with their places.
    pub used: Vec<(String, usize)>,
    /// `object.attribute` with a plain name before the dot.
    pub attributes: Vec<(String, String, usize)>,
    /// Attributes that are set on something else than `self`: a class, a module, an instance.
    pub set: HashSet<String>,
    pub calls: Vec<MethodCall>,
    pub classes: HashMap<String, Class>,
    /// Return annotations of functions at the top, and of methods as `Class.method`.
    pub returns: HashMap<String, String>,
    /// By variable as in `bound`: each way it got a value that tells a type.
    pub typed: HashMap<String, Vec<Typed>>,
    pub texts: Vec<Text>,
    pub routes: Vec<Route>,
    /// Paths that a client is asked for, as tests do it.
    pub requested: Vec<(String, usize)>,
    /// Prefixes of routers; none stands for one that is not a plain string.
    pub prefixes: Vec<Option<String>>,
    /// `from x import *`, or names made at run time.
    pub is_dynamic: bool,
}

impl Module {
    /// Whether it may hold names that cannot be seen.
    pub fn is_open(&self) -> bool {
        self.is_dynamic || self.top_level.contains("__getattr__")
    }

    /// The one type of a variable, if all its values tell the same. What its own scope does not bind is looked up
    /// at the top, if nothing but the top binds it.
    pub fn type_of(&self, key: &str) -> Option<&Typed> {
        let count = |key: &str| self.bound.get(key).copied().unwrap_or(0);
        let top = key.split_once('/').map(|(_, name)| (name, format!("/{name}")));
        let key = match &top {
            Some((name, top)) if count(key) == 0 && count(name) == count(top) => top.as_str(),
            _ => key,
        };
        let typed = self.typed.get(key)?;
        let first = typed.first()?;
        (typed.len() == count(key) && typed.iter().all(|one| one == first)).then_some(first)
    }

    /// The plain names that are bound.
    pub fn bound_names(&self) -> impl Iterator<Item = &str> {
        self.bound.keys().map(String::as_str).filter(|name| !name.contains(['/', '.']))
    }
}
