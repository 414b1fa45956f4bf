//! The text of a file as the checks see it.

use std::borrow::Cow;
use std::cell::OnceCell;
#[cfg(feature = "syntax")]
use std::rc::Rc;

#[cfg(feature = "syntax")]
use super::{contract, syntax};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::CodeFile;

/// Larger files are not validated: parsing is bounded by size.
const MAX_SOURCE: usize = 1_000_000;

/// How comments begin that stand for code which is left out: such a text is a part of a file, not a file.
const ELISIONS: [&str; 9] = [
    "...",
    "…",
    "existing code",
    "your existing code",
    "rest of the code",
    "rest of your code",
    "the rest of the code",
    "remaining code",
    "same as before",
];

/// A complete file of an answer.
pub struct Source<'a> {
    pub path: Option<&'a str>,
    pub language: &'a str,
    pub text: Cow<'a, str>,
    /// Where its lines begin, once a place was asked for.
    lines: OnceCell<Vec<usize>>,
    /// Its tree, once a check asked for it: parsing costs more than all that is done with a tree.
    #[cfg(feature = "syntax")]
    tree: OnceCell<Option<tree_sitter::Tree>>,
    /// What the judge of its syntax read besides, so that no check parses it again.
    #[cfg(feature = "syntax")]
    python: OnceCell<Rc<contract::module::Module>>,
    #[cfg(feature = "syntax")]
    script: OnceCell<Rc<syntax::script::Module>>,
}

impl<'a> Source<'a> {
    /// The file, or none if it is incomplete or too large. An unnamed block is freed of its common indentation.
    pub fn new(file: &'a CodeFile) -> Option<Self> {
        // A byte order mark is no text: all tools pass over it.
        let content = file.content.strip_prefix('\u{feff}').unwrap_or(&file.content);
        let text = match file.path {
            Some(_) => Cow::Borrowed(content),
            None => dedent(content),
        };
        (file.complete && file.size() <= MAX_SOURCE).then(|| Source {
            path: file.path.as_deref(),
            language: file.language.as_str(),
            text,
            lines: OnceCell::new(),
            #[cfg(feature = "syntax")]
            tree: OnceCell::new(),
            #[cfg(feature = "syntax")]
            python: OnceCell::new(),
            #[cfg(feature = "syntax")]
            script: OnceCell::new(),
        })
    }

