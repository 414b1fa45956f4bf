//! Python to 3.14, by ruff's parser, with what the compiler refuses besides.

mod placed;

use ruff_python_ast::ModModule;
use ruff_python_ast::PySourceType;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::Ranged;

use super::nesting::{self, Ends, Need};
use super::{Fault, brackets, grammar, lowered};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::contract;
use crate::validate::source::Source;

const NEED: Need = Need { ends: Ends::Line, frame: 1_200 };

/// Lines between two faults that do not follow from each other.
const APART: usize = 3;

/// Syntax errors, and a warning for a block of another indentation than the first.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let found = nesting::within(&source.text, NEED, || judge(source));
    found.unwrap_or_else(|| grammar::check(source))
}

fn judge(source: &Source) -> Vec<Diagnostic> {
    let text = source.text.as_ref();
    let Some(parsed) = parse_unchecked(text, ParseOptions::from(PySourceType::Python)).try_into_module()
    else {
        return Vec::new();
    };
    if parsed.errors().is_empty() {
        let mut found: Vec<Diagnostic> = placed::check(&parsed.syntax().body, text, is_run_by_cells(source))
            .into_iter()
            .map(|fault| source.error(fault.at, fault.message))
            .collect();
        found.extend(uneven(source, &parsed));
        if source.path.is_some() {
            source.keep_python(contract::python::read(&parsed.syntax().body, text));
        }
        return found;
    }
    let mut faults = brackets::places("python", text, &brackets_of(&parsed));
    let mut last = None;
    for error in parsed.errors() {
        let at = error.location.start().to_usize();
        // What is told soon after a fault follows from it.
        let is_near = last.is_some_and(|last: usize| text[last.min(at)..at].matches('\n').count() < APART);
        if !is_near {
            faults.push(Fault { at, message: sentence(text, at, &error.error.to_string()) });
            last = Some(at);
        }
    }
    faults.into_iter().map(|fault| source.error(fault.at, fault.message)).collect()
}

/// Whether it is run cell by cell, as in a notebook: there `await` stands at the top.
fn is_run_by_cells(source: &Source) -> bool {
    source.path.is_none() || source.text.contains("# %%") || source.text.contains("# In[")
}

fn brackets_of(parsed: &Parsed<ModModule>) -> Vec<(usize, u8)> {
    let bracket = |kind: TokenKind| {
        Some(match kind {
            TokenKind::Lpar => b'(',
            TokenKind::Rpar => b')',
            TokenKind::Lsqb => b'[',
            TokenKind::Rsqb => b']',
            TokenKind::Lbrace => b'{',
            TokenKind::Rbrace => b'}',
            _ => return None,
        })
    };
    let tokens = parsed.tokens().iter();
    tokens.filter_map(|token| Some((token.start().to_usize(), bracket(token.kind())?))).collect()
}

/// The parser's sentence, in our case of letters; Python 2 is told by its name.
fn sentence(text: &str, at: usize, said: &str) -> String {
    let line = text[..at].rsplit('\n').next().unwrap_or("").trim_start();
    for word in ["print", "exec"] {
        let is_call = line.trim_end() == word && said.starts_with("Simple statements");
        if is_call {
            return format!("`{word}` is a function in Python 3 and needs brackets");
        }
    }
    lowered(said)
}

/// The first block that is indented by another width than the first block of the file. Python takes it; a person
/// would not have written it.
fn uneven(source: &Source, parsed: &Parsed<ModModule>) -> Option<Diagnostic> {
    let mut levels = vec![0_usize];
    let mut usual = None;
    for token in parsed.tokens().iter() {
        match token.kind() {
            TokenKind::Indent => {
                let indent = token.range().len().to_usize();
                let width = indent.saturating_sub(levels.last().copied().unwrap_or(0));
                levels.push(indent);
                if *usual.get_or_insert(width) != width {
                    let usual = usual.unwrap_or(width);
                    let message = format!("this block is indented by {width}, the first one by {usual}");
                    return Some(source.at(token.end().to_usize(), Severity::Warning, message));
                }
            }
            TokenKind::Dedent => drop(levels.pop()),
            _ => {}
        }
    }
    None
}
