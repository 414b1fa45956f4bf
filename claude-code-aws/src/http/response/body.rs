//! Response bodies of results.

use claude_code_core::{Error, Generation};
use serde_json::{Value, json};

use super::links::Link;

/// The result without its texts.
pub(crate) fn metadata(generation: &Generation) -> Value {
    without_texts(generation.schema())
}

/// The result with URLs in place of content. A diff has none: what changed is in the files.
pub(crate) fn linked(body: Value, links: &[Link]) -> Value {
    let had_diff = body["diff"].is_string();
    let mut body = without_texts(body);
    if had_diff {
        warn(&mut body, "the diff was left out of this large answer: compare the files".to_owned());
    }
    for (file, link) in body["files"].as_array_mut().into_iter().flatten().zip(links) {
        file["url"] = link.url.as_str().into();
        file["expires_at"] = link.expires_at.iso().into();
    }
    body
}

/// The body of something stored that has no links now, with a warning that names where they can be had.
pub(crate) fn unlinked(mut body: Value, error: &Error, place: &str) -> Value {
    let warning =
        format!("the files are stored and have no links now: {error}; GET {place} gives them later");
    warn(&mut body, warning);
    body
}

fn warn(body: &mut Value, warning: String) {
    match body["warnings"].as_array_mut() {
        Some(warnings) => warnings.push(warning.into()),
        None => body["warnings"] = json!([warning]),
    }
}

fn without_texts(mut body: Value) -> Value {
    body["text"] = "".into();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("diff");
    }
    for file in body["files"].as_array_mut().into_iter().flatten() {
        if let Some(file) = file.as_object_mut() {
            file.remove("content");
        }
    }
    body
}
