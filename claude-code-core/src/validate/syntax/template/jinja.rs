//! Tags in the manner of Jinja: `{% … %}`, `{{ … }}`, `{# … #}`.

use super::{Tags, Told, closed};
use crate::validate::source::Source;

/// Tags that always have an end; others may stand alone.
const CLOSED: [&str; 9] =
    ["if", "for", "macro", "filter", "autoescape", "unless", "spaceless", "verbatim", "raw"];

/// Tags whose inside is text.
const VERBATIM: [&str; 3] = ["raw", "verbatim", "comment"];

/// Words of Django, to which a tag without an end is text.
const DJANGO: [&str; 7] =
    ["{% load ", "{% url ", "{% csrf_token", "{% static ", "{% trans ", "{% blocktrans", "{% translate "];

/// Languages whose templates these tags fill in; in others `{{` may be text.
const SURE: [&str; 5] = ["html", "yaml", "sql", "css", "toml"];

/// Whether a text has a tag that begins with a word.
pub fn has_tags(text: &str) -> bool {
    read(text).0.iter().any(|tag| tag.is_block && !tag.word.is_empty())
}

/// The tags of a template.
pub fn tags(source: &Source) -> Tags {
    let text = source.text.as_ref();
    let (tags, open) = read(text);
    let is_sure =
        SURE.contains(&source.language) || super::JINJA.iter().any(|end| source.name().ends_with(end));
    let is_django = DJANGO.iter().any(|word| text.contains(word));
    let open = open.filter(|_| is_sure && !is_django).map(|at| {
        let mark = &text[at..at + 2];
        (at, format!("the `{mark}` here has no `{}`", if mark == "{{" { "}}" } else { "%}" }))
    });
    let words: Vec<(usize, &str)> = tags
        .iter()
        .filter(|tag| tag.is_block && !tag.word.is_empty())
        .map(|tag| (tag.place.start, tag.word))
        .collect();
    Tags { fault: open.or_else(|| fault(&words)), places: tags.into_iter().map(|tag| tag.place).collect() }
}

struct Tag<'t> {
    place: std::ops::Range<usize>,
    is_block: bool,
    word: &'t str,
}

/// The tags of a text, and the place of the first one without an end.
fn read(text: &str) -> (Vec<Tag<'_>>, Option<usize>) {
    let (mut tags, mut open) = (Vec::new(), None);
    let mut from = 0;
    while let Some(at) = text[from..].find('{').map(|at| from + at) {
        let mark = text.as_bytes().get(at + 1).copied().unwrap_or(0);
        from = at + 1;
        let end = match mark {
            b'#' => text[at..].find("#}").map(|end| at + end + 2),
            b'{' => closed(text, at + 2, "}}", &["{{", "{%"]),
            b'%' => closed(text, at + 2, "%}", &["{{", "{%"]),
            _ => continue,
        };
        let Some(end) = end else {
            if mark != b'#' {
                open.get_or_insert(at);
            }
            continue;
        };
        from = end;
        let inner = text[at + 2..end].trim_start_matches(['-', '+']).trim_start();
        let length = inner.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inner.len());
        let word = if mark == b'%' { &inner[..length] } else { "" };
        tags.push(Tag { place: at..end, is_block: mark == b'%', word });
        if VERBATIM.contains(&word) {
            from = verbatim_end(text, end, word);
        }
    }
    (tags, open)
}

/// Where the tag begins that ends text which is taken as it is; after the tag, if none does.
fn verbatim_end(text: &str, from: usize, word: &str) -> usize {
    let is_end = |at: usize| {
        let inner = text[at + 2..].trim_start_matches(['-', '+']).trim_start();
        inner.strip_prefix("end").is_some_and(|rest| rest.starts_with(word))
    };
    text[from..].match_indices("{%").map(|(at, _)| from + at).find(|at| is_end(*at)).unwrap_or(from)
}

fn fault(tags: &[(usize, &str)]) -> Option<Told> {
    // Tornado ends every block with the same word.
    if tags.iter().any(|(_, word)| *word == "end") {
        return None;
    }
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (at, word) in tags.iter().copied() {
        let Some(ended) = word.strip_prefix("end").filter(|ended| !ended.is_empty()) else {
            open.push((at, word));
            continue;
        };
        let Some(start) = open.iter().rposition(|(_, word)| *word == ended) else {
            if CLOSED.contains(&ended) {
                return Some((at, format!("`{{% {word} %}}` ends nothing")));
            }
            continue;
        };
        if let Some(inner) = unended(&open[start + 1..]) {
            return Some(inner);
        }
        open.truncate(start);
    }
    unended(&open)
}

fn unended(open: &[(usize, &str)]) -> Option<Told> {
    let (at, word) = open.iter().find(|(_, word)| CLOSED.contains(word))?;
    Some((*at, format!("the `{{% {word} %}}` here has no `{{% end{word} %}}`")))
}
