//! SQL in the code and in .sql files fits the tables that are created.

use super::project::Project;
use super::schema::{self, Schema, TYPES, Token};
use super::{literals, slip, statement};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::source::Source;

/// Calls whose first argument is SQL, whatever its case.
const RUNS_SQL: [&str; 12] = [
    "execute",
    "executemany",
    "executescript",
    "text",
    "fetch",
    "fetchrow",
    "fetchval",
    "fetch_all",
    "fetch_one",
    "prepare",
    "read_sql",
    "read_sql_query",
];

/// Tables and columns that no CREATE TABLE of the answer makes, and faults in the schema itself.
pub fn check(project: &Project) -> Vec<(usize, Diagnostic)> {
    let mut schema = Schema::default();
    let scripts: Vec<(usize, &Source, Vec<Token>)> = scripts(project);
    scripts
        .iter()
        .filter(|(_, source, _)| source.path.is_some())
        .for_each(|(_, _, tokens)| schema.read(tokens));
    let is_whole = !schema.tables.is_empty();
    let mut found = Vec::new();
    for (index, source, tokens) in &scripts {
        let slip = || slip::find(&source.text, tokens).map(|(at, message)| source.error(at, message));
        let faults = balance(source, tokens)
            .or_else(slip)
            .map(|fault| vec![fault])
            .unwrap_or_else(|| script(source, &schema, tokens));
        found.extend(faults.into_iter().map(|fault| (*index, fault)));
    }
    let embedded = embedded(project);
    embedded.iter().for_each(|(_, _, _, tokens)| schema.read(tokens));
    if schema.tables.is_empty()
        || project.sources.iter().zip(project.sound).any(|(s, sound)| s.language == "sql" && !sound)
    {
        return found;
    }
    for (index, source, offset, tokens) in &embedded {
        for part in schema::statements(tokens) {
            for problem in statement::problems(part, &schema) {
                let severity =
                    if is_whole || problem.is_column { Severity::Error } else { Severity::Warning };
                found.push((
                    *index,
                    source.at(place(source, *offset, &problem.name), severity, problem.message),
                ));
            }
        }
    }
    found
}

fn scripts<'p>(project: &'p Project<'_>) -> Vec<(usize, &'p Source<'p>, Vec<Token>)> {
    let sources = project.sources.iter().enumerate().filter(|(_, s)| s.language == "sql" && !s.is_fragment());
    sources.map(|(index, source)| (index, source, schema::tokens(&source.text))).collect()
}

/// SQL in strings of code, with the place of its string.
fn embedded<'p>(project: &'p Project<'_>) -> Vec<(usize, &'p Source<'p>, usize, Vec<Token>)> {
    let mut found = Vec::new();
    for (index, source, module) in project.read() {
        for text in module.texts.iter().filter(|text| !text.is_doc) {
            let is_run = text.argument_of.as_deref().is_some_and(|callee| RUNS_SQL.contains(&callee));
            if is_sql(&text.text, is_run) {
                found.push((index, source, text.offset, schema::tokens(&text.text)));
            }
        }
    }
    let sources = project.sources.iter().enumerate().zip(project.sound);
    for ((index, source), _) in sources.filter(|((_, source), sound)| **sound && !source.is_fragment()) {
        let statements = literals::of(source).into_iter().filter(|(_, text)| is_sql(text, false));
        found.extend(statements.map(|(offset, text)| (index, source, offset, schema::tokens(text))));
    }
    found
}

/// English sentences begin with "Select" and "Update" too: keywords must be upper case, or the string be run.
fn is_sql(text: &str, is_run: bool) -> bool {
    let folded = if is_run { text.to_uppercase() } else { text.to_owned() };
    let mut words = folded.split_whitespace();
    let first = words.next().unwrap_or("");
    let has = |word: &str| folded.split(|c: char| !c.is_ascii_alphabetic()).any(|w| w == word);
    match first {
        "SELECT" | "DELETE" | "WITH" => has("FROM"),
        "INSERT" | "REPLACE" => has("INTO"),
        "UPDATE" => has("SET"),
        "CREATE" | "ALTER" => has("TABLE") || has("INDEX") || has("VIEW"),
        _ => false,
    }
}

/// Where a name stands within the string that begins at an offset, or the string.
fn place(source: &Source, offset: usize, name: &str) -> usize {
    let rest = source.text.get(offset..).unwrap_or("");
    let window = &rest[..rest.floor_char_boundary(4000)];
    window.to_ascii_lowercase().find(name).map_or(offset, |at| offset + at)
}

