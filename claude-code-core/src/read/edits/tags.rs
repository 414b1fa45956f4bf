//! Files between tags: `<file path="src/a.py">` to `</file>`, `<boltAction type="file" filePath="a.js">` to `</boltAction>`.

use super::super::{fence, info};

/// Attributes that give a name, beside those of info strings.
const NAMES: [&str; 2] = ["filePath", "file-path"];

/// A file between tags.
pub(in crate::read) struct TaggedFile {
    pub path: String,
    pub content: String,
}

/// The files between tags of a text, each tag alone on its line. A tag without its end is text.
pub(in crate::read) fn files(text: &str) -> Vec<TaggedFile> {
    let mut files = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find('\n') {
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        let found = opening(line).and_then(|(path, closing)| Some((path, content(after, &closing)?)));
        rest = match found {
            Some((path, (content, tail))) => {
                let content = fence::only_block(content).unwrap_or(content).to_owned();
                files.push(TaggedFile { path, content });
                tail
            }
            None => after,
        };
    }
    files
}

/// The name that a tag gives, and the tag that ends it.
fn opening(line: &str) -> Option<(String, String)> {
    let tag = line.trim().strip_prefix('<')?.strip_suffix('>')?;
    let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:".contains(*c)).collect();
    if name.is_empty() || tag.ends_with('/') {
        return None;
    }
    let own = NAMES.iter().find_map(|attribute| {
        let value = tag.split_once(&format!("{attribute}=\""))?.1;
        value.split('"').next().filter(|value| !value.is_empty())
    });
    let path = own.or_else(|| info::attribute(tag))?;
    Some((path.to_owned(), format!("</{name}>")))
}

/// The lines up to the closing tag, and what follows it.
fn content<'t>(text: &'t str, closing: &str) -> Option<(&'t str, &'t str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim() == closing {
            return Some((&text[..at], &text[at + line.len()..]));
        }
        at += line.len();
    }
    None
}
