//! One SQL statement against the tables that exist.

use std::collections::{HashMap, HashSet};

use super::schema::{self, Kind, Schema, Token};
use crate::answer::diagnostic::Severity;

/// Words that are no alias and no column where they stand.
const KEYWORDS: [&str; 58] = [
    "select",
    "from",
    "where",
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "outer",
    "cross",
    "on",
    "using",
    "as",
    "order",
    "group",
    "by",
    "having",
    "limit",
    "offset",
    "union",
    "all",
    "distinct",
    "set",
    "values",
    "into",
    "returning",
    "asc",
    "desc",
    "nulls",
    "like",
    "ilike",
    "between",
    "exists",
    "case",
    "when",
    "then",
    "else",
    "end",
    "true",
    "false",
    "default",
    "conflict",
    "do",
    "nothing",
    "update",
    "delete",
    "for",
    "fetch",
    "window",
    "natural",
    "lateral",
    "interval",
];

/// Columns that databases have by themselves.
const HIDDEN: [&str; 7] = ["rowid", "oid", "ctid", "xmin", "rownum", "current_date", "current_timestamp"];

/// A table or column that does not exist.
pub struct Problem {
    pub offset: usize,
    pub name: String,
    pub message: String,
    /// Whether the files contradict each other: a table that nothing makes may be made elsewhere.
    pub is_certain: bool,
}

impl Problem {
    pub fn severity(&self) -> Severity {
        if self.is_certain { Severity::Error } else { Severity::Warning }
    }
}

/// The tables of a statement by the names under which it uses them.
#[derive(Default)]
struct Scope {
    tables: HashMap<String, String>,
    /// All its tables are known: a plain column must be in one of them.
    is_closed: bool,
    /// Names that `AS` gave.
    aliases: HashSet<String>,
}

/// What is wrong with a statement that reads or writes.
pub fn problems(tokens: &[Token], schema: &Schema) -> Vec<Problem> {
    let mut found = Vec::new();
    let verbs = ["select", "insert", "update", "delete", "with", "replace"];
    if !tokens.first().is_some_and(|first| verbs.iter().any(|verb| first.is(verb))) {
        return found;
    }
    let scope = scope(tokens, schema, &mut found);
    inserted(tokens, schema, &mut found);
    columns(tokens, schema, &scope, &mut found);
    found
}

/// A table that nothing makes; none if it exists, or belongs to the database itself. Only one that is nearly called as
/// one that exists is certain: the others may be made by another migration.
pub fn missing_table(schema: &Schema, table: &str, offset: usize) -> Option<Problem> {
    let is_system = ["pg_", "sqlite_", "information_schema", "dual", "excluded", "unnest"]
        .iter()
        .any(|p| table.starts_with(p));
    if is_system || schema.tables.contains_key(table) {
        return None;
    }
    let near = schema.hints.of(table, schema.tables.keys().map(String::as_str));
    Some(Problem {
        offset,
        name: table.to_owned(),
        message: format!("no CREATE TABLE makes the table `{table}`{near}"),
        is_certain: near.severity() == Severity::Error,
    })
}

/// Why a column is missing from all of these tables; none if one has it or may have it.
pub fn missing_column<'t>(
    schema: &Schema,
    tables: impl IntoIterator<Item = &'t str>,
    column: &str,
) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut first = None;
    for name in tables {
        let table = schema.tables.get(name).filter(|table| !table.is_open)?;
        if table.columns.contains_key(column) || HIDDEN.contains(&column) {
            return None;
        }
        names.extend(table.columns.keys().map(String::as_str));
        first = first.or(Some(name));
    }
    Some(format!("the table `{}` has no column `{column}`{}", first?, schema.hints.of(column, names)))
}

/// The bracket levels of a statement: whether each holds a query of its own.
fn levels(tokens: &[Token]) -> Vec<bool> {
    let mut open = vec![true];
    let mut levels = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        if token.is("(") {
            open.push(tokens.get(at + 1).is_some_and(|next| next.is("select") || next.is("with")));
        } else if token.is(")") && open.len() > 1 {
            open.pop();
        }
        levels.push(open.last().copied().unwrap_or(true));
    }
    levels
}

fn scope(tokens: &[Token], schema: &Schema, found: &mut Vec<Problem>) -> Scope {
    let mut scope = Scope { is_closed: !tokens.iter().any(|t| t.is("with")), ..Scope::default() };
    let levels = levels(tokens);
    let derived: HashSet<&str> = derived(tokens).collect();
    scope.aliases =
        tokens.windows(2).filter(|t| t[0].is("as") && t[1].is_name()).map(|t| t[1].text.clone()).collect();
    let before = |at: usize, word: &str| at > 0 && tokens[at - 1].is(word);
    for at in 0..tokens.len() {
        let opens = tokens[at].is("from") && levels[at] && !before(at, "distinct")
            || tokens[at].is("join")
            || tokens[at].is("into")
            || tokens[at].is("update") && !before(at, "do") && !before(at, "for") && !before(at, "on");
        let mut next = opens.then_some(at + 1);
        while let Some(start) = next.take() {
            let Some((table, after)) = schema::table_name(tokens, start) else {
                scope.is_closed = false;
                break;
            };
            let is_function = tokens.get(after).is_some_and(|t| t.is("(")) && !tokens[at].is("into");
            if is_function || derived.contains(table.as_str()) || KEYWORDS.contains(&table.as_str()) {
                scope.is_closed = false;
                break;
            }
            found.extend(missing_table(schema, &table, tokens[after - 1].offset));
            let (alias, end) = alias(tokens, after);
            scope.is_closed &= schema.tables.get(&table).is_some_and(|t| !t.is_open);
            scope.tables.insert(alias.unwrap_or_else(|| table.clone()), table.clone());
            scope.tables.insert("excluded".to_owned(), table.clone());
            scope.tables.insert(table.clone(), table);
            next = (tokens[at].is("from") && tokens.get(end).is_some_and(|t| t.is(","))).then_some(end + 1);
        }
    }
    scope
}

