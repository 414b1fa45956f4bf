//! Our own lines: `=== file NONCE: PATH ===` and `=== end NONCE: PATH ===` around a file, and `=== no change NONCE ===`.

/// How every sentinel begins.
const START: &str = "=== ";
/// How every sentinel ends.
const END: &str = " ===";
/// Characters of a nonce that was not told in advance, all hexadecimal.
const NONCE_LENGTH: usize = 8;

/// A sentinel line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sentinel<'a> {
    pub is_end: bool,
    pub nonce: &'a str,
    pub path: &'a str,
}

/// Reads a line that may be a sentinel with this nonce, or with any if none is known.
pub(super) fn parse<'a>(line: &'a str, nonce: Option<&str>) -> Option<Sentinel<'a>> {
    let inner = line.strip_prefix(START)?.trim_end().strip_suffix(END)?;
    let (is_end, inner) = match inner.strip_prefix("file ") {
        Some(inner) => (false, inner),
        None => (true, inner.strip_prefix("end ")?),
    };
    let (found, path) = inner.split_once(": ")?;
    is_nonce(found, nonce).then_some(Sentinel { is_end, nonce: found, path })
}

/// Whether a line says that nothing has to change: `=== no change NONCE ===`.
pub(super) fn is_no_change(line: &str, nonce: Option<&str>) -> bool {
    let inner = line.trim_end().strip_prefix("=== no change ").and_then(|rest| rest.strip_suffix(END));
    inner.is_some_and(|found| is_nonce(found, nonce))
}

fn is_nonce(found: &str, nonce: Option<&str>) -> bool {
    match nonce {
        Some(nonce) => found == nonce,
        None => found.len() == NONCE_LENGTH && found.bytes().all(|b| b.is_ascii_hexdigit()),
    }
}
