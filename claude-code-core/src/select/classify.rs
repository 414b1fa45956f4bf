//! The classifier: a task in, a tier and the reason out. Rules over general facts; no network, no model, no clock.

use super::terms::{Hits, hits};
use super::words::{Prose, prose};
use crate::model::Tier;

/// Features of a task that choose its tier.
#[derive(Clone, Copy, Debug, Default)]
pub struct Task<'a> {
    /// The user's words, code included.
    pub prompt: &'a str,
    /// The language asked for, where it was said.
    pub language: Option<&'a str>,
    /// How many files will be touched, where it is known: the files handed in, or an estimate.
    pub files: Option<u32>,
    /// Lines of code handed in beside the prompt.
    pub code_lines: u32,
}

impl<'a> Task<'a> {
    /// A task of which only the words are known.
    pub fn new(prompt: &'a str) -> Self {
        Task { prompt, ..Task::default() }
    }
}

/// The tier that a task needs, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The cheapest tier that is likely to get it right.
    pub tier: Tier,
    /// One line that names the deciding facts.
    pub why: String,
    /// How hard it looks; from 3 on it is complex.
    pub score: u32,
}

/// From this hardness on a plausible answer is often a wrong one. Set low on purpose: a task that is taken for too
/// easy loses four times the right answers that one taken for too hard costs.
const COMPLEX: u32 = 3;

/// From this breadth on a task has several parts.
const MEDIUM: u32 = 5;

/// Number of changed lines that decides the tier alone: more than a model keeps consistent without planning.
const MANY_LINES: u32 = 1_000;

/// Number of files that decides the tier alone; from 9 on they count half.
const MANY_FILES: u32 = 12;

/// Groups of `terms.txt` that tell about breadth or intention, not about hardness.
const BREADTH: &[&str] = &["parts", "framework", "refactoring", "fault to find"];
const SMALL_PARTS: &str = "tests and data";
const MECHANICAL: &str = "mechanical";
const NOTHING_ELSE: &str = "nothing else";
const LITTLE: &str = "asked for little";
const BELITTLED: &str = "belittled";
const LIBRARY: &str = "library use";
const ONE_UNIT: &str = "one unit";
const EVERYDAY: &str = "everyday";

/// Any of these groups speaks for a simple task.
const EASE: &[&str] = &[EVERYDAY, ONE_UNIT, LIBRARY, LITTLE, MECHANICAL];

/// Languages in which even an unfamiliar task is mostly small: they describe rather than compute.
const DESCRIBING: &[&str] = &[
    "sql",
    "css",
    "html",
    "bash",
    "sh",
    "shell",
    "yaml",
    "json",
    "toml",
    "terraform",
    "hcl",
    "dockerfile",
    "markdown",
];

/// Languages in which small mistakes are grave.
const SYSTEMS_LANGUAGES: &[&str] = &["c", "c++", "cpp", "rust", "zig", "assembly"];

/// Groups in which a library does the hard part.
const DONE_BY_LIBRARIES: &[&str] = &["numerics", "own algorithm"];

/// From this hardness on a task is not simple, however short it is.
const NOT_SIMPLE: u32 = 2;

/// Chooses the tier of a task.
pub fn classify(task: &Task<'_>) -> Verdict {
    let prose = prose(task.prompt);
    let found = hits(&prose.text);
    let facts = Facts::new(task, &prose, &found);
    if let Some(why) = facts.mechanical() {
        return Verdict { tier: Tier::Simple, why, score: 0 };
    }
    let (score, why) = facts.hardness();
    if score >= COMPLEX {
        return Verdict { tier: Tier::Complex, why: format!("complex: {why}"), score };
    }
    let (breadth, parts) = facts.breadth();
    if score >= NOT_SIMPLE {
        return Verdict { tier: Tier::Medium, why: format!("medium: {why}"), score };
    }
    if breadth >= MEDIUM && !(facts.has(LITTLE) && breadth < MEDIUM + 2) {
        return Verdict { tier: Tier::Medium, why: format!("medium: {parts}"), score };
    }
    if !facts.is_familiar() {
        return Verdict {
            tier: Tier::Medium,
            why: "medium: short, but nothing says that it is simple".to_owned(),
            score,
        };
    }
    let why = if facts.has(LITTLE) { "one line is asked for" } else { "one small part, no hard words" };
    Verdict { tier: Tier::Simple, why: format!("simple: {why}"), score }
}

/// A task as the rules see it.
struct Facts<'a> {
    found: &'a [Hits],
    prose: &'a Prose,
    files: u32,
    lines: u32,
    systems_language: bool,
    describing: bool,
}

impl<'a> Facts<'a> {
    fn new(task: &Task<'_>, prose: &'a Prose, found: &'a [Hits]) -> Self {
        let lines = task.code_lines.max(prose.named_lines).max(prose.pasted_lines);
        let language = task.language.map(str::to_ascii_lowercase);
        let within = |names: &[&str]| language.as_deref().is_some_and(|name| names.contains(&name));
        let (systems_language, describing) = (within(SYSTEMS_LANGUAGES), within(DESCRIBING));
        Facts { found, prose, files: task.files.unwrap_or(0), lines, systems_language, describing }
    }