    /// The same file once more, without a copy of its text.
    #[cfg(feature = "syntax")]
    pub fn borrowed(&self) -> Source<'_> {
        Source {
            path: self.path,
            language: self.language,
            text: Cow::Borrowed(&self.text),
            lines: OnceCell::new(),
            tree: self.tree.clone(),
            python: self.python.clone(),
            script: self.script.clone(),
        }
    }

    /// The tree of its grammar; none without a grammar, or for a text that is nested too deep.
    #[cfg(feature = "syntax")]
    pub fn tree(&self) -> Option<&tree_sitter::Tree> {
        self.tree.get_or_init(|| super::tree::parse(self.language, &self.text)).as_ref()
    }

    /// What the judge read of a Python module; none if it is not sound.
    #[cfg(feature = "syntax")]
    pub fn python(&self) -> Option<Rc<contract::module::Module>> {
        self.python.get().cloned()
    }

    /// Keeps what the judge read of a Python module.
    #[cfg(feature = "syntax")]
    pub fn keep_python(&self, module: contract::module::Module) {
        self.python.get_or_init(|| Rc::new(module));
    }

    /// What the judge read of a module of JavaScript or TypeScript; none if it is not sound.
    #[cfg(feature = "syntax")]
    pub fn script(&self) -> Option<Rc<syntax::script::Module>> {
        self.script.get().cloned()
    }

    /// Keeps what the judge read of a module of JavaScript or TypeScript.
    #[cfg(feature = "syntax")]
    pub fn keep_script(&self, module: syntax::script::Module) {
        self.script.get_or_init(|| Rc::new(module));
    }

    /// The same file as a text of a language, byte for byte in place.
    #[cfg(feature = "syntax")]
    pub fn with<'s>(&'s self, language: &'s str, text: String) -> Source<'s> {
        Source {
            path: self.path,
            language,
            text: Cow::Owned(text),
            lines: OnceCell::new(),
            tree: OnceCell::new(),
            python: OnceCell::new(),
            script: OnceCell::new(),
        }
    }

    /// Whether it is a block to be read and not a file: with something left out, a diff, an edit, a session with a
    /// prompt. No parser needs to take it.
    pub fn is_sketch(&self) -> bool {
        self.path.is_none() && self.is_fragment()
    }

    /// Whether something is left out on purpose, so that names in it cannot all be known. Its syntax counts all the same
    /// if it has a name: a comment does not turn the check of a file off.
    pub fn is_fragment(&self) -> bool {
        let dots = |line: &str| line == "..." && self.language != "python";
        let elided = self.text.lines().map(str::trim).any(|line| dots(line) || is_elision(line));
        let first = self.text.trim_start();
        let shown = [">>> ", "$ ", "% ", "@@ ", "--- ", "diff --git", "<<<<<<< "]
            .iter()
            .any(|p| first.starts_with(p));
        elided || self.path.is_none() && (shown || self.text.lines().any(|line| line.starts_with("<<<<<<< ")))
    }

    /// The name without its directories, or empty.
    pub fn name(&self) -> &str {
        self.path.map_or("", |path| path.rsplit('/').next().unwrap_or(path))
    }

    /// Whether it is a test, by its path.
    #[cfg(feature = "syntax")]
    pub fn is_test(&self) -> bool {
        let in_tests =
            |path: &str| path.split('/').any(|part| matches!(part, "tests" | "test" | "__tests__"));
        let name = self.name();
        self.path.is_some_and(in_tests)
            || name.starts_with("test_")
            || name == "conftest.py"
            || [".test.", ".spec.", "_test."].iter().any(|part| name.contains(part))
    }

    /// Whether it lies where tests keep what they read: such a file may be wrong on purpose.
    #[cfg(feature = "syntax")]
    pub fn is_fixture(&self) -> bool {
        let folders =
            ["fixtures", "testdata", "test_data", "__fixtures__", "data", "cases", "listings", "snippets"];
        let is_kept =
            |part: &str| folders.contains(&part) || part.ends_with("_files") || part.ends_with("_data");
        self.is_test() && self.path.is_some_and(|path| path.split('/').any(is_kept))
    }

    #[cfg(feature = "syntax")]
    pub fn error(&self, offset: usize, message: impl Into<String>) -> Diagnostic {
        self.at(offset, Severity::Error, message)
    }

    pub fn warning(&self, offset: usize, message: impl Into<String>) -> Diagnostic {
        self.at(offset, Severity::Warning, message)
    }

    /// A finding at a byte of the text.
    pub fn at(&self, offset: usize, severity: Severity, message: impl Into<String>) -> Diagnostic {
        let offset = self.text.floor_char_boundary(offset);
        let starts = self.lines.get_or_init(|| {
            let ends = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        });
        let line = starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).map_or(0, |before| starts[before]);
        self.on(line, self.text[start..offset].chars().count() + 1, severity, message)
    }

    /// A finding at a line and column, both from 1.
    pub fn on(
        &self,
        line: usize,
        column: usize,
        severity: Severity,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            path: self.path.map(str::to_owned),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            severity,
            message: message.into(),
        }
    }
}

fn is_elision(line: &str) -> bool {
    let comment = line.trim_start_matches(['#', '/', '*', '-', '<', '!', ' ', '(']);
    if comment.len() == line.len() {
        return line == "…";
    }
    let lower = comment.to_ascii_lowercase();
    ELISIONS.iter().any(|elision| lower.starts_with(elision))
}

fn dedent(text: &str) -> Cow<'_, str> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = text.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    if common == 0 {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_inclusive('\n').map(|line| &line[common.min(indent(line))..]).collect())
}
