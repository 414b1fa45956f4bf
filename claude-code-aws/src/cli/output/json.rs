//! JSON on stdout, one value. Characters that a terminal would act on are escaped, which changes no value.

use std::fmt::Write;

use claude_code_core::{Error, ErrorKind, Result};
use serde::Serialize;

/// The value as indented JSON with a line end.
pub(crate) fn text(value: &impl Serialize) -> Result<String> {
    let json = serde_json::to_string_pretty(value).map_err(|error| {
        Error::new(ErrorKind::Protocol, format!("the result could not be written: {error}"))
    })?;
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        // Those below U+0020 are escaped already: outside of strings there is only the line feed.
        if c.is_control() && c != '\n' || super::plain::is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    Ok(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn controls_and_directions_are_escaped_and_the_value_stays() {
        let value = "a\u{1b}[2J\u{9b}m\u{7f}\u{202e}\u{e0041}ß";
        let text = super::text(&value).unwrap_or_default();
        assert!(text.trim_end().chars().all(|c| !c.is_control() && c != '\u{202e}'), "{text:?}");
        assert_eq!(serde_json::from_str::<String>(&text).ok().as_deref(), Some(value));
    }
}
