//! The files of an answer as a project: which module is where.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::module::{Class, Import, Module};
use super::{distributions, requirements, stdlib};
use crate::validate::hint::Hints;
use crate::validate::source::Source;

/// All named files with the Python modules among them.
pub struct Project<'a> {
    pub sources: &'a [Source<'a>],
    pub sound: &'a [bool],
    /// By index of the source.
    pub modules: HashMap<usize, Rc<Module>>,
    /// Sources by every dotted name under which they may be imported: `app.models` and `models`.
    by_name: HashMap<String, Vec<usize>>,
    /// What stands before a dot of these names.
    parents: HashSet<String>,
    by_path: HashMap<&'a str, usize>,
    /// Folders with Python files in or below them.
    folders: HashSet<&'a str>,
    /// The distributions that the files declare, by their normal names; none without a manifest.
    pub declared: Option<Vec<String>>,
    pub hints: Hints,
}

/// Where an import leads.
pub enum Target {
    /// To a module of the answer.
    Module(usize),
    /// To a package of the answer without a file of its own.
    Package,
    /// Out of the answer.
    Outside,
}

impl<'a> Project<'a> {
    /// Reads every named Python file without a syntax error. Sketches count as unsound.
    pub fn new(sources: &'a [Source<'a>], sound: &'a [bool]) -> Self {
        let (modules, by_name) = (HashMap::new(), HashMap::new());
        let declared = requirements::declared(sources);
        let mut by_path = HashMap::new();
        let mut folders = HashSet::new();
        for (index, path) in sources.iter().enumerate().filter_map(|(index, s)| Some((index, s.path?))) {
            by_path.entry(path).or_insert(index);
            if sources[index].language == "python" {
                folders.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
            }
        }
        let hints = Hints::default();
        let mut project = Project {
            sources,
            sound,
            modules,
            by_name,
            parents: HashSet::new(),
            by_path,
            folders,
            declared,
            hints,
        };
        let packages: HashSet<&str> =
            sources.iter().filter_map(|s| s.path?.strip_suffix("/__init__.py")).collect();
        for (index, source) in sources.iter().enumerate() {
            let Some(path) = source.path.filter(|_| source.language == "python") else { continue };
            for name in dotted_names(path, &packages) {
                project.parents.extend(name.match_indices('.').map(|(at, _)| name[..at].to_owned()));
                project.by_name.entry(name).or_default().push(index);
            }
            if !sound[index] || source.is_fragment() {
                continue;
            }
            if let Some(module) = source.python() {
                project.modules.insert(index, module);
            }
        }
        project
    }

    /// Indices of the Python modules that were read, in order.
    pub fn read(&self) -> impl Iterator<Item = (usize, &Source<'a>, &Module)> {
        self.sources
            .iter()
            .enumerate()
            .filter_map(|(at, source)| Some((at, source, self.modules.get(&at)?.as_ref())))
    }

    /// The modules of the answer by the last part of their names, for hints.
    pub fn module_names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().filter_map(|name| name.rsplit('.').next())
    }

    /// Where `module` leads when imported by a file, with `level` dots before it.
    pub fn target(&self, from: usize, module: &str, level: usize) -> Target {
        let home = self.sources[from].path.unwrap_or("");
        let mut base: Vec<&str> = home.split('/').collect();
        base.pop();
        if level > 0 {
            base.truncate(base.len().saturating_sub(level - 1));
            base.extend(module.split('.').filter(|part| !part.is_empty()));
            return self.at_path(&base.join("/"));
        }
        if self.is_third_party(module) {
            return Target::Outside;
        }
        base.extend(module.split('.'));
        // Within a package a plain name never means the file beside: `import queue` in app/queue.py's folder.
        let folder = base[..base.len() - module.split('.').count()].join("/");
        let is_package = self.at(&format!("{folder}/__init__.py")).is_some();
        let beside = if is_package { Target::Outside } else { self.at_path(&base.join("/")) };
        let found = match beside {
            Target::Outside => match self.by_name.get(module).map(Vec::as_slice) {
                Some([one, ..]) => Target::Module(*one),
                _ if self.is_package(module) => Target::Package,
                _ => Target::Outside,
            },
            beside => beside,
        };
        match found {
            // A module does not import itself: it is called as what it imports, as in app/celery.py.
            Target::Module(index) if index == from || self.is_called_as_foreign(index, module) => {
                Target::Outside
            }
            found => found,
        }
    }

    /// Names of other people's modules may be those of files here, deeper down.
    pub fn is_third_party(&self, module: &str) -> bool {
        stdlib::has_module(module)
            || distributions::is_known(module)
            || self.declared.as_deref().is_some_and(|declared| distributions::declares(declared, module))
    }

    /// Whether a module imports its own name: then that name means somebody else's module.
    fn is_called_as_foreign(&self, index: usize, name: &str) -> bool {
        let first = name.split('.').next().unwrap_or(name);
        let is_itself = |import: &Import| import.level == 0 && import.module.split('.').next() == Some(first);
        let is_file = !self.sources[index].path.is_some_and(|path| path.contains(&format!("{first}/")));
        is_file && self.modules.get(&index).is_some_and(|module| module.imports.iter().any(is_itself))
    }

    /// Whether a file of the answer has this dotted name.
    pub fn has_module(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// How many files a module's name may mean.
    pub fn candidates(&self, module: &str) -> usize {
        self.by_name.get(module).map_or(0, Vec::len)
    }

    fn at_path(&self, path: &str) -> Target {
        let files = [format!("{path}.py"), format!("{path}/__init__.py"), format!("{path}.pyi")];
        match files.iter().filter_map(|file| self.at(file)).min() {
            Some(index) => Target::Module(index),
            None if self.folders.contains(path) => Target::Package,
            None => Target::Outside,
        }
    }

    /// The file with this path.
    pub fn at(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// Whether modules of the answer lie below this dotted name.
    fn is_package(&self, module: &str) -> bool {
        self.parents.contains(module)
    }

    /// Whether a name can be imported from a module: defined or imported there, or a module below it. True where
    /// that cannot be known.
    pub fn offers(&self, index: usize, name: &str) -> bool {
        let Some(module) = self.modules.get(&index) else { return true };
        let path = self.sources[index].path.unwrap_or("");
        let below = path.strip_suffix("__init__.py").map(|dir| format!("{dir}{name}"));
        module.is_open()
            || module.top_level.contains(name)
            || below.is_some_and(|below| !matches!(self.at_path(&below), Target::Outside))
    }

    /// The class that a name means in a module, with the module it stands in.
    pub fn class(&self, index: usize, name: &str) -> Option<(usize, &Class)> {
        self.follow(index, name, |module, name| module.classes.get(name))
    }

    /// The return annotation of the function that a name means in a module, with the module it stands in.
    pub fn returned(&self, index: usize, name: &str) -> Option<(usize, &String)> {
        self.follow(index, name, |module, name| module.returns.get(name))
    }

    /// Looks a name up here, and if it was imported, there; re-exports are followed a few steps.
    fn follow<'s, T>(
        &'s self,
        index: usize,
        name: &str,
        find: impl Fn(&'s Module, &str) -> Option<&'s T>,
    ) -> Option<(usize, &'s T)> {
        let (mut index, mut name) = (index, name.to_owned());
        for _ in 0..4 {
            let module = self.modules.get(&index)?;
            if let Some(found) = find(module, &name) {
                return Some((index, found));
            }
            if let Some((object, attribute)) = name.clone().split_once('.') {
                index = self.alias(index, object)?;
                name = attribute.to_owned();
                continue;
            }
            let import =
                module.imports.iter().find(|import| import.bound == name && import.name.is_some())?;
            let Target::Module(next) = self.target(index, &import.module, import.level) else { return None };
            name = import.name.clone()?;
            index = next;
        }
        None
    }

    /// The module of the answer that a name is bound to by an import, if nothing else binds the name.
    pub fn alias(&self, index: usize, name: &str) -> Option<usize> {
        let module = self.modules.get(&index)?;
        let mut imports = module.imports.iter().filter(|import| import.bound == name);
        let import: &Import = imports.next()?;
        if module.bound.get(name).copied().unwrap_or(0) > 1 {
            return None;
        }
        let target = match &import.name {
            None if import.module.contains('.') && import.bound != import.module && !import.aliased => {
                return None;
            }
            None => self.target(index, &import.module, import.level),
            Some(name) => {
                let below =
                    if import.module.is_empty() { name.clone() } else { format!("{}.{name}", import.module) };
                if let Target::Module(parent) = self.target(index, &import.module, import.level) {
                    let known =
                        self.modules.get(&parent).is_some_and(|m| m.top_level.contains(name.as_str()));
                    if known && import.level == 0 {
                        return None;
                    }
                }
                self.target(index, &below, import.level)
            }
        };
        match target {
            Target::Module(index) => Some(index),
            _ => None,
        }
    }
}

/// `src/app/models.py` is `models`, `app.models` and `src.app.models`, where the folders before the name are no packages;
/// a package is named by its directory.
fn dotted_names(path: &str, packages: &HashSet<&str>) -> Vec<String> {
    let stem = path.trim_end_matches(".pyi").trim_end_matches(".py");
    let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
    let parts: Vec<&str> = stem.split('/').collect();
    let is_root = |from: &usize| *from == 0 || !packages.contains(parts[..*from].join("/").as_str());
    (0..parts.len()).filter(is_root).map(|from| parts[from..].join(".")).collect()
}