    fn group(&self, name: &str) -> Option<&Hits> {
        self.found.iter().find(|hits| hits.group == name)
    }

    /// Whether something says that the task is an everyday one. Short tasks of which nothing is understood are as
    /// often hard as easy, and Haiku is right on few of the hard ones.
    fn is_familiar(&self) -> bool {
        self.describing || self.prose.pasted_lines > 0 || EASE.iter().any(|group| self.has(group))
    }

    fn has(&self, name: &str) -> bool {
        self.group(name).is_some()
    }

    /// Hard groups with their scores: the heaviest term, and one more each for company in the group.
    fn hard(&self) -> Vec<(u32, &Hits)> {
        let soft = [SMALL_PARTS, MECHANICAL, NOTHING_ELSE, LITTLE, BELITTLED, LIBRARY, ONE_UNIT, EVERYDAY];
        let library = self.has(LIBRARY) && self.prose.clauses <= 3 && self.lines == 0;
        let hard =
            self.found.iter().filter(|hits| !BREADTH.contains(&hits.group) && !soft.contains(&hits.group));
        hard.map(|hits| {
            let more = u32::from(hits.terms.len() >= 2) + u32::from(hits.terms.len() >= 4);
            let called = library && DONE_BY_LIBRARIES.contains(&hits.group);
            (if called { 1 } else { hits.weight + more }, hits)
        })
        .collect()
    }

    /// Mechanical work stays simple however frightening its surroundings are.
    fn mechanical(&self) -> Option<String> {
        let verb = self.group(MECHANICAL)?.terms.first()?;
        let bounded = self.has(NOTHING_ELSE);
        let short = self.prose.clauses <= 4
            && self.lines < MANY_LINES
            && self.hard().iter().all(|(s, _)| *s < COMPLEX);
        if bounded {
            return Some(format!("simple: mechanical work ({verb}), and nothing else is to change"));
        }
        let small = short && !BREADTH.iter().any(|group| self.has(group));
        small.then(|| format!("simple: mechanical work ({verb})"))
    }

    /// How hard it is, and the facts that say so, the weightiest first.
    fn hardness(&self) -> (u32, String) {
        let mut parts: Vec<(u32, String)> = self
            .hard()
            .into_iter()
            .map(|(score, hits)| {
                let terms: Vec<&str> = hits.terms.iter().take(3).copied().collect();
                (score, format!("{} ({})", hits.group, terms.join(", ")))
            })
            .collect();
        if self.lines >= MANY_LINES {
            parts.push((4, format!("{} lines to change", self.lines)));
        } else if self.lines >= MANY_LINES / 2 {
            parts.push((2, format!("{} lines to change", self.lines)));
        }
        match self.files {
            0..=8 => {}
            9..MANY_FILES => parts.push((2, format!("{} files", self.files))),
            MANY_FILES..20 => parts.push((3, format!("{} files", self.files))),
            _ => parts.push((4, format!("{} files", self.files))),
        }
        if self.prose.clauses >= 9 || self.prose.words >= 60 {
            parts.push((1, format!("{} requirements", self.prose.clauses)));
        }
        if self.systems_language && !self.has(ONE_UNIT) {
            parts.push((1, "a systems language".to_owned()));
        }
        parts.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let score = parts.iter().map(|(score, _)| score).sum();
        let why: Vec<String> = parts.into_iter().take(3).map(|(_, why)| why).collect();
        (score, why.join("; "))
    }

    /// How many things are asked for, and what they are.
    fn breadth(&self) -> (u32, String) {
        let mut score = u32::try_from(self.prose.clauses.min(6)).unwrap_or(6);
        score += u32::try_from(self.prose.items / 2).unwrap_or(1).min(1);
        let mut parts: Vec<String> = Vec::new();
        for hits in BREADTH.iter().filter_map(|group| self.group(group)) {
            score += hits.weight + u32::from(hits.terms.len() >= 3);
            parts.push(format!("{} ({})", hits.group, hits.terms[0].trim()));
        }
        if let Some(hits) = self.group(SMALL_PARTS) {
            score += u32::try_from(hits.terms.len().min(3)).unwrap_or(3);
        }
        if self.prose.names_route {
            score += 3;
            parts.push("an HTTP route".to_owned());
        }
        if self.files >= 2 {
            score += 4;
            parts.push(format!("{} files", self.files));
        }
        if self.lines >= 80 {
            score += 2;
            parts.push(format!("{} lines to change", self.lines));
        }
        if self.has(ONE_UNIT) && self.prose.clauses <= 4 && self.files <= 1 {
            score = score.saturating_sub(2);
        }
        if parts.is_empty() {
            parts.push(format!("{} requirements", self.prose.clauses));
        }
        parts.truncate(3);
        (score, parts.join("; "))
    }
}
