//! Code within `<% … %>`: Ruby in ERB, JavaScript in EJS. What is around it is blanked, byte for byte in place.

use std::ops::Range;

use crate::answer::diagnostic::Diagnostic;
use crate::validate::source::Source;
use crate::validate::syntax::{grammar, script};

/// Where the tags are, and the errors in their code.
pub fn check(source: &Source, is_ruby: bool) -> (Vec<Range<usize>>, Vec<Diagnostic>) {
    let (places, view) = read(&source.text, is_ruby);
    let Some(view) = view else { return (places, Vec::new()) };
    let code = source.with(if is_ruby { "ruby" } else { "javascript" }, view);
    let mut found = if is_ruby { grammar::check(&code) } else { script::check(&code) };
    found.retain(Diagnostic::is_error);
    (places, found)
}

/// The places of the tags, and the code in them; none where a comment ends with its tag and not with its line.
fn read(text: &str, is_ruby: bool) -> (Vec<Range<usize>>, Option<String>) {
    let mut view: Vec<u8> =
        text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { byte } else { b' ' }).collect();
    let (mut places, mut is_readable) = (Vec::new(), true);
    let mut from = 0;
    while let Some(at) = text[from..].find("<%").map(|at| from + at) {
        let inner = &text[at + 2..];
        if inner.starts_with('%') {
            from = at + 3;
            continue;
        }
        let Some(length) = inner.find("%>") else {
            is_readable = false;
            break;
        };
        let end = at + 2 + length;
        from = end + 2;
        places.push(at..from);
        if inner.starts_with('#') {
            continue;
        }
        let is_shown = inner.starts_with(['=', '-']) && (is_ruby || !inner.starts_with("-%>"));
        let code = inner[..length].trim_start_matches(['=', '-', '_']);
        let start = end - code.len();
        let code = code.trim_end_matches(['-', '_']);
        is_readable &= !ends_in_comment(code, is_ruby);
        view[start..start + code.len()].copy_from_slice(code.as_bytes());
        if is_shown && (inner.starts_with('=') || !is_ruby) {
            view[at..at + 3].copy_from_slice(b"_ =");
        }
        view[end] = b';';
    }
    (places, String::from_utf8(view).ok().filter(|_| is_readable))
}

/// Whether what comes after a tag would be a part of its comment.
fn ends_in_comment(code: &str, is_ruby: bool) -> bool {
    let last = code.rsplit('\n').next().unwrap_or("").trim_start();
    match is_ruby {
        true => last.starts_with('#') || last.contains(" #"),
        false => last.contains("//"),
    }
}
