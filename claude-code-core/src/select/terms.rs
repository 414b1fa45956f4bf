//! The words of the trade (`terms.txt`) and which of them a text contains.

use std::sync::OnceLock;

use super::words::is_unspaced;

/// The terms of one group with one weight.
struct Row {
    group: &'static str,
    weight: u32,
    /// As they stand in a normalised text: after a space where the script has spaces.
    terms: Vec<String>,
}

/// What a text contains of one group.
#[derive(Debug)]
pub(super) struct Hits {
    pub(super) group: &'static str,
    /// The weight of the heaviest term.
    pub(super) weight: u32,
    /// The terms, the heaviest first.
    pub(super) terms: Vec<&'static str>,
}

/// The groups that a normalised text contains terms of, in the order of the table.
pub(super) fn hits(text: &str) -> Vec<Hits> {
    let mut found: Vec<Hits> = Vec::new();
    for row in table() {
        let terms = row.terms.iter().filter(|term| text.contains(term.as_str())).map(|term| term.trim());
        let terms: Vec<&'static str> = terms.collect();
        if terms.is_empty() {
            continue;
        }
        match found.iter_mut().find(|hits| hits.group == row.group) {
            // The rows of a group stand from the heaviest to the lightest.
            Some(hits) => hits.terms.extend(terms),
            None => found.push(Hits { group: row.group, weight: row.weight, terms }),
        }
    }
    found
}

fn table() -> &'static [Row] {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    TABLE.get_or_init(|| parse(include_str!("terms.txt")))
}

fn parse(text: &'static str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        match line.strip_prefix("= ").and_then(|head| head.rsplit_once(' ')) {
            Some((group, weight)) => {
                rows.push(Row { group, weight: weight.parse().unwrap_or(1), terms: Vec::new() });
            }
            None => {
                let terms = line.split(',').map(str::trim).filter(|term| !term.is_empty()).map(as_written);
                if let Some(row) = rows.last_mut() {
                    row.terms.extend(terms);
                }
            }
        }
    }
    rows
}

/// A term as it is searched for.
fn as_written(term: &'static str) -> String {
    let start = if term.starts_with(is_unspaced) { "" } else { " " };
    match term.strip_suffix('.') {
        Some(word) => format!("{start}{word} "),
        None => format!("{start}{term}"),
    }
}
