//! Lost definitions: what a given file defines and the file that takes its place does not. Excused is what the
//! instructions name, and what is found elsewhere in the answer: moved, renamed or inlined.

use std::collections::HashSet;

mod found;

pub use found::is_similar;
use found::{brings_in, is_called, is_inlined, is_merged, is_used};

use super::definitions::{Definition, definitions};
use super::is_text_at;
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::request::SourceFile;

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
        if !definitions(&answer_language(file, given), &given.content).is_empty() {
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
        if gone.is_empty() {
            return Vec::new();
        }
        let elsewhere = self.elsewhere();
        let added = self.added();
        let mut seen = HashSet::new();
        gone.retain(|one| !self.is_excused(one, given, file, &elsewhere, &added));
        gone.into_iter().map(|one| one.name.clone()).filter(|name| seen.insert(name.clone())).collect()
    }

    /// Definitions of the answer that no given file has at that place, with their text.
    fn elsewhere(&self) -> Vec<(Definition, String)> {
        let mut found = Vec::new();
        for file in self.files {
            let given = self.given.iter().find(|given| file.path.as_ref() == Some(&given.path));
            let language = file.language.as_str();
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

    fn is_excused(
        &self,
        one: &Definition,
        given: &SourceFile,
        file: &CodeFile,
        elsewhere: &[(Definition, String)],
        added: &[String],
    ) -> bool {
        let text = given.content.get(one.core.clone()).unwrap_or("");
        let own = one.own.rsplit('.').next().unwrap_or(&one.own);
        let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
        let is_moved = elsewhere.iter().any(|(other, _)| other.own == one.own || last(&other.own) == own);
        // What an implementation holds is told by itself.
        let is_plain_impl = one.own.starts_with("impl ") && !one.own.contains(" for ");
        // A constructor is its class's matter, a list of exports that of what it names.
        let above = one.name.rsplit_once('.').map_or("", |(above, _)| above);
        let is_beside = last(above) == one.own || one.own == "module.exports";
        if one.is_local_value && !is_used(&file.content, own) {
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
        let is_called = is_called(&file.content, own);
        !is_called && (names(self.asked, own) || is_inlined(one, text, given, added))
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

/// The language in which a file and the one whose place it takes are compared.
fn answer_language(file: &CodeFile, given: &SourceFile) -> String {
    Language::from_path(&given.path).unwrap_or_else(|| file.language.clone()).as_str().to_owned()
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
