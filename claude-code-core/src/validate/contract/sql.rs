//! SQL in the code and in .sql files fits the tables that are created.

use super::project::Project;
use super::schema::{self, Schema, Token};
use super::statement::Problem;
use super::types::TYPES;
use super::{literals, statement};
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
    // A type may be made in any of the scripts.
    let makes_types = scripts.iter().any(|(_, _, tokens)| makes_types(tokens));
    let mut found = Vec::new();
    for (index, source, tokens) in &scripts {
        if project.sound[*index] {
            let faults = script(source, &schema, tokens, makes_types);
            found.extend(faults.into_iter().map(|fault| (*index, fault)));
        }
    }
    // Tables that a test makes are its own.
    let mut embedded = embedded(project);
    embedded.retain(|(_, source, ..)| !source.is_test() || is_whole);
    embedded
        .iter()
        .filter(|(_, source, ..)| !source.is_test())
        .for_each(|(_, _, _, tokens)| schema.read(tokens));
    if schema.tables.is_empty()
        || project.sources.iter().zip(project.sound).any(|(s, sound)| s.language == "sql" && !sound)
    {
        return found;
    }
    for (index, source, offset, tokens) in &embedded {
        for part in schema::statements(tokens) {
            for problem in statement::problems(part, &schema) {
                let at = place(source, *offset, &problem.name);
                let severity = if source.is_test() { Severity::Warning } else { problem.severity() };
                found.push((*index, source.at(at, severity, problem.message)));
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

/// Whether a script makes types of its own.
fn makes_types(tokens: &[Token]) -> bool {
    let made = ["type", "domain", "extension"];
    tokens.windows(2).any(|pair| pair[0].is("create") && made.iter().any(|word| pair[1].is(word)))
}

/// Faults of a script: its types, keys, indexes and statements.
fn script(source: &Source, schema: &Schema, tokens: &[Token], makes_types: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if source.path.is_none() || schema.tables.is_empty() {
        return found;
    }
    for part in schema::statements(tokens) {
        let problems = match part.first() {
            Some(first) if first.is("create") => created(part, schema, makes_types),
            _ => statement::problems(part, schema),
        };
        found.extend(problems.into_iter().map(|p| source.at(p.offset, p.severity(), p.message)));
    }
    found
}

fn created(part: &[Token], schema: &Schema, makes_types: bool) -> Vec<Problem> {
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

/// A type that is not known, but nearly one that is. A word that is not a mistyped one may be a type of its own.
fn wrong_type(definition: &[Token], schema: &Schema) -> Option<Problem> {
    let column = schema::column(definition)?;
    let written =
        definition.get(1).filter(|t| t.kind == schema::Kind::Word && !TYPES.contains(&t.text.as_str()))?;
    let near = schema.hints.of(&written.text, TYPES.iter().copied());
    let message = format!("the column `{}` has the unknown type `{}`{near}", column.text, written.text);
    let is_certain = near.severity() == Severity::Error;
    (!near.is_empty()).then(|| Problem {
        offset: written.offset,
        name: written.text.clone(),
        message,
        is_certain,
    })
}

fn references(part: &[Token], schema: &Schema) -> Vec<Problem> {
    let mut found = Vec::new();
    for at in (0..part.len()).filter(|at| part[*at].is("references")) {
        let Some((table, after)) = schema::table_name(part, at + 1) else { continue };
        if let Some(problem) = statement::missing_table(schema, &table, part[after - 1].offset) {
            found.push(problem);
        } else if part.get(after).is_some_and(|t| t.is("(")) {
            let columns = listed(&part[after..]);
            found.extend(columns.into_iter().filter_map(|column| missing_column(schema, &table, column)));
        }
    }
    found
}

fn indexed(part: &[Token], schema: &Schema) -> Vec<Problem> {
    let Some(on) = part.iter().position(|t| t.is("on")) else { return Vec::new() };
    let Some((table, after)) = schema::table_name(part, on + 1) else { return Vec::new() };
    if let Some(problem) = statement::missing_table(schema, &table, part[after - 1].offset) {
        return vec![problem];
    }
    let columns = schema::definitions(&part[after..]).into_iter().filter_map(|definition| match definition {
        [name] => Some(name),
        [name, next, ..] if !next.is("(") && !next.is(".") => Some(name),
        _ => None,
    });
    columns.filter(|name| name.is_name()).filter_map(|name| missing_column(schema, &table, name)).collect()
}

fn missing_column(schema: &Schema, table: &str, column: &Token) -> Option<Problem> {
    let message = statement::missing_column(schema, [table], &column.text)?;
    Some(Problem { offset: column.offset, name: column.text.clone(), message, is_certain: true })
}
