//! Code in HTML: escaped, highlighted by Pygments where it is installed, and with numbered lines.

use pyo3::prelude::*;

/// Text that is safe in HTML. What would not be seen, or would turn the line around, is shown by its code point.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(c),
            c if c.is_control() || is_hidden(c) => html.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            c => html.push(c),
        }
    }
    html
}

/// Marks of direction, width and tags.
fn is_hidden(c: char) -> bool {
    matches!(u32::from(c), 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0xFEFF | 0xE0000..=0xE007F)
}

/// Code, each line an element of its own that the style sheet numbers.
pub(crate) fn lines(py: Python<'_>, code: &str, language: &str) -> String {
    let code = code.replace("\r\n", "\n");
    let pieces = pieces(py, &code, language).unwrap_or_else(|_| vec![(String::new(), code.clone())]);
    let mut html = String::with_capacity(code.len() * 2);
    html.push_str("<span class=\"l\">");
    let mut is_empty = true;
    for (class, text) in &pieces {
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                // A line without anything would have no height, and could not be selected.
                html.push_str(if is_empty {
                    "\n</span><span class=\"l\">"
                } else {
                    "</span><span class=\"l\">"
                });
                is_empty = true;
            }
            if part.is_empty() {
                continue;
            }
            is_empty = false;
            match shown(class) {
                Some(class) => html.push_str(&format!("<span class=\"{class}\">{}</span>", escape(part))),
                None => html.push_str(&escape(part)),
            }
        }
    }
    // The end of the last line begins none.
    if is_empty && code.ends_with('\n') {
        html.truncate(html.len() - "<span class=\"l\">".len());
        return html;
    }
    html.push_str("</span>");
    html
}

/// The classes of the style sheet.
fn shown(class: &str) -> Option<&'static str> {
    ["k", "s", "c", "n"].into_iter().find(|known| *known == class)
}

/// What fails here costs the colours and not the card.
fn pieces(py: Python<'_>, code: &str, language: &str) -> PyResult<Vec<(String, String)>> {
    let found: Vec<(String, String)> =
        py.import("claude_code._highlight")?.call_method1("pieces", (code, language))?.extract()?;
    Ok(found)
}
