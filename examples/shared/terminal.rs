//! Questions to a person, and lines for them.

use std::io::{BufRead, IsTerminal, Write};

use claude_code_aws::{Error, ErrorKind, Result};

/// A line on stderr: what happens, beside what stdout gets.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", plain(line));
}

/// Text on stdout. A pipe that was closed is an end, not a fault.
pub fn out(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// A text without the control characters that move a terminal's cursor.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect()
}

/// Asks a person to agree; without a terminal the answer is an error that says how to agree beforehand.
pub fn confirm(question: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(
            ErrorKind::Conflict,
            format!("{question} Nothing was written; --yes agrees beforehand"),
        ));
    }
    let _ = write!(std::io::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match read.map(|_| answer.trim().to_ascii_lowercase()).as_deref() {
        Ok("y" | "yes") => Ok(()),
        _ => Err(Error::new(ErrorKind::Conflict, "not agreed; nothing was written")),
    }
}
