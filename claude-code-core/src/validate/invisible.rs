//! Invisible characters in code: what a reader does not see, a compiler does (Trojan Source, CVE-2021-42574). Joiners are
//! fine within strings and comments where a script or an emoji needs them.

use super::source::Source;
use crate::answer::diagnostic::{Diagnostic, Severity};

/// What is wrong with the characters of a file. What a line of the given text had before is not the answer's fault.
pub fn check(source: &Source, given: Option<&str>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let is_known = || {
            given.is_some_and(|given| given.lines().any(|known| known == line.trim_end_matches(['\n', '\r'])))
        };
        let may_hide = !line.is_ascii() || line.contains(['\0', '\u{8}']);
        if may_hide && !is_known() {
            of_line(source, start, line, &mut found);
        }
        start += line.len();
    }
    found
}

fn of_line(source: &Source, start: usize, line: &str, found: &mut Vec<Diagnostic>) {
    let chars: Vec<(usize, char)> = line.char_indices().collect();
    for (number, (at, c)) in chars.iter().enumerate() {
        let Some(sort) = sort(*c) else { continue };
        let before = number.checked_sub(1).map(|at| chars[at].1);
        let after = chars.get(number + 1).map(|(_, c)| *c);
        if start + at == 0 && *c == '\u{feff}' {
            continue;
        }
        if is_needed(*c, before, after, line) && is_text(source, start + at) {
            continue;
        }
        let message = format!(
            "{sort} U+{:04X} here, which no reader sees: take it out, or write it as an escape",
            u32::from(*c)
        );
        found.push(source.at(start + at, Severity::Error, message));
    }
}

/// What sort of invisible character it is.
fn sort(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "the bidirectional control",
        '\u{200e}' | '\u{200f}' | '\u{61c}' => "the direction mark",
        '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{180e}' | '\u{feff}' => "the zero-width character",
        '\u{200c}' | '\u{200d}' => "the joiner",
        '\u{e0000}'..='\u{e007f}' => "the tag character",
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => "the variation selector",
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => "the filler",
        '\u{fff9}'..='\u{fffb}' => "the annotation control",
        '\0' | '\u{8}' => "the control character",
        _ => return None,
    })
}

/// Whether its neighbours need it.
fn is_needed(c: char, before: Option<char>, after: Option<char>, line: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| is_emoji(c) || is_joining_script(c));
    match c {
        '\u{200d}' => joins(before) && joins(after),
        // Scripts without spaces part their words with it.
        '\u{200b}' => before.into_iter().chain(after).any(is_spaceless_script),
        '\u{200c}' => before.is_some_and(is_joining_script) && after.is_some_and(is_joining_script),
        '\u{200e}' | '\u{200f}' | '\u{61c}' => line.chars().any(is_right_to_left),
        // Flags of regions: a black flag, then tags.
        '\u{e0020}'..='\u{e007f}' => {
            line.contains('\u{1f3f4}')
                && before.is_some_and(|c| c == '\u{1f3f4}' || matches!(c, '\u{e0020}'..='\u{e007f}'))
        }
        // One form of one sign; a run of them hides bytes.
        '\u{fe00}'..='\u{fe0f}' => before.is_some_and(|c| !c.is_whitespace() && sort(c).is_none()),
        '\u{e0100}'..='\u{e01ef}' => before.is_some_and(is_ideograph),
        _ => false,
    }
}

fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x2190..=0x27BF | 0x2B00..=0x2BFF | 0xFE0F | 0x1F000..=0x1FAFF | 0x200D)
}

/// Scripts whose letters are shaped by what stands beside them.
fn is_joining_script(c: char) -> bool {
    matches!(u32::from(c), 0x0600..=0x0FFF | 0x1000..=0x109F | 0x1780..=0x18AF | 0x1900..=0x1CFF | 0xA800..=0xABFF | 0xFB50..=0xFDFF | 0xFE70..=0xFEFC)
}

/// Thai, Lao, Myanmar, Khmer.
fn is_spaceless_script(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x19E0..=0x19FF | 0xAA60..=0xAA7F)
}

fn is_right_to_left(c: char) -> bool {
    matches!(u32::from(c), 0x0590..=0x08FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFC)
}

/// Whether this place is text for people: a string or comment of code, or anything in a language without a grammar.
fn is_text(source: &Source, at: usize) -> bool {
    #[cfg(feature = "syntax")]
    if let Some(tree) = source.tree() {
        let mut node = tree.root_node().descendant_for_byte_range(at, at + 1);
        while let Some(here) = node {
            let kind = here.kind();
            if ["string", "comment", "template", "heredoc", "text", "quoted", "char"]
                .iter()
                .any(|part| kind.contains(part))
            {
                return true;
            }
            node = here.parent();
        }
        return source.language == "html";
    }
    let _ = (source, at);
    true
}
