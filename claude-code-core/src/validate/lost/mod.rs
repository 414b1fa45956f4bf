//! Lost definitions: what a given file defines and the file that takes its place does not. Excused is what the
//! instructions name, and what is found elsewhere in the answer: moved, renamed or inlined.

use std::collections::HashSet;

mod found;
mod lines;

pub use found::is_similar;
use found::{brings_in, is_assigned, is_called, is_derived, is_inlined, is_merged, is_used};

use super::definitions::{Definition, definitions};
use super::is_text_at;
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::request::SourceFile;

/// What members are called that make what their type is: functions need none.
const CONSTRUCTORS: [&str; 6] = ["__init__", "constructor", "initialize", "__construct", "init", "new"];

/// Definitions that a message names.
const MAX_NAMED: usize = 8;

/// What an answer's files lose of the given ones.
pub struct Losses<'a> {
    given: &'a [SourceFile],
    files: &'a [CodeFile],
    /// Everything that was asked for, in the user's words.
    asked: &'a str,
}

impl<'a> Losses<'a> {
    pub fn new(given: &'a [SourceFile], files: &'a [CodeFile], asked: &'a str) -> Self {
        Losses { given, files, asked }
    }

    /// An error for a file that takes the place of a given one and is not all of it.
    pub fn of(&self, given: &SourceFile, file: &CodeFile) -> Option<Diagnostic> {
        let error = |message: String| {
            Some(Diagnostic {
                path: Some(given.path.clone()),
                line: 0,
                column: 0,
                severity: Severity::Error,
                message,
            })
        };
        if given.content.trim().is_empty() {
            return None;
        }
        if file.content.trim().is_empty() {
            return error("the file would be empty: write it whole, or leave it out".to_owned());
        }
        let lost = self.names(given, file);
        if !lost.is_empty() {
            let named: Vec<&str> = lost.iter().take(MAX_NAMED).map(String::as_str).collect();
            let more = if lost.len() > MAX_NAMED {
                format!(" and {} more", lost.len() - MAX_NAMED)
            } else {
                String::new()
            };
            return error(format!(
                "lost: {}{more}; the given file defines that, the instructions do not name it: write the whole file",
                named.join(", ")
            ));
        }
        let broken = self.cut(given, file);
        if broken.is_some() {
            return broken;
        }
        if let Some(gone) = lines::gone(given, file, self.files, self.asked) {
            return error(gone);
        }
        if !is_prose(&given.path) {
            return None;
        }
        let (kept, of) = kept_lines(&given.content, &file.content);
        let is_less = file.content.lines().count() * 2 < given.content.lines().count();
        (of >= 6 && kept * 5 < of && is_less).then(|| {
            error(format!("only {kept} of the given file's {of} lines are in it: write the whole file"))
        })?
    }

    /// What an edited file no longer defines although its lines are still there: a quote that an edit took away has
    /// made them part of a string.
    pub fn swallowed(&self, given: &SourceFile, file: &CodeFile) -> Option<Diagnostic> {
        if file.content.trim().is_empty() {
            return self.of(given, file);
        }
        let language = answer_language(file, given);
        let after = definitions(&language, &file.content);
        let kept: HashSet<&str> = after.iter().map(|one| one.own.as_str()).collect();
        let before = definitions(&language, &given.content);
        let first =
            |one: &Definition| given.content.get(one.core.clone()).and_then(|text| text.lines().next());
        let is_text = |one: &Definition| {
            let place = first(one)
                .filter(|line| line.trim().len() > 3)
                .and_then(|line| file.content.find(line.trim()));
            place.is_some_and(|at| is_text_at(&language, &file.content, at))
        };
        let gone: Vec<&str> = before
            .iter()
            .filter(|one| !kept.contains(one.own.as_str()) && is_text(one))
            .map(|one| one.name.as_str())
            .take(MAX_NAMED)
            .collect();
        (!gone.is_empty()).then(|| Diagnostic {
            path: Some(given.path.clone()),
            line: 0,
            column: 0,
            severity: Severity::Error,
            message: format!(
                "no longer defined: {}; its lines stand within a string or comment now",
                gone.join(", ")
            ),
        })
    }

