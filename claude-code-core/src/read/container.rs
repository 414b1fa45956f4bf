//! Block quotes, list items and HTML blocks: where a fence may stand, and where its block ends.

use super::cursor::{Cursor, is_blank};
use super::fence::{self, Opener};

/// Deeper nesting is read as text: it bounds the work for each line.
const MAX_DEPTH: usize = 32;

#[derive(Clone, Copy, Debug)]
enum Container {
    Quote,
    /// Columns that a line must have before it to belong to the item.
    Item(usize),
}

#[derive(Clone, Copy, Debug)]
enum Html {
    UntilBlank,
    Until(&'static str),
}

/// The containers that are open at a line.
#[derive(Clone, Debug, Default)]
pub(super) struct Containers {
    stack: Vec<Container>,
    in_paragraph: bool,
    html: Option<Html>,
}

impl Containers {
    /// Whether a line's content is the line itself.
    pub fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    /// Whether nothing is open but perhaps a paragraph.
    pub fn is_plain(&self) -> bool {
        self.stack.is_empty() && self.html.is_none()
    }

    /// Says that lines of plain text were passed, and whether the last was not blank.
    pub fn passed(&mut self, in_paragraph: bool) {
        self.in_paragraph = in_paragraph;
    }

    /// Forgets everything that is open.
    pub fn reset(&mut self) {
        *self = Containers::default();
    }

    /// The content of a line within the open containers, or none if it does not belong to them.
    pub fn inside<'a>(&self, line: &'a str) -> Option<Cursor<'a>> {
        let (matched, cursor) = self.matched(line);
        (matched == self.stack.len()).then_some(cursor)
    }

    /// Takes a line outside blocks, and gives the fence that it opens.
    pub fn text_line<'a>(&mut self, line: &'a str) -> Option<Opener<'a>> {
        let (matched, cursor) = self.matched(line);
        let all = matched == self.stack.len();
        if let Some(html) = self.html.filter(|_| all) {
            self.html = Some(html).filter(|h| !h.ends(cursor.rest));
            return None;
        }
        self.html = None;
        if cursor.is_blank() {
            self.stack.truncate(matched);
            self.in_paragraph = false;
            return None;
        }
        let (cursor, opened) = self.open_containers(cursor, matched);
        self.leaf(cursor, matched, opened)
    }

    fn leaf<'a>(&mut self, cursor: Cursor<'a>, matched: usize, opened: bool) -> Option<Opener<'a>> {
        let opener = fence::opener(cursor);
        let html = html_start(cursor);
        let breaks = opener.is_some() || html.is_some() || is_heading_or_rule(cursor);
        if !opened && (breaks || !self.in_paragraph) {
            self.stack.truncate(matched);
        }
        let is_indented_code = !self.in_paragraph && cursor.indent() >= 4;
        self.in_paragraph = !breaks && !is_indented_code && !cursor.is_blank();
        self.html = html.filter(|h| matches!(h, Html::UntilBlank) || !h.ends(cursor.rest));
        opener
    }

    /// How many of the open containers a line continues, and what is left of it.
    fn matched<'a>(&self, line: &'a str) -> (usize, Cursor<'a>) {
        let mut cursor = Cursor::new(line);
        for (depth, container) in self.stack.iter().enumerate() {
            let indent = cursor.indent();
            match *container {
                Container::Item(width) if indent >= width || cursor.is_blank() => cursor = cursor.skip(width),
                Container::Quote if indent < 4 && cursor.skip(indent).rest.starts_with('>') => {
                    cursor = after_quote(cursor.skip(indent));
                }
                _ => return (depth, cursor),
            }
        }
        (self.stack.len(), cursor)
    }

    fn open_containers<'a>(&mut self, mut cursor: Cursor<'a>, matched: usize) -> (Cursor<'a>, bool) {
        let mut opened = false;
        while cursor.indent() < 4 && (self.stack.len() < MAX_DEPTH || (!opened && matched < MAX_DEPTH)) {
            let indent = cursor.indent();
            let text = cursor.skip(indent);
            let (container, rest) = if text.rest.starts_with('>') {
                (Container::Quote, after_quote(text))
            } else if let Some((width, rest)) = item(text, self.in_paragraph) {
                (Container::Item(indent + width), rest)
            } else {
                break;
            };
            if !opened {
                self.stack.truncate(matched);
            }
            self.stack.push(container);
            (opened, self.in_paragraph, cursor) = (true, false, rest);
        }
        (cursor, opened)
    }
}

