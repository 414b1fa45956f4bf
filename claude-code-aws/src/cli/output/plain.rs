//! Sanitised text: output of a model or a service made safe for a terminal: no escape sequence, no control character,
//! and no invisible reordering reaches it.

use std::borrow::Cow;

const ESC: char = '\u{1b}';
const BEL: char = '\u{7}';
/// The one-character forms of CSI and of the strings that end with ST.
const CSI: char = '\u{9b}';
const ST: char = '\u{9c}';

/// The text as a terminal may have it. Escape sequences go as a whole, control characters but line feed and tab go
/// alone, and invisible characters are shown by their numbers.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ESC => skip_escape(&mut chars),
            CSI => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut chars),
            _ if is_hidden(c) => out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            _ if is_plain(c) => out.push(c),
            _ => {}
        }
    }
    Cow::Owned(out)
}

/// The text in one line: for names and messages between others.
pub(crate) fn line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_plain(c: char) -> bool {
    matches!(c, '\n' | '\t') || !c.is_control() && !is_hidden(c)
}

/// The characters that nobody sees: what reorders text (Unicode's bidirectional controls), and what has no width, but for the
/// joiners that emoji and scripts are made with.
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// What follows ESC: `[` begins a CSI, `]PX^_` a string, anything else is intermediates and one final.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        _ => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next_if(|c| ('0'..='~').contains(c));
        }
    }
}

/// Parameters and intermediates, then one final.
fn skip_csi(chars: &mut Chars<'_>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Everything to ST or BEL. A string without an end goes to the end of its line: the rest stays readable.
fn skip_string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        if c == BEL || c == ST {
            return;
        }
        if c == ESC {
            chars.next_if_eq(&'\\');
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_every_kind_of_sequence_and_keeps_the_words() {
        let cases = [
            ("plain text\n\tstays", "plain text\n\tstays"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}[?1049h\u{1b}[2Jcleared", "cleared"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]52;c;ZXZpbA==\u{1b}\\clip", "clip"),
            ("\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}Pq#0\u{1b}\\sixel", "sixel"),
            ("\u{9b}31mc1\u{9b}m", "c1"),
            ("\u{9d}0;t\u{9c}osc", "osc"),
            ("bell\u{7} back\u{8} del\u{7f} cr\rlf", "bell back del crlf"),
            ("\u{1b}(0charset\u{1b}c", "charset"),
            ("an open string \u{1b}]0;no end\nnext line", "an open string \nnext line"),
            ("bidi \u{202e}abc\u{2066}", "bidi ⟨U+202E⟩abc⟨U+2066⟩"),
            ("ends with \u{1b}", "ends with "),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left_whatever_comes() {
        for first in 0_u32..0x100 {
            for second in ['[', ']', 'P', '\u{1b}', '\u{9b}', 'a', '\n'] {
                let Some(c) = char::from_u32(first) else { continue };
                let text = format!("{c}{second}{c}x{second}\u{1b}[2J");
                assert!(plain(&text).chars().all(is_plain), "{text:?}");
            }
        }
    }
}