/// Names of common table expressions and of queries in brackets.
fn derived(tokens: &[Token]) -> impl Iterator<Item = &str> {
    let named = |w: &[Token]| w[0].is_name() && w[1].is("as") && (w[2].is("(") || w[2].is("materialized"));
    let listed = |w: &[Token]| w[0].is(")") && w[1].is("as") && w[2].is("(");
    let has_list = tokens.windows(3).any(listed) && tokens.iter().any(|t| t.is("with"));
    let plain = tokens.windows(3).filter(move |w| named(w)).map(|w| w[0].text.as_str());
    let with_list = tokens
        .windows(2)
        .filter(move |w| has_list && w[0].is_name() && w[1].is("("))
        .map(|w| w[0].text.as_str());
    plain.chain(with_list)
}

fn alias(tokens: &[Token], after: usize) -> (Option<String>, usize) {
    let at = if tokens.get(after).is_some_and(|t| t.is("as")) { after + 1 } else { after };
    match tokens.get(at) {
        Some(token) if token.is_name() && !KEYWORDS.contains(&token.text.as_str()) => {
            (Some(token.text.clone()), at + 1)
        }
        _ => (None, after),
    }
}

/// The column list of INSERT.
fn inserted(tokens: &[Token], schema: &Schema, found: &mut Vec<Problem>) {
    for at in (0..tokens.len()).filter(|at| tokens[*at].is("into")) {
        let Some((table, after)) = schema::table_name(tokens, at + 1) else { continue };
        let is_list = tokens.get(after).is_some_and(|t| t.is("("))
            && !tokens.get(after + 1).is_some_and(|t| t.is("select"));
        let columns = if is_list { schema::definitions(&tokens[after..]) } else { Vec::new() };
        for name in columns.iter().filter(|part| part.len() == 1).map(|part| &part[0]).filter(|t| t.is_name())
        {
            report(schema, [table.as_str()], name, found);
        }
    }
}

fn report<'t>(
    schema: &Schema,
    tables: impl IntoIterator<Item = &'t str>,
    name: &Token,
    found: &mut Vec<Problem>,
) {
    if let Some(message) = missing_column(schema, tables, &name.text) {
        found.push(Problem { offset: name.offset, name: name.text.clone(), message, is_certain: true });
    }
}

fn columns(tokens: &[Token], schema: &Schema, scope: &Scope, found: &mut Vec<Problem>) {
    let mut clause = "";
    let clauses = [
        "select",
        "from",
        "where",
        "on",
        "having",
        "order",
        "group",
        "set",
        "returning",
        "values",
        "into",
        "limit",
    ];
    for (at, token) in tokens.iter().enumerate() {
        if let Some(word) = clauses.iter().find(|word| token.is(word)) {
            clause = word;
        }
        let before = at.checked_sub(1).map_or("", |at| tokens[at].text.as_str());
        let after = tokens.get(at + 1).map_or("", |next| next.text.as_str());
        if !token.is_name() || after == "(" {
            continue;
        }
        if before == "." && at >= 2 {
            let is_path = at >= 3 && tokens[at - 3].is(".");
            let table = scope.tables.get(&tokens[at - 2].text).filter(|_| !is_path && after != ".");
            if let Some(table) = table.filter(|_| clause != "from" && clause != "into") {
                report(schema, [table.as_str()], token, found);
            }
            continue;
        }
        let is_plain = token.kind == Kind::Word && !KEYWORDS.contains(&token.text.as_str()) && after != ".";
        let is_alias = scope.aliases.contains(&token.text) || before == "as";
        if scope.is_closed && is_plain && !is_alias && stands_for_column(clause, before, after) {
            report(schema, scope.tables.values().map(String::as_str), token, found);
        }
    }
}

/// Places where a plain word can only be a column.
fn stands_for_column(clause: &str, before: &str, after: &str) -> bool {
    let ends = |words: &[&str]| after.is_empty() || words.contains(&after);
    match clause {
        "select" => matches!(before, "select" | "distinct" | ",") && ends(&[",", "from", "as"]),
        "returning" => matches!(before, "returning" | ",") && ends(&[",", "as"]),
        "where" | "on" | "having" => {
            matches!(before, "where" | "and" | "or" | "on" | "not" | "having")
                && ["=", "<", ">", "!", "in", "is", "like", "ilike", "between", "not"].contains(&after)
        }
        "order" | "group" => {
            matches!(before, "by" | ",")
                && ends(&[",", "asc", "desc", "limit", "offset", "having", "order", "nulls"])
        }
        "set" if before == "=" => ["+", "-", "*", "/"].contains(&after),
        "set" => matches!(before, "set" | ",") && after == "=",
        _ => false,
    }
}