/// The first bracket that is not closed, or not opened.
fn balance(source: &Source, tokens: &[Token]) -> Option<Diagnostic> {
    let mut open: Vec<usize> = Vec::new();
    for token in tokens {
        let ends = token.is(";") && !open.is_empty();
        match token.text.as_str() {
            "(" if token.is("(") => open.push(token.offset),
            ")" if token.is(")") && open.pop().is_none() => {
                return Some(source.error(token.offset, "this `)` closes nothing"));
            }
            _ if ends => break,
            _ => {}
        }
    }
    open.first().map(|offset| source.error(*offset, "the `(` here is never closed"))
}

/// Faults of a script: its types, keys, indexes and statements.
fn script(source: &Source, schema: &Schema, tokens: &[Token]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if source.path.is_none() || schema.tables.is_empty() {
        return found;
    }
    let makes_types = tokens
        .windows(2)
        .any(|t| t[0].is("create") && ["type", "domain", "extension"].iter().any(|w| t[1].is(w)));
    for part in schema::statements(tokens) {
        let problems = match part.first() {
            Some(first) if first.is("create") => created(part, schema, makes_types),
            _ => statement::problems(part, schema).into_iter().map(|p| (p.offset, p.message)).collect(),
        };
        found.extend(problems.into_iter().map(|(offset, message)| source.error(offset, message)));
    }
    found
}

fn created(part: &[Token], schema: &Schema, makes_types: bool) -> Vec<(usize, String)> {
    let mut found = references(part, schema);
    if let Some(at) = part.iter().take(4).position(|t| t.is("table")) {
        let Some((name, after)) = schema::table_name(part, at + 1) else { return found };
        for definition in schema::definitions(&part[after..]) {
            found.extend(wrong_type(definition, schema).filter(|_| !makes_types));
            let is_key = schema::column(definition).is_none();
            let columns = if is_key { listed(definition) } else { Vec::new() };
            found.extend(columns.into_iter().filter_map(|c| missing_column(schema, &name, c)));
        }
    } else if part.iter().take(4).any(|t| t.is("index")) {
        found.extend(indexed(part, schema));
    }
    found
}

/// The columns of a key: plain names in its first bracket, unless it checks an expression or refers elsewhere.
fn listed(definition: &[Token]) -> Vec<&Token> {
    if definition.iter().any(|t| t.is("check") || t.is("exclude")) {
        return Vec::new();
    }
    schema::definitions(definition)
        .into_iter()
        .filter(|d| d.len() == 1)
        .filter_map(|d| d.first())
        .filter(|t| t.is_name())
        .collect()
}

fn wrong_type(definition: &[Token], schema: &Schema) -> Option<(usize, String)> {
    let column = schema::column(definition)?;
    let written = definition.get(1).filter(|t| t.kind == schema::Kind::Word)?;
    let near = schema.hints.of(&written.text, TYPES.iter().copied());
    let is_wrong = !TYPES.contains(&written.text.as_str()) && !near.is_empty();
    is_wrong.then(|| {
        (
            written.offset,
            format!("the column `{}` has the unknown type `{}`{near}", column.text, written.text),
        )
    })
}

fn references(part: &[Token], schema: &Schema) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in (0..part.len()).filter(|at| part[*at].is("references")) {
        let Some((table, after)) = schema::table_name(part, at + 1) else { continue };
        if let Some(message) = statement::missing_table(schema, &table) {
            found.push((part[after - 1].offset, message));
        } else if part.get(after).is_some_and(|t| t.is("(")) {
            let columns = listed(&part[after..]);
            found.extend(columns.into_iter().filter_map(|column| missing_column(schema, &table, column)));
        }
    }
    found
}

fn indexed(part: &[Token], schema: &Schema) -> Vec<(usize, String)> {
    let Some(on) = part.iter().position(|t| t.is("on")) else { return Vec::new() };
    let Some((table, after)) = schema::table_name(part, on + 1) else { return Vec::new() };
    if let Some(message) = statement::missing_table(schema, &table) {
        return vec![(part[after - 1].offset, message)];
    }
    let columns = schema::definitions(&part[after..]).into_iter().filter_map(|definition| match definition {
        [name] => Some(name),
        [name, next, ..] if !next.is("(") && !next.is(".") => Some(name),
        _ => None,
    });
    columns.filter(|name| name.is_name()).filter_map(|name| missing_column(schema, &table, name)).collect()
}

fn missing_column(schema: &Schema, table: &str, column: &Token) -> Option<(usize, String)> {
    let message = statement::missing_column(schema, [table], &column.text)?;
    Some((column.offset, message))
}
