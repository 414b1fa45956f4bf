//! Files and edits between tags, as tools and agents ask their models for them: `<file path="a.py">` to `</file>`,
//! `<boltAction type="file" filePath="a.js">`, a tool's tag with `<path>` and `<content>`, and `<search>` with `<replace>`.

use super::super::answer::Edit;
use super::super::{fence, info};

/// Attributes that give a name, beside those of info strings.
const NAMES: [&str; 2] = ["filePath", "file-path"];
/// Tags whose content is a name.
const PATHS: [&str; 6] = ["path", "file_path", "filepath", "filename", "file", "name"];
/// Tags whose content is that of the file named beside them.
const CONTENTS: [&str; 5] = ["content", "contents", "file_text", "file_content", "code"];
/// Tags around what an edit looks for, and around what takes its place.
const SEARCHES: [&str; 6] = ["search", "old_str", "old_string", "old", "find", "original"];
const REPLACES: [&str; 6] = ["replace", "new_str", "new_string", "new", "replacement", "updated"];

/// Tags within tags that are looked into.
const MAX_LEVELS: usize = 8;

/// A file between tags.
pub(in crate::read) struct TaggedFile {
    pub path: String,
    pub content: String,
}

/// What stands between tags.
#[derive(Default)]
pub(in crate::read) struct Tagged {
    pub files: Vec<TaggedFile>,
    pub edits: Vec<Edit>,
}

/// A tag at the beginning of a line, and what follows it.
struct Tag<'t> {
    name: &'t str,
    path: Option<String>,
    after: &'t str,
}

/// What stands between tags of a text, each at the beginning of a line. A tag without its end is text.
pub(in crate::read) fn read(text: &str) -> Tagged {
    let mut tagged = Tagged::default();
    collect(text, None, MAX_LEVELS, &mut tagged);
    tagged
}

fn collect(text: &str, mut path: Option<String>, levels: usize, tagged: &mut Tagged) {
    let mut rest = text;
    while !rest.is_empty() {
        let next = rest.find('\n').map_or("", |end| &rest[end + 1..]);
        let element = opening(rest).and_then(|tag| {
            let (inner, tail) = inside(tag.after, tag.name)?;
            Some((tag, inner, tail))
        });
        let Some((tag, inner, tail)) = element else {
            rest = next;
            continue;
        };
        rest = tail;
        if PATHS.contains(&tag.name) && tag.path.is_none() && info::is_name(inner.trim()) {
            path = Some(inner.trim().to_owned());
        } else if SEARCHES.contains(&tag.name) {
            if let Some((replace, tail)) = replacement(tail) {
                let (search, replace) = (lines(inner), lines(replace));
                let line = 1 + text[..text.len() - tail.len()].matches('\n').count();
                tagged.edits.push(Edit { path: path.clone(), search, replace, line, ..Edit::default() });
                rest = tail;
            }
        } else if CONTENTS.contains(&tag.name) && tag.path.is_none() && path.is_some() {
            let content = lines(inner);
            tagged.files.extend(path.take().map(|path| TaggedFile { path, content }));
        } else if levels > 0 && has_parts(inner) {
            collect(inner, tag.path.or_else(|| path.clone()), levels - 1, tagged);
        } else if let Some(path) = tag.path {
            tagged.files.push(TaggedFile { path, content: lines(inner) });
        } else {
            rest = next;
        }
    }
}

/// The tag with which a text begins.
fn opening(text: &str) -> Option<Tag<'_>> {
    let text = text.trim_start_matches([' ', '\t']);
    let inner = text.strip_prefix('<')?;
    let end = inner.find('>').filter(|end| !inner[..*end].contains('\n') && !inner[..*end].ends_with('/'))?;
    let tag = &inner[..end];
    let length = tag.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:".contains(c))).unwrap_or(tag.len());
    let name = &tag[..length];
    let own = NAMES.iter().find_map(|attribute| {
        let value = tag.split_once(&format!("{attribute}="))?.1;
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        value[1..].split(quote).next().filter(|value| !value.is_empty())
    });
    let path = own.or_else(|| info::attribute(tag)).map(str::to_owned);
    (!name.is_empty()).then_some(Tag { name, path, after: &inner[end + 1..] })
}

/// What stands before the closing tag, and what follows its line: a tag alone on its line, else one at the end of a line.
fn inside<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let closing = format!("</{name}>");
    let mut at = 0;
    let mut in_line = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let after = &text[at + line.len()..];
        if bare.trim_start() == closing {
            return Some((&text[..at], after));
        }
        if bare.ends_with(&closing) && in_line.is_none() {
            in_line = Some((&text[..at + bare.len() - closing.len()], after));
            if at == 0 {
                return in_line;
            }
        }
        at += line.len();
    }
    in_line
}

/// What takes the place of what was looked for: the next element.
fn replacement(text: &str) -> Option<(&str, &str)> {
    let tag = opening(text.trim_start())?;
    if REPLACES.contains(&tag.name) { inside(tag.after, tag.name) } else { None }
}

/// Whether a name with content, or an edit, stands in it.
fn has_parts(inner: &str) -> bool {
    let first = opening(inner.trim_start_matches(['\n', '\r', ' ', '\t']));
    first.is_some_and(|tag| {
        let is_name = PATHS.contains(&tag.name) && tag.path.is_none();
        let has = |tags: &[&str]| tags.iter().any(|tag| inner.contains(&format!("<{tag}>")));
        SEARCHES.contains(&tag.name) && has(&REPLACES)
            || (is_name && (has(&CONTENTS) || (has(&SEARCHES) && has(&REPLACES))))
            || (tag.path.is_some() && NAMES.iter().any(|name| inner.contains(name)))
    })
}

/// The text between two tags as lines: without the line end behind the first one, a CDATA section or a fence around it.
fn lines(inner: &str) -> String {
    let trimmed = inner.trim();
    let inner = trimmed.strip_prefix("<![CDATA[").and_then(|rest| rest.strip_suffix("]]>")).unwrap_or(inner);
    let inner = inner.strip_prefix("\r\n").or_else(|| inner.strip_prefix('\n')).unwrap_or(inner);
    let inner = fence::only_block(inner).unwrap_or(inner);
    // The blanks before a closing tag are its indentation.
    let inner = inner.trim_end_matches([' ', '\t']);
    if inner.is_empty() || inner.ends_with('\n') { inner.to_owned() } else { format!("{inner}\n") }
}