    /// The definitions that are nowhere in the answer.
    pub fn names(&self, given: &SourceFile, file: &CodeFile) -> Vec<String> {
        let language = answer_language(file, given);
        let before = definitions(&language, &given.content);
        let after = definitions(&language, &file.content);
        let kept: HashSet<&str> = after.iter().map(|definition| definition.name.as_str()).collect();
        let mut gone: Vec<&Definition> =
            before.iter().filter(|one| !kept.contains(one.name.as_str())).collect();
        let names: HashSet<String> = gone.iter().map(|one| one.name.clone()).collect();
        // What stood in something that is gone is told with it.
        gone.retain(|one| !one.name.rsplit_once('.').is_some_and(|(above, _)| names.contains(above)));
        gone.retain(|one| !is_taken_over(one, &before, &after, &language, &file.content));
        if gone.is_empty() {
            return Vec::new();
        }
        let elsewhere = self.elsewhere();
        let added = self.added();
        let mut seen = HashSet::new();
        gone.retain(|one| !self.is_found(one, given, file, &elsewhere, &added));
        let (named, mut gone): (Vec<_>, Vec<_>) = gone.into_iter().partition(|one| self.is_named(one, file));
        let parts = named.into_iter().flat_map(|one| self.dismantled(one, &before, &elsewhere));
        gone.extend(parts);
        gone.into_iter().map(|one| one.name.clone()).filter(|name| seen.insert(name.clone())).collect()
    }

    /// What stood in something that the instructions name, where a part of it is still there and a part is not: they did
    /// not ask for it to go, and what is left of it is a fragment.
    fn dismantled<'d>(
        &self,
        one: &Definition,
        before: &'d [Definition],
        elsewhere: &[(Definition, String)],
    ) -> Vec<&'d Definition> {
        let within = format!("{}.", one.name);
        let is_there =
            |part: &&Definition| elsewhere.iter().any(|(other, _)| last(&other.own) == last(&part.own));
        let (found, gone): (Vec<_>, Vec<_>) =
            before.iter().filter(|part| part.name.starts_with(&within)).partition(is_there);
        let is_beside = |part: &Definition| {
            let own = last(&part.own);
            own == last(&one.own) || CONSTRUCTORS.contains(&own) || names(self.asked, own)
        };
        if found.is_empty() { Vec::new() } else { gone.into_iter().filter(|part| !is_beside(part)).collect() }
    }

    /// Definitions of the answer that no given file has at that place, with their text.
    fn elsewhere(&self) -> Vec<(Definition, String)> {
        let mut found = Vec::new();
        for file in self.files {
            let given = self.given.iter().find(|given| file.path.as_ref() == Some(&given.path));
            let language = &language_at(file.path.as_deref().unwrap_or_default(), &file.language);
            let known: HashSet<String> = given
                .map(|given| definitions(language, &given.content))
                .unwrap_or_default()
                .into_iter()
                .map(|one| one.name)
                .collect();
            for one in definitions(language, &file.content) {
                if !known.contains(&one.name) {
                    let text = file.content.get(one.core.clone()).unwrap_or("").to_owned();
                    found.push((one, text));
                }
            }
        }
        found
    }

    /// The lines of the answer that no given file has.
    fn added(&self) -> Vec<String> {
        let known: HashSet<&str> =
            self.given.iter().flat_map(|given| given.content.lines()).map(str::trim).collect();
        let lines = self.files.iter().flat_map(|file| file.content.lines()).map(str::trim);
        lines.filter(|line| !line.is_empty() && !known.contains(line)).map(str::to_owned).collect()
    }

    /// Whether the instructions name it, and nothing calls it any more.
    fn is_named(&self, one: &Definition, file: &CodeFile) -> bool {
        let own = last(&one.own);
        let of_trait = one.own.strip_prefix("impl ").and_then(|own| own.split_once(" for "));
        let is_trait_named = of_trait.is_some_and(|(of, _)| names(self.asked, last(of)));
        (is_trait_named || names(self.asked, own)) && !is_called(&file.content, own)
    }

    /// Whether it is moved, renamed or inlined, or such that nobody misses it.
    fn is_found(
        &self,
        one: &Definition,
        given: &SourceFile,
        file: &CodeFile,
        elsewhere: &[(Definition, String)],
        added: &[String],
    ) -> bool {
        let text = given.content.get(one.core.clone()).unwrap_or("");
        let own = last(&one.own);
        let is_moved = elsewhere.iter().any(|(other, _)| other.own == one.own || last(&other.own) == own);
        // What an implementation holds is told by itself.
        let is_plain_impl = one.own.starts_with("impl ") && !one.own.contains(" for ");
        // A constructor is its class's matter, a list of exports that of what it names.
        let above = one.name.rsplit_once('.').map_or("", |(above, _)| above);
        let is_beside = last(above) == one.own || one.own == "module.exports";
        if one.is_local_value && (!is_used(&file.content, own) || is_assigned(&file.content, own)) {
            return true;
        }
        if is_derived(&file.content, &one.own) {
            return true;
        }
        if is_plain_impl || is_beside || is_moved || added.iter().any(|line| brings_in(line, own)) {
            return true;
        }
        if elsewhere.iter().any(|(other, content)| is_similar(text, own, content, &other.own)) {
            return true;
        }
        if is_merged(text, elsewhere) {
            return true;
        }
        !is_called(&file.content, own) && is_inlined(one, text, given, added)
    }

    /// The last definition of the file is the beginning of what it was: the answer broke off in it.
    fn cut(&self, given: &SourceFile, file: &CodeFile) -> Option<Diagnostic> {
        let language = answer_language(file, given);
        let after = definitions(&language, &file.content);
        let last = after.last()?;
        if file.content.get(last.core.end..).is_some_and(|rest| !rest.trim().is_empty()) {
            return None;
        }
        let before = definitions(&language, &given.content).into_iter().find(|one| one.name == last.name)?;
        let lines = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
        };
        let (was, is) = (lines(&given.content[before.core]), lines(&file.content[last.core.clone()]));
        let is_cut = is.len() * 2 <= was.len() && was.starts_with(&is);
        is_cut.then(|| Diagnostic {
            path: Some(given.path.clone()),
            line: u32::try_from(file.content.lines().count()).unwrap_or(u32::MAX),
            column: 0,
            severity: Severity::Error,
            message: format!(
                "{} ends after {} of its {} lines: write it whole",
                last.name,
                is.len(),
                was.len()
            ),
        })
    }
}

