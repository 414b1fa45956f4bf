//! Tags of Go's text/template: `{{ … }}`.

use std::ops::Range;

use super::{MAX_TAG, Tags, Told, end_of};
use crate::validate::source::Source;

/// Words that an `end` closes.
const OPEN: [&str; 5] = ["if", "range", "with", "define", "block"];

/// Whether a text has a tag that ends a block.
pub fn has_end(text: &str) -> bool {
    text.contains("{{") && read(text).0.iter().any(|(_, word)| *word == "end")
}

/// The tags of a template. One without an end is a fault in files that are templates by their names.
pub fn tags(source: &Source) -> Tags {
    let (tags, open) = read(&source.text);
    let is_named = super::is_helm(source) || super::GO.iter().any(|ending| source.name().ends_with(ending));
    let open = open.filter(|_| is_named).map(|at| (at, "the `{{` here has no `}}`".to_owned()));
    Tags { fault: open.or_else(|| fault(&tags)), places: tags.into_iter().map(|(place, _)| place).collect() }
}

/// Each tag with its first word, and the place of the first one without an end.
fn read(text: &str) -> (Vec<(Range<usize>, &str)>, Option<usize>) {
    let (mut tags, mut open) = (Vec::new(), None);
    let mut from = 0;
    while let Some(at) = text[from..].find("{{").map(|at| from + at) {
        let inner = text[at + 2..].trim_start_matches('-').trim_start();
        let is_comment = inner.starts_with("/*");
        let end = match is_comment {
            true => text[at..].find("*/").and_then(|end| Some(at + end + text[at + end..].find("}}")? + 2)),
            false => {
                // Longer tags are none: looking for the end of each would take time that grows with its square.
                let near = &text[..text.ceil_char_boundary(at + MAX_TAG)];
                end_of(near, at + 2, "}}").filter(|end| !has_another(&text[at + 2..*end]))
            }
        };
        let Some(end) = end else {
            open.get_or_insert(at);
            from = at + 2;
            continue;
        };
        let length = inner.find(|c: char| !c.is_alphanumeric()).unwrap_or(inner.len());
        // `range(…)` is a function of Jinja.
        let is_word = !is_comment && !inner[length..].starts_with('(');
        tags.push((at..end, if is_word { &inner[..length] } else { "" }));
        from = end;
    }
    (tags, open)
}

/// Whether another tag begins within one, outside its strings.
fn has_another(tag: &str) -> bool {
    let mut quote = None;
    let mut chars = tag.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some('"' | '\''), '\\') => drop(chars.next()),
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '`' | '\'') => quote = Some(c),
            (None, '{') if tag[at..].starts_with("{{") => return true,
            _ => {}
        }
    }
    false
}

fn fault(tags: &[(Range<usize>, &str)]) -> Option<Told> {
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (place, word) in tags {
        if OPEN.contains(word) {
            open.push((place.start, word));
        } else if *word == "end" && open.pop().is_none() {
            return Some((place.start, "`{{ end }}` ends nothing".to_owned()));
        }
    }
    open.last().map(|(at, word)| (*at, format!("the `{{{{ {word} }}}}` here has no `{{{{ end }}}}`")))
}
