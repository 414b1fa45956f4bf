//! Our own lines around a file: `=== file NONCE: PATH ===` and `=== end NONCE: PATH ===`.

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
    let fits = match nonce {
        Some(nonce) => found == nonce,
        None => found.len() == NONCE_LENGTH && found.bytes().all(|b| b.is_ascii_hexdigit()),
    };
    fits.then_some(Sentinel { is_end, nonce: found, path })
}
