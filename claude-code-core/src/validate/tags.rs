//! Tags of HTML that do not close in order: the grammar lets them pass.

use super::source::Source;
use super::tree::MAX_DEPTH;
use crate::answer::diagnostic::Diagnostic;

/// Elements without an end.
const VOID: &str = " area base br col embed hr img input link meta param source track wbr ";
/// Elements whose end may be left out.
const MAY_STAY_OPEN: &str =
    " html head body p li dt dd option optgroup tr td th thead tbody tfoot colgroup caption rp rt ";
/// Elements that hold text and no elements.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];
/// Marks of templates: their tags are complete only once they were filled in.
const TEMPLATES: [&str; 5] = ["{%", "{{", "<%", "<?", "{#"];

/// A tag of HTML.
struct Tag {
    /// In lower case.
    name: String,
    offset: usize,
    is_end: bool,
    /// `/>`, as SVG and habit have it.
    closes_itself: bool,
    /// Another tag begins before its `>`.
    is_cut: bool,
}

/// The deepest nesting of elements that wait for their end.
pub fn depth(text: &str) -> usize {
    let mut stack: Vec<String> = Vec::new();
    let mut deepest = 0;
    tags(text, |tag| {
        if tag.is_end {
            if let Some(at) = stack.iter().rposition(|open| *open == tag.name) {
                stack.truncate(at);
            }
        } else if !tag.closes_itself && deepest <= MAX_DEPTH {
            stack.push(tag.name);
            deepest = deepest.max(stack.len());
        }
    });
    deepest
}

/// The first end tag of HTML that comes while another element is open, or that ends nothing. In a whole page also the
/// first element that is never ended.
pub fn html(source: &Source) -> Option<Diagnostic> {
    if TEMPLATES.iter().any(|mark| source.text.contains(mark)) {
        return None;
    }
    let mut stack: Vec<(String, usize)> = Vec::new();
    let mut fault: Option<(usize, String)> = None;
    let lower = source.text.to_ascii_lowercase();
    // A part of a page ends what another part begins; a page does not.
    let begins_page = lower.contains("<html") || lower.contains("<!doctype");
    tags(&source.text, |tag| {
        if fault.is_some() || stack.len() > MAX_DEPTH {
            return;
        }
        if tag.is_cut {
            fault = Some((tag.offset, format!("the tag `{}` here has no `>`", tag.name)));
        } else if !tag.is_end {
            if !tag.closes_itself {
                stack.push((tag.name, tag.offset));
            }
        } else if let Some(at) = stack.iter().rposition(|(open, _)| *open == tag.name) {
            let inner = stack[at + 1..].iter().find(|(open, _)| !may_stay_open(open));
            fault = inner.map(|(open, _)| {
                (tag.offset, format!("`</{}>` comes before the `<{open}>` inside it is closed", tag.name))
            });
            stack.truncate(at);
        } else if !may_stay_open(&tag.name)
            && !is_void(&tag.name)
            && (begins_page || stack.iter().any(|(open, _)| !may_stay_open(open)))
        {
            fault = Some((tag.offset, format!("`</{}>` ends nothing: no such element is open", tag.name)));
        }
    });
    if stack.len() > MAX_DEPTH {
        return None;
    }
    let is_page = begins_page && lower.contains("</html>");
    let open = || stack.iter().find(|(open, _)| !may_stay_open(open)).filter(|_| is_page);
    let fault =
        fault.or_else(|| open().map(|(name, at)| (*at, format!("the `<{name}>` here is never closed"))));
    fault.map(|(offset, message)| source.error(offset, message))
}

fn may_stay_open(name: &str) -> bool {
    MAY_STAY_OPEN.contains(&format!(" {name} "))
}

fn is_void(name: &str) -> bool {
    VOID.contains(&format!(" {name} "))
}

/// Calls `take` for each tag, void elements left out.
fn tags(text: &str, mut take: impl FnMut(Tag)) {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let inner = &rest[at + 1..];
        if let Some(comment) = inner.strip_prefix("!--") {
            rest = after(comment, "-->");
            continue;
        }
        let body = inner.strip_prefix('/').unwrap_or(inner);
        if !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
            rest = inner;
            continue;
        }
        let length = body.find(|c: char| c.is_whitespace() || "/><".contains(c)).unwrap_or(body.len());
        let (attributes, tail) = attributes(&body[length..]);
        let name = body[..length].to_ascii_lowercase();
        let is_end = body.len() < inner.len();
        rest = tail;
        if !is_end && RAW.contains(&name.as_str()) {
            rest = raw_end(tail, &name);
        }
        if !is_void(&name) {
            let offset = inner.as_ptr().addr() - text.as_ptr().addr() - 1;
            let is_cut = !text[..text.len() - tail.len()].ends_with('>');
            take(Tag { name, offset, is_end, closes_itself: attributes.ends_with('/'), is_cut });
        }
    }
}

fn after<'t>(text: &'t str, end: &str) -> &'t str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

/// From the end tag of an element that holds text only.
fn raw_end<'t>(text: &'t str, name: &str) -> &'t str {
    let is_end = |at: &usize| text[at + 2..].get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name));
    text.match_indices("</").map(|(at, _)| at).find(is_end).map_or("", |at| &text[at..])
}

/// The attributes of a tag, and the text after its `>`. A `<` outside quotes ends a tag that was not closed.
fn attributes(text: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') if text[..at].trim_end().ends_with('=') => quote = Some(c),
            (None, '>') => return (&text[..at], &text[at + 1..]),
            (None, '<') => return (&text[..at], &text[at..]),
            _ => {}
        }
    }
    (text, "")
}