fn after_quote(at: Cursor<'_>) -> Cursor<'_> {
    at.take(1).skip(1)
}

/// The width and the content of a list item that begins here. In a paragraph only an item that is not empty
/// and not numbered otherwise than 1 begins.
fn item(at: Cursor<'_>, in_paragraph: bool) -> Option<(usize, Cursor<'_>)> {
    let text = at.rest.as_bytes();
    let digits = text.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    let mark = match (digits, text.get(digits)?) {
        (0, b'-' | b'+' | b'*') if !is_heading_or_rule(at) => 1,
        (1..=9, b'.' | b')') if !in_paragraph || &at.rest[..digits] == "1" => digits + 1,
        _ => return None,
    };
    let after = at.take(mark);
    if after.is_blank() {
        return (!in_paragraph).then(|| (mark + 1, after.skip(1)));
    }
    match after.indent() {
        0 => None,
        blanks @ 1..=4 => Some((mark + blanks, after.skip(blanks))),
        _ => Some((mark + 1, after.skip(1))),
    }
}

fn is_heading_or_rule(at: Cursor<'_>) -> bool {
    let indent = at.indent();
    if indent >= 4 {
        return false;
    }
    let text = at.skip(indent).rest;
    let hashes = text.bytes().take(7).take_while(|b| *b == b'#').count();
    if (1..=6).contains(&hashes) {
        return matches!(text.as_bytes().get(hashes), None | Some(b' ' | b'\t' | b'\r' | b'\n'));
    }
    let Some(mark) = text.bytes().next().filter(|b| b"-*_".contains(b)) else {
        return false;
    };
    let mut marks = 0;
    text.bytes().all(|b| {
        marks += usize::from(b == mark);
        b == mark || matches!(b, b' ' | b'\t' | b'\r' | b'\n')
    }) && marks >= 3
}

/// Tags that begin an HTML block up to the next blank line (CommonMark 0.31, HTML blocks, 6).
const BLOCK_TAGS: &str = "
    address article aside base basefont blockquote body caption center col colgroup dd details dialog dir
    div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html
    iframe legend li link main menu menuitem nav noframes ol optgroup option p param search section summary
    table tbody td tfoot th thead title tr track ul
";

/// The HTML block that a line begins. Of CommonMark's seven kinds those that a page really shows; a lone
/// unknown tag begins none, because models wrap answers in tags of their own (`<answer>`, `<file>`).
fn html_start(at: Cursor<'_>) -> Option<Html> {
    let indent = at.indent();
    let text = at.skip(indent).rest;
    if indent >= 4 || !text.starts_with('<') {
        return None;
    }
    if text.starts_with("<!--") {
        return Some(Html::Until("-->"));
    }
    let tag = text[1..].strip_prefix('/').unwrap_or(&text[1..]);
    let length = tag.bytes().take(16).take_while(u8::is_ascii_alphanumeric).count();
    let ends = matches!(tag.as_bytes().get(length), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'>'))
        || tag[length..].starts_with("/>");
    let name = tag[..length].to_ascii_lowercase();
    match name.as_str() {
        "pre" if ends => Some(Html::Until("</pre>")),
        "script" if ends => Some(Html::Until("</script>")),
        "style" if ends => Some(Html::Until("</style>")),
        "textarea" if ends => Some(Html::Until("</textarea>")),
        name => {
            (ends && BLOCK_TAGS.split_ascii_whitespace().any(|tag| tag == name)).then_some(Html::UntilBlank)
        }
    }
}

impl Html {
    fn ends(self, line: &str) -> bool {
        match self {
            Html::UntilBlank => is_blank(line),
            Html::Until(end) => line.contains(end),
        }
    }
}
