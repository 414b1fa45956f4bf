//! Rendering of a sample in the form that its request asks for.

use super::Sample;

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

/// The sentence, then each file between sentinel lines.
pub(super) fn sentinels(sample: &Sample, nonce: &str) -> String {
    let mut text = format!("{}\n", sample.sentence);
    for file in &sample.files {
        let (path, content) = (&file.path, &file.content);
        text.push_str(&format!("\n=== file {nonce}: {path} ===\n{content}=== end {nonce}: {path} ===\n"));
    }
    text
}

/// The sentence, then each file under its name in bold, in a fence longer than any within it.
pub(super) fn markdown(sample: &Sample) -> String {
    let mut text = format!("{}\n", sample.sentence);
    for file in &sample.files {
        let (path, language, content) = (&file.path, &file.language, &file.content);
        let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(3.max(longest + 1));
        text.push_str(&format!("\n**{path}**\n\n{fence}{language}\n{content}{fence}\n"));
    }
    text
}
