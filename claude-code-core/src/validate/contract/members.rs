//! Attributes of modules and classes of the answer exist.

use std::collections::{HashMap, HashSet};

use super::module::{Class, MethodCall, Receiver, Typed};
use super::project::Project;
use crate::answer::diagnostic::{Diagnostic, Severity};

/// Bases that add nothing that code calls.
const PLAIN_BASES: [&str; 6] = ["object", "ABC", "abc.ABC", "Protocol", "typing.Protocol", "Generic"];

/// How far copies are followed.
const MAX_STEPS: usize = 5;
/// Classes below another that are looked into.
const MAX_HEIRS: usize = 200;

/// Attributes that a module or a class of the answer does not have.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let mut found = Vec::new();
    let heirs = Heirs::of(project);
    // What is set from outside is there afterwards, whatever it is set on.
    let set: HashSet<&str> =
        project.read().flat_map(|(.., module)| &module.set).map(String::as_str).collect();
    for (index, source, module) in project.read() {
        for (object, attribute, offset) in
            module.attributes.iter().filter(|(_, name, _)| !set.contains(name.as_str()))
        {
            let told = module_attribute(project, index, object, attribute)
                .or_else(|| class_attribute(project, index, object, attribute));
            found.extend(told.map(|(severity, message)| (index, source.at(*offset, severity, message))));
        }
        for call in module.calls.iter().filter(|call| !set.contains(call.method.as_str())) {
            let told = method(project, &heirs, index, call);
            found.extend(told.map(|(severity, message)| (index, source.at(call.offset, severity, message))));
        }
    }
    found
}

/// The classes that have a class as their base.
struct Heirs<'p> {
    of: HashMap<*const Class, Vec<(usize, &'p Class)>>,
}

impl<'p> Heirs<'p> {
    fn of(project: &'p Project) -> Self {
        let mut of: HashMap<*const Class, Vec<(usize, &'p Class)>> = HashMap::new();
        for (index, _, module) in project.read() {
            for class in module.classes.values() {
                let bases = class.bases.iter().filter_map(|base| project.class(index, base));
                bases.for_each(|(_, base)| {
                    of.entry(std::ptr::from_ref(base)).or_default().push((index, class))
                });
            }
        }
        Heirs { of }
    }

    /// Whether a class below this one has the member, or may have it: a template method calls what its heirs define.
    fn have(&self, project: &Project, class: &Class, name: &str) -> bool {
        let mut seen: HashSet<*const Class> = HashSet::new();
        let mut waiting = vec![std::ptr::from_ref(class)];
        while let Some(class) = waiting.pop().filter(|_| seen.len() < MAX_HEIRS) {
            for (home, heir) in self.of.get(&class).into_iter().flatten() {
                if !seen.insert(*heir) {
                    continue;
                }
                if members(project, *home, heir).is_none_or(|members| members.contains(name)) {
                    return true;
                }
                waiting.push(*heir);
            }
        }
        seen.len() >= MAX_HEIRS
    }
}

fn module_attribute(
    project: &Project,
    index: usize,
    object: &str,
    attribute: &str,
) -> Option<(Severity, String)> {
    let target = project.alias(index, object)?;
    if project.offers(target, attribute) || is_special(attribute) {
        return None;
    }
    let names = project.modules.get(&target)?.top_level.iter().map(String::as_str);
    let path = project.sources[target].path.unwrap_or("");
    let near = project.hints.of(attribute, names);
    Some((Severity::Error, format!("{path} does not define `{attribute}`{near}")))
}

fn class_attribute(
    project: &Project,
    index: usize,
    object: &str,
    attribute: &str,
) -> Option<(Severity, String)> {
    let module = project.modules.get(&index)?;
    if module.bound.get(object).copied() != Some(1) {
        return None;
    }
    let (home, class) = project.class(index, object)?;
    let is_enum = class.bases.iter().any(|base| base.rsplit('.').next().is_some_and(|b| b.ends_with("Enum")));
    let members = if is_enum && attribute.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
        class.members.clone()
    } else {
        members(project, home, class)?
    };
    lacks(project, object, &members, attribute)
}

