//! Tags of Handlebars and Mustache: `{{#if a}} … {{/if}}`.

use super::{Tags, Told};

/// The tags of a template; nothing is told of one that sets other marks.
pub fn tags(text: &str) -> Tags {
    let mut tags = Tags::default();
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("{{").map(|at| from + at) {
        from = at + 2;
        let inner = text[from..].trim_start_matches('{').trim_start_matches('~');
        if text[..at].ends_with('\\') {
            continue;
        }
        let mark = if inner.starts_with("!--") { "--}}" } else { "}}" };
        let Some(length) =
            inner.find(mark).filter(|length| mark == "--}}" || !inner[..*length].contains("{{"))
        else {
            continue;
        };
        let body = inner[..length].trim();
        if body.starts_with('=') {
            return Tags::default();
        }
        from = text.len() - inner.len() + length + mark.len();
        tags.places.push(at..from);
        if let Some(fault) = follow(&mut open, at, body) {
            tags.fault = Some(fault);
            return tags;
        }
    }
    let unended =
        open.first().map(|(at, name)| (*at, format!("the `{{{{#{name}}}}}` here has no `{{{{/{name}}}}}`")));
    tags.fault = unended;
    tags
}

/// Opens or closes a block.
fn follow<'t>(open: &mut Vec<(usize, &'t str)>, at: usize, body: &'t str) -> Option<Told> {
    let name = |rest: &'t str| {
        let rest = rest.trim_start_matches(['>', '*', ' ']);
        rest.split(|c: char| c.is_whitespace() || matches!(c, '~' | '|' | '(')).next().unwrap_or("")
    };
    if let Some(rest) = body.strip_prefix('#') {
        open.push((at, name(rest)));
    } else if let Some(rest) = body.strip_prefix('^').map(name).filter(|rest| !rest.is_empty()) {
        open.push((at, rest));
    } else if let Some(ended) = body.strip_prefix('/').map(name) {
        match open.pop() {
            Some((_, begun)) if begun == ended => {}
            Some((start, begun)) => {
                return Some((start, format!("the `{{{{#{begun}}}}}` here has no `{{{{/{begun}}}}}`")));
            }
            None => return Some((at, format!("`{{{{/{ended}}}}}` ends nothing"))),
        }
    }
    None
}
