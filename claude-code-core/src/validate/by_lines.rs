//! Definitions by how lines begin, in languages without a grammar.

use super::definitions::Item;

/// Words that may stand before the one that says what is defined.
const MODIFIERS: &str = "
    pub public private internal protected open override abstract final static async export default data sealed inline suspend
    extern unsafe partial fileprivate external operator infix tailrec lateinit const virtual mutating indirect local create or
    replace temp temporary if not exists materialized unique
";

/// Words that say what is defined.
const KEYWORDS: &str = "
    fun func function def defp defmodule defmacro class struct enum interface trait type object module protocol extension record
    actor typealias sub proc macro contract message service mixin table view index procedure trigger schema sequence domain
    param let
";

/// The definitions of a text, and what else stands between them without indentation.
pub(super) fn items(language: &str, text: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let name = match language {
            "yaml" => key(line, ':'),
            "toml" | "ini" => section(line),
            "makefile" => key(line, ':'),
            "json" | "markdown" | "html" | "css" | "text" | "xml" | "dockerfile" => None,
            "sql" => keyword_name(&line.to_ascii_lowercase()),
            _ => keyword_name(line),
        };
        let Some(name) = name else {
            if is_statement(language, line) {
                items.push(Item { range: start..at, core: start..at, ..Item::default() });
            } else if let Some(last) = items.last_mut().filter(|_| !line.trim().is_empty()) {
                last.range.end = at;
                last.core.end = at;
            }
            continue;
        };
        items.push(Item { names: vec![name], range: start..at, core: start..at, ..Item::default() });
    }
    if language == "json" { of_json(text) } else { items }
}

/// Whether a line without indentation is something of its own behind a definition: more than what closes that one.
fn is_statement(language: &str, line: &str) -> bool {
    let is_keyed = matches!(language, "yaml" | "toml" | "ini" | "makefile" | "sql");
    let word = line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    !is_keyed
        && !word.is_empty()
        && !matches!(word, "end" | "else" | "elif" | "elsif" | "rescue" | "catch" | "where" | "fi")
}

fn keyword_name(line: &str) -> Option<String> {
    if line.starts_with([' ', '\t']) {
        return None;
    }
    let is_in = |list: &str, word: &str| list.split_ascii_whitespace().any(|one| one == word);
    let mut words =
        line.split(|c: char| c.is_whitespace() || "(<{:=".contains(c)).filter(|word| !word.is_empty());
    let keyword = words.find(|word| !is_in(MODIFIERS, word) && !word.starts_with('@'))?;
    let name = words.find(|word| !is_in(MODIFIERS, word))?.trim_end_matches([';', ',', ')']);
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || "_\"`$".contains(c));
    (is_in(KEYWORDS, keyword) && is_name).then(|| name.to_owned())
}

fn key(line: &str, mark: char) -> Option<String> {
    let (key, _) = line.split_once(mark)?;
    let is_key = key.starts_with(|c: char| c.is_alphanumeric() || "_\"'.".contains(c))
        && !key.contains([' ', '=', '$']);
    is_key.then(|| key.trim_matches(['"', '\'']).to_owned())
}

fn section(line: &str) -> Option<String> {
    let name = line.trim_end().strip_prefix('[')?.trim_end_matches(']');
    (!name.starts_with('[')).then(|| name.to_owned())
}

/// The keys of an object's first level.
fn of_json(text: &str) -> Vec<Item> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(text.trim_start_matches('\u{feff}'))
    else {
        return Vec::new();
    };
    fields.keys().map(|key| Item { names: vec![key.clone()], ..Item::default() }).collect()
}
