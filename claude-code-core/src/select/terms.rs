//! Technical terms (`terms.txt`), and which of them a text contains.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::words::is_unspaced;

/// One term with its place in the table.
struct Term {
    /// As it stands in a normalised text, with a space at the end where the whole word is meant.
    text: String,
    /// As it is told to people.
    name: &'static str,
    group: &'static str,
    weight: u32,
}

/// The table, with the places of terms by their first two characters (the second is a space for short ones).
struct Table {
    terms: Vec<Term>,
    starts: HashMap<(char, char), Vec<usize>>,
}

/// Matches of one group of terms in a text.
#[derive(Debug)]
pub(super) struct Hits {
    pub(super) group: &'static str,
    /// The weight of the heaviest term.
    pub(super) weight: u32,
    /// The terms, the heaviest first.
    pub(super) terms: Vec<&'static str>,
}

/// The groups that a normalised text contains terms of, in the order of the table. Each place where a term can
/// begin is looked up once, so that the time depends on the text and hardly on the size of the table: this runs
/// before the response cache is asked.
pub(super) fn hits(text: &str) -> Vec<Hits> {
    let table = table();
    let mut found: Vec<usize> = Vec::new();
    let mut after_space = true;
    for (at, first) in text.char_indices() {
        if after_space || is_unspaced(first) {
            let second = text[at + first.len_utf8()..].chars().next().unwrap_or(' ');
            let candidates =
                [(first, second), (first, ' ')].into_iter().take(if second == ' ' { 1 } else { 2 });
            let candidates = candidates.filter_map(|key| table.starts.get(&key)).flatten();
            found.extend(candidates.filter(|term| text[at..].starts_with(&table.terms[**term].text)));
        }
        after_space = first == ' ';
    }
    found.sort_unstable();
    found.dedup();
    grouped(found.into_iter().map(|at| &table.terms[at]))
}

/// Terms in the order of the table, by group.
fn grouped<'a>(terms: impl Iterator<Item = &'a Term>) -> Vec<Hits> {
    let mut groups: Vec<Hits> = Vec::new();
    for term in terms {
        match groups.iter_mut().find(|hits| hits.group == term.group) {
            // The rows of a group stand from the heaviest to the lightest.
            Some(hits) => hits.terms.push(term.name),
            None => groups.push(Hits { group: term.group, weight: term.weight, terms: vec![term.name] }),
        }
    }
    groups
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| parse(include_str!("terms.txt")))
}

fn parse(text: &'static str) -> Table {
    let (mut terms, mut group, mut weight) = (Vec::new(), "", 1);
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        match line.strip_prefix("= ").and_then(|head| head.rsplit_once(' ')) {
            Some((name, number)) => (group, weight) = (name, number.parse().unwrap_or(1)),
            None => terms.extend(line.split(',').map(str::trim).filter(|t| !t.is_empty()).map(|term| {
                let name = term.trim_end_matches('.');
                let whole = name.len() < term.len();
                Term { text: if whole { format!("{name} ") } else { name.to_owned() }, name, group, weight }
            })),
        }
    }
    let mut starts: HashMap<(char, char), Vec<usize>> = HashMap::new();
    for (at, term) in terms.iter().enumerate() {
        let mut chars = term.name.chars();
        if let Some(first) = chars.next() {
            starts.entry((first, chars.next().unwrap_or(' '))).or_default().push(at);
        }
    }
    Table { terms, starts }
}
