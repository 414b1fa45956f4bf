//! The files of an answer together, and beside the given ones that it does not write: what it breaks in them is told,
//! and what was wrong between them before is not an error of the answer.

use std::collections::HashSet;

use super::contract::{self, Found};
use super::source::Source;
use super::{MAX_PER_FILE, cloudformation, syntax, terraform};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::request::SourceFile;

/// The given files as files of an answer.
pub fn as_files(given: &[SourceFile]) -> Vec<CodeFile> {
    let file = |given: &SourceFile| CodeFile {
        path: Some(given.path.clone()),
        language: Language::from_path(&given.path).unwrap_or_else(Language::text),
        content: given.content.clone(),
        complete: true,
        rejected: None,
    };
    given.iter().map(file).collect()
}

/// Adds to what was found in each source of the answer's files what the checks find that look at all files.
pub fn check(files: &[CodeFile], own: &[Source], given: &[CodeFile], found: &mut [Vec<Diagnostic>]) {
    let mut sources: Vec<Source> = own.iter().map(Source::borrowed).collect();
    sources.extend(unchanged(files, given));
    let mut sound: Vec<bool> = found.iter().map(|d| !d.iter().any(Diagnostic::is_error)).collect();
    sound.extend(sources[own.len()..].iter().map(is_sound));
    let before = Before::new(given);
    let (mut names, between) = all(&sources, &sound);
    names.retain(|(index, _)| *index < own.len());
    let mut add = |findings: Found| {
        for (index, diagnostic) in limited(findings) {
            found[index].push(diagnostic);
        }
    };
    add(names);
    for findings in between {
        add(findings
            .into_iter()
            .filter_map(|(index, d)| before.judged(&sources, own.len(), index, d))
            .collect());
    }
}

/// The given files that the answer does not write. A block without a name can only mean the only given file.
fn unchanged<'g>(files: &[CodeFile], given: &'g [CodeFile]) -> Vec<Source<'g>> {
    if given.len() == 1 && files.iter().any(|file| file.path.is_none()) {
        return Vec::new();
    }
    let is_written = |given: &CodeFile| files.iter().any(|file| file.path == given.path);
    given.iter().filter(|given| !is_written(given)).filter_map(Source::new).collect()
}

fn is_sound(source: &Source) -> bool {
    !syntax::check(source).iter().any(Diagnostic::is_error)
}

/// What the checks find within and between files.
fn all(sources: &[Source], sound: &[bool]) -> (Found, Vec<Found>) {
    let (names, mut between) = contract::check(sources, sound);
    between.push(terraform::check(sources, sound));
    between.push(cloudformation::check(sources, sound));
    (names, between)
}

/// What is wrong between the given files alone, by path and message.
#[derive(Default)]
struct Before {
    told: HashSet<(Option<String>, String)>,
}

impl Before {
    fn new(given: &[CodeFile]) -> Self {
        let sources: Vec<Source> = given.iter().filter_map(Source::new).collect();
        let sound: Vec<bool> = sources.iter().map(is_sound).collect();
        let found = all(&sources, &sound).1.into_iter().flatten();
        Before { told: found.map(|(_, d)| (d.path, essence(&d.message).to_owned())).collect() }
    }

    /// A finding as it counts against the answer, with the index of its file: the first `own` sources are the
    /// answer's. None: the answer did not cause it.
    fn judged(
        &self,
        sources: &[Source],
        own: usize,
        index: usize,
        mut d: Diagnostic,
    ) -> Option<(usize, Diagnostic)> {
        let was_there = self.told.contains(&(d.path.clone(), essence(&d.message).to_owned()));
        if index < own {
            if was_there {
                d.severity = Severity::Warning;
            }
            return Some((index, d));
        }
        if was_there || !d.is_error() {
            return None;
        }
        let culprit = culprit(&sources[..own], &d.message)?;
        let path = d.path.unwrap_or_default();
        let message = format!(
            "{path}, which the answer does not write, no longer fits: line {}: {}",
            d.line, d.message
        );
        Some((culprit, sources[culprit].on(0, 0, Severity::Error, message)))
    }
}

/// The file of the answer that a finding names, else the first: that is the one to send back for repair.
fn culprit(own: &[Source], message: &str) -> Option<usize> {
    let is_named = |source: &Source| source.path.is_some_and(|path| message.contains(path));
    own.iter().position(is_named).or((!own.is_empty()).then_some(0))
}

/// A message without its hint, which depends on what else there is.
fn essence(message: &str) -> &str {
    message.split(" (did you mean").next().unwrap_or(message)
}

/// The first findings of each file, errors before warnings; the last one says how many more there were.
fn limited(mut found: Found) -> Found {
    found.sort_by_key(|(index, d)| (*index, d.severity, d.line, d.column));
    let mut kept = Found::new();
    for of_file in found.chunk_by(|a, b| a.0 == b.0) {
        kept.extend(of_file.iter().take(MAX_PER_FILE).cloned());
        let more = of_file.len().saturating_sub(MAX_PER_FILE);
        if let (Some((_, last)), true) = (kept.last_mut(), more > 0) {
            last.message.push_str(&format!("; and {more} more like it"));
        }
    }
    kept
}
