//! JSON lines: a value that is one line to every reader.

use serde_json::Value;

/// The value as one line. Some readers, such as Python's `splitlines`, also break lines at characters that JSON lets stand in
/// a string: those are escaped.
pub(crate) fn json_line(value: &Value) -> String {
    const BREAKS: [(char, &str); 3] =
        [('\u{85}', "\\u0085"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
    let line = value.to_string();
    if !line.contains(BREAKS.map(|(it, _)| it)) {
        return line;
    }
    BREAKS.iter().fold(line, |line, (it, escaped)| line.replace(*it, escaped))
}