/// The last part of a name.
pub fn last(name: &str) -> &str {
    name.rsplit(['.', ':']).next().unwrap_or(name)
}

/// Whether a file is text for people: a change of it may well say the same in other words.
fn is_prose(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    match name.rsplit_once('.') {
        Some((_, end)) => {
            matches!(end, "md" | "markdown" | "mdx" | "txt" | "rst" | "adoc" | "asciidoc" | "tex" | "org")
        }
        None => {
            ["readme", "license", "changelog", "contributing", "authors", "notice"].contains(&name.as_str())
        }
    }
}

/// The words without the names of these files: who names a file does not name what is called like it.
pub fn without_file_names<'p>(words: &str, paths: impl Iterator<Item = &'p str>) -> String {
    paths.fold(words.to_owned(), |words, path| {
        let own = path.rsplit('/').next().unwrap_or(path);
        let words = words.replace(path, " ");
        if own.contains('.') { words.replace(own, " ") } else { words }
    })
}

/// Whether a member is the matter of what its type is now: a function in its place, or a record that has it as a component.
fn is_taken_over(
    one: &Definition,
    before: &[Definition],
    after: &[Definition],
    language: &str,
    content: &str,
) -> bool {
    let Some((above, own)) = one.name.rsplit_once('.') else { return false };
    let was_type = before.iter().any(|known| known.name == above && known.is_container);
    let Some(now) = after.iter().find(|known| known.name == above).filter(|_| was_type) else { return false };
    let head = content.get(now.core.clone()).and_then(|text| text.split('{').next()).unwrap_or_default();
    let has_components = matches!(language, "java" | "csharp" | "kotlin") && head.contains('(');
    (!now.is_container || (has_components && names(head, own))) && !is_called(content, own)
}

/// The language in which a file and the one whose place it takes are compared.
fn answer_language(file: &CodeFile, given: &SourceFile) -> String {
    language_at(&given.path, &file.language)
}

/// The language of a path. One that is not known by name is no prose: its definitions begin as those of others do.
fn language_at(path: &str, told: &Language) -> String {
    match (Language::from_path(path), path.rsplit_once('.')) {
        (Some(language), _) => language.as_str().to_owned(),
        (None, Some((_, end))) if !is_prose(path) => end.to_ascii_lowercase(),
        (None, _) => told.as_str().to_owned(),
    }
}

/// Whether words name a definition: as a word of its own.
pub fn names(words: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    !name.is_empty()
        && words.match_indices(name).any(|(at, _)| {
            let before = words[..at].chars().next_back();
            let after = words[at + name.len()..].chars().next();
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
}

/// How many of the lines that say something are still there, and how many there were.
pub fn kept_lines(before: &str, after: &str) -> (usize, usize) {
    let says = |line: &&str| line.chars().any(char::is_alphanumeric);
    let known: HashSet<&str> = after.lines().map(str::trim).collect();
    let lines: Vec<&str> = before.lines().map(str::trim).filter(says).collect();
    (lines.iter().filter(|line| known.contains(*line)).count(), lines.len())
}
