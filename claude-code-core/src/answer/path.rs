//! Path policy for file names from a model: refused or accepted unchanged, never cleaned.
//!
//! A name is judged by the rules of POSIX and Windows at once, so that the same answer works everywhere. Disk,
//! object keys and bundles all ask here.

use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The longest path, bytes: an S3 key holds 1,024 with our prefix before it.
pub const MAX_PATH: usize = 900;
/// The longest component, bytes: common file systems hold 255, less our temporary suffix.
pub const MAX_COMPONENT: usize = 240;
/// The deepest path, components.
pub const MAX_DEPTH: usize = 20;
/// Files of one answer.
pub const MAX_FILES: usize = 500;
/// Bytes of one file: more than a model writes in one answer, and what a reader may hold.
pub const MAX_FILE_BYTES: usize = 2_000_000;
/// Bytes of all files of one answer.
pub const MAX_TOTAL_BYTES: usize = 16_000_000;

/// Characters that no name may hold: separators, drive letters, wildcards and quotes of Windows.
const FORBIDDEN: &str = "\\:*?\"<>|";

/// Device names of Windows. `COM1` to `LPT9` are matched apart.
const DEVICES: [&str; 7] = ["con", "prn", "aux", "nul", "clock$", "conin$", "conout$"];

/// Why a path from a model is refused, as a plain sentence without the path; none if it may be used as it is.
pub fn refusal(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("the path is empty".to_owned());
    }
    if path.len() > MAX_PATH {
        return Some(format!("the path has {} bytes, more than {MAX_PATH}", path.len()));
    }
    if path.starts_with('/') {
        return Some("the path is absolute; a path relative to the root is needed".to_owned());
    }
    if path.starts_with('~') {
        return Some("the path begins with ~, which shells read as a home directory".to_owned());
    }
    if let Some(reason) = path.chars().find_map(refused_char) {
        return Some(reason);
    }
    if !is_nfc(path) {
        return Some("the path is not in Unicode's composed form (NFC)".to_owned());
    }
    let depth = path.split('/').count();
    if depth > MAX_DEPTH {
        return Some(format!("the path has {depth} levels, more than {MAX_DEPTH}"));
    }
    path.split('/').find_map(refused_component)
}

/// A path without the `./` that it may begin with: the directory that everything is relative to.
pub fn without_here(path: String) -> String {
    let bare = path.trim_start_matches("./");
    if bare.len() == path.len() || bare.is_empty() { path } else { bare.to_owned() }
}

/// Why files cannot be written beside each other: a refused path, two that are one on some system, a file that
/// is another's directory, or too many or too large ones. The sentence names the path.
pub fn refuse_set<'a>(files: impl IntoIterator<Item = (&'a str, usize)>) -> Option<String> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut total = 0_usize;
    for (path, size) in files {
        if let Some(reason) = refusal(path) {
            return Some(format!("{path:?} cannot be used: {reason}"));
        }
        if size > MAX_FILE_BYTES {
            return Some(format!("{path:?} has {size} bytes, more than {MAX_FILE_BYTES}"));
        }
        total = total.saturating_add(size);
        if let Some(other) = seen.insert(fold(path), path) {
            return Some(format!("{path:?} and {other:?} are one file on some systems"));
        }
        if seen.len() > MAX_FILES {
            return Some(format!("there are more than {MAX_FILES} files"));
        }
    }
    if total > MAX_TOTAL_BYTES {
        return Some(format!("the files have {total} bytes together, more than {MAX_TOTAL_BYTES}"));
    }
    file_as_directory(&seen)
}

/// A path as case-insensitive systems compare it. Upper and then lower case of the composed form: stricter than
/// `to_lowercase` alone (ß and ss, ſ and s fall together), close to Unicode's full case folding without its table.
pub fn fold(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    let composed: String = path.nfc().collect();
    composed.to_uppercase().to_lowercase().nfc().collect()
}

fn file_as_directory(seen: &HashMap<String, &str>) -> Option<String> {
    let mut clashes: Vec<(&str, &str)> = seen
        .iter()
        .flat_map(|(folded, path)| {
            let parents = folded.match_indices('/').map(|(at, _)| &folded[..at]);
            parents.filter_map(|parent| seen.get(parent).map(|file| (*file, *path)))
        })
        .collect();
    clashes.sort_unstable();
    clashes.first().map(|(file, path)| format!("{file:?} is a file and a directory of {path:?}"))
}

fn refused_char(c: char) -> Option<String> {
    if c.is_control() {
        return Some(format!("the path holds the control character U+{:04X}", u32::from(c)));
    }
    if FORBIDDEN.contains(c) {
        return Some(format!("the path holds {c:?}, which Windows does not allow in names"));
    }
    is_invisible(c).then(|| format!("the path holds the invisible character U+{:04X}", u32::from(c)))
}

/// Zero-width, bidirectional, tag and filler characters: two names that look alike would differ.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn refused_component(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("the path has an empty component".to_owned());
    }
    if name.len() > MAX_COMPONENT {
        return Some(format!("a component has {} bytes, more than {MAX_COMPONENT}", name.len()));
    }
    if name == "." || name == ".." {
        return Some(format!("the path holds the component {name:?}"));
    }
    if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        return Some(format!("the component {name:?} begins or ends with a space"));
    }
    if name.ends_with('.') {
        return Some(format!("the component {name:?} ends with a dot, which Windows drops"));
    }
    if is_device(name) {
        return Some(format!("the component {name:?} is a device on Windows"));
    }
    is_git(name).then(|| "the path leads into a .git directory".to_owned())
}

/// The stem is the text before the first dot: `nul.tar.gz` is the device too.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_lowercase();
    if DEVICES.contains(&stem.as_str()) {
        return true;
    }
    let number = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    number.is_some_and(|n| {
        let mut digits = n.chars();
        matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    })
}

/// `.git` in any case, and the short name that Windows gives it.
fn is_git(name: &str) -> bool {
    let folded = fold(name);
    let short =
        folded.strip_prefix("git~").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    folded == ".git" || short
}