fn method(project: &Project, heirs: &Heirs, index: usize, call: &MethodCall) -> Option<(Severity, String)> {
    let module = project.modules.get(&index)?;
    let (home, name, class) = match &call.receiver {
        Receiver::Itself(name) => (index, name.clone(), module.classes.get(name)?),
        Receiver::Name(name) => instance(project, index, name, 0)?,
        Receiver::Attribute(class, name) => instance(project, index, &format!("{class}.{name}"), 0)?,
    };
    let all = members(project, home, class)?;
    if all.contains(&call.method) || heirs.have(project, class, &call.method) {
        return None;
    }
    let told = lacks(project, &name, &all, &call.method)?;
    // The heirs of a mixin or an abstract class may be elsewhere: then only a mistyped name is told.
    let is_open = matches!(call.receiver, Receiver::Itself(_)) && is_made_to_inherit(&name, class);
    (!is_open || told.0 == Severity::Error).then_some(told)
}

fn is_made_to_inherit(name: &str, class: &Class) -> bool {
    let abstract_bases = ["ABC", "abc.ABC", "Protocol", "typing.Protocol"];
    name.ends_with("Mixin") || class.bases.iter().any(|base| abstract_bases.contains(&base.as_str()))
}

/// A member that a class does not have. Fixtures, heirs elsewhere and other code can set it from outside, so only a
/// mistyped one is an error.
fn lacks(
    project: &Project,
    class: &str,
    members: &HashSet<String>,
    name: &str,
) -> Option<(Severity, String)> {
    if members.contains(name) || is_special(name) {
        return None;
    }
    let near = project.hints.of(name, members.iter().map(String::as_str));
    Some((near.severity(), format!("the class `{class}` has no `{name}`{near}")))
}

fn is_special(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}

/// The class of which a variable holds an instance, with its module and name, if all its values tell the same.
fn instance<'p>(
    project: &'p Project,
    index: usize,
    key: &str,
    steps: usize,
) -> Option<(usize, String, &'p Class)> {
    let module = project.modules.get(&index)?;
    let named = |index: usize, name: &str| {
        let (home, class) = project.class(index, name)?;
        Some((home, name.to_owned(), class))
    };
    match module.type_of(key)? {
        _ if steps > MAX_STEPS => None,
        Typed::Annotated(annotation) => named(index, plain(annotation)),
        Typed::Copied(other) => instance(project, index, other, steps + 1),
        Typed::Called(name) => named(index, name).or_else(|| {
            let (home, returned) = project.returned(index, name)?;
            named(home, plain(returned))
        }),
    }
}

/// The class in an annotation: `C`, `"C"`, `Optional[C]`, `C | None`, `Annotated[C, …]`.
fn plain(annotation: &str) -> &str {
    let inner = ["Optional[", "Annotated[", "typing.Optional[", "typing.Annotated["]
        .iter()
        .find_map(|prefix| annotation.strip_prefix(prefix))
        .and_then(|inner| inner.split([',', ']']).next())
        .unwrap_or(annotation);
    inner.trim_end_matches("| None").trim().trim_matches(['"', '\''])
}

/// All members of a class and its bases; none if they cannot all be known.
fn members(project: &Project, home: usize, class: &Class) -> Option<HashSet<String>> {
    let mut all = HashSet::new();
    let mut seen: HashSet<*const Class> = HashSet::new();
    let mut waiting = vec![(home, class)];
    while let Some((home, class)) = waiting.pop() {
        if class.is_dynamic {
            return None;
        }
        // A class that is its own base, or comes by several ways, is read once.
        if !seen.insert(class) {
            continue;
        }
        all.extend(class.members.iter().cloned());
        for base in class.bases.iter().filter(|base| !PLAIN_BASES.contains(&base.as_str())) {
            waiting.push(project.class(home, base)?);
        }
    }
    Some(all)
}
