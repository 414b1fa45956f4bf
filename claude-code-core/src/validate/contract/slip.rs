//! Slips in SQL that are certain in every dialect: a comma before nothing, a misspelt verb.

use super::schema::{self, Kind, Token};
use crate::validate::hint::nearest;

/// Words before which no comma stands.
const AFTER_LIST: [&str; 4] = ["from", "where", ")", ";"];
/// Verbs that a misspelt one may mean.
const VERBS: [&str; 7] = ["select", "insert", "update", "delete", "create", "alter", "truncate"];
/// Words that make a script a program of its own, in which statements begin otherwise.
const PROGRAM: [&str; 6] = ["begin", "declare", "delimiter", "loop", "procedure", "function"];

/// The first slip in a script: its place, and a sentence.
pub fn find(text: &str, tokens: &[Token]) -> Option<(usize, String)> {
    // Templates are SQL only once they were filled in.
    if text.contains("{{") || text.contains("{%") {
        return None;
    }
    comma(tokens).or_else(|| {
        let is_program = tokens.iter().any(|token| PROGRAM.iter().any(|word| token.is(word)));
        schema::statements(tokens).into_iter().filter(|_| !is_program).find_map(misspelt)
    })
}

fn comma(tokens: &[Token]) -> Option<(usize, String)> {
    let is_trailing = |pair: &&[Token]| pair[0].is(",") && AFTER_LIST.iter().any(|word| pair[1].is(word));
    let pair = tokens.windows(2).find(is_trailing)?;
    Some((pair[0].offset, format!("nothing follows this comma before `{}`", pair[1].text)))
}

fn misspelt(statement: &[Token]) -> Option<(usize, String)> {
    let [first, second, _, ..] = statement else { return None };
    let opens_value = second.kind == Kind::Punct && !second.is("*");
    if first.is("select") && !statement.iter().any(|token| token.is("from")) {
        return misspelt_from(statement);
    }
    let is_known = VERBS.contains(&first.text.as_str());
    let meant =
        nearest(&first.text, VERBS).filter(|_| first.kind == Kind::Word && !is_known && !opens_value)?;
    Some((first.offset, format!("`{}` begins no statement (did you mean `{meant}`?)", first.text)))
}

/// `SELECT a FORM t`: a name between two names that is one letter, or two swapped ones, away from `from`.
fn misspelt_from(statement: &[Token]) -> Option<(usize, String)> {
    let is_from =
        |token: &Token| matches!(token.text.as_str(), "form" | "fron" | "frm" | "fom" | "forn" | "fromm");
    let found = statement.windows(3).find(|w| {
        let after_list = w[0].is("*") || w[0].is(")") || w[0].is_name() && !w[0].is("as");
        w[1].kind == Kind::Word && is_from(&w[1]) && after_list && w[2].is_name()
    })?;
    Some((found[1].offset, format!("`{}` is no keyword (did you mean `from`?)", found[1].text)))
}
