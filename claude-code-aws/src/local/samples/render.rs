//! Rendering of a sample in the form that its request asks for.

use super::{Sample, SampleFile};
use crate::local::responder::{Question, Role};

/// Characters of a nonce in a sentinel line.
const NONCE: usize = 8;

/// The nonce of the first sentinel line that a text describes: `=== file 0123abcd: …`.
pub(super) fn nonce(text: &str) -> Option<&str> {
    text.split("=== file ").skip(1).find_map(|rest| {
        let (nonce, after) = (rest.get(..NONCE)?, rest.get(NONCE..)?);
        let is_nonce = nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_nonce && after.starts_with(':')).then_some(nonce)
    })
}

/// The whole answer: between sentinel lines where the question has a nonce, else as Markdown. Whoever asks without the
/// protocol cannot ask for a repair, and gets the repaired answer at once.
pub(super) fn answer(sample: &Sample, nonce: Option<&str>, is_repair: bool) -> String {
    let repaired = sample.repaired.as_ref().filter(|_| is_repair || nonce.is_none());
    let (sentence, files) = match repaired {
        Some((sentence, files)) => (sentence, files),
        None => (&sample.sentence, &sample.files),
    };
    match nonce {
        Some(nonce) => sentinels(sentence, files, nonce),
        None => markdown(sentence, files),
    }
}

/// So many lines of a text from its beginning; none if it has no more.
pub(super) fn first(text: &str, lines: usize) -> Option<&str> {
    let end = text.match_indices('\n').nth(lines.checked_sub(1)?)?.0 + 1;
    text.get(..end).filter(|first| first.len() < text.len())
}

/// What is left of an answer that was cut, from the line that the question wants repeated; none where the question does
/// not go on with this answer.
pub(super) fn rest<'t>(full: &'t str, question: &Question) -> Option<&'t str> {
    let [.., received, request] = question.messages.as_slice() else { return None };
    if (received.role, request.role) != (Role::Assistant, Role::User) || !full.starts_with(&received.text) {
        return None;
    }
    let line = request.text.trim_end().lines().next_back()?;
    // What was received comes without the line break at its end.
    let at = full[..received.text.len()].rfind(line).unwrap_or(received.text.len());
    full.get(at..)
}

/// The sentence, then each file between sentinel lines.
fn sentinels(sentence: &str, files: &[SampleFile], nonce: &str) -> String {
    let mut text = format!("{sentence}\n");
    for file in files {
        let (path, content) = (&file.path, &file.content);
        text.push_str(&format!("\n=== file {nonce}: {path} ===\n{content}=== end {nonce}: {path} ===\n"));
    }
    text
}

/// The sentence, then each file under its name in bold, in a fence longer than any within it.
fn markdown(sentence: &str, files: &[SampleFile]) -> String {
    let mut text = format!("{sentence}\n");
    for file in files {
        let (path, language, content) = (&file.path, &file.language, &file.content);
        let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(3.max(longest + 1));
        text.push_str(&format!("\n**{path}**\n\n{fence}{language}\n{content}{fence}\n"));
    }
    text
}
